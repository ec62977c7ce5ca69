"""Every clock."""

from __future__ import annotations

from datetime import UTC

import pytest

from qfc.drivers.clock import SystemClock
from qfc.stack.ports import Clock
from twins import MemoryClock


@pytest.fixture(params=[SystemClock, MemoryClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    return request.param()


def test_the_time_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_time_has_passed_after_sleeping(clock: Clock) -> None:
    before = clock.now()
    clock.sleep(0.01)
    assert (clock.now() - before).total_seconds() >= 0.01

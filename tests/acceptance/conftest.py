"""Fixtures of the black-box tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qfc_command import Qfc, fresh_qfc


@pytest.fixture
def qfc() -> Iterator[Qfc]:
    """`qfc` on a machine where it has never been used."""
    with fresh_qfc() as one:
        yield one


@pytest.fixture(scope="module")
def running() -> Iterator[Qfc]:
    """`qfc` with a stack that runs with two workers, for all tests of a module."""
    with fresh_qfc() as one:
        one.ok("init", "local", "--workers", "2")
        one.ok("up")
        yield one

"""Waiting for something with a deadline. Deadlines are seconds of the clock, however long each question takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .ports import Clock

Answer = TypeVar("Answer")


def wait_until(clock: Clock, ask: Callable[[], Answer], *, limit_s: float, poll_s: float) -> Answer:
    """Ask until the answer is true or the time is up; return the last answer. Asks at least once.

    `limit_s` and `poll_s` are seconds. What `ask` raises ends the wait.
    """
    deadline = clock.monotonic() + limit_s
    while not (answer := ask()) and clock.monotonic() < deadline:
        clock.sleep(poll_s)
    return answer

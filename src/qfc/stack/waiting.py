"""Waiting for something with a deadline. The deadline is measured on the clock, however long each call takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .ports import Clock

Answer = TypeVar("Answer")


def wait_until(clock: Clock, ask: Callable[[], Answer], *, limit_s: float, poll_s: float) -> Answer:
    """Call `ask` until its answer is true or the time is up; return the last answer. Calls it at least once.

    `limit_s` is the time limit and `poll_s` the pause between calls, in seconds. An exception of `ask` ends the wait.
    """
    deadline = clock.monotonic() + limit_s
    while not (answer := ask()) and clock.monotonic() < deadline:
        clock.sleep(poll_s)
    return answer

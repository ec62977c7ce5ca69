"""Waiting: deadlines are seconds of the clock, however long each check takes."""

from __future__ import annotations

from qfc.stack.waiting import wait_until
from twins import MemoryClock


def test_the_first_true_answer_ends_the_wait() -> None:
    clock, answers = MemoryClock(), iter(["", "", "yes", "later"])
    assert wait_until(clock, lambda: next(answers), limit_s=10, poll_s=0.5) == "yes"
    assert clock.monotonic() == 1.0


def test_slow_questions_do_not_stretch_the_deadline() -> None:
    clock, asked = MemoryClock(), list[float]()

    def slow() -> bool:
        clock.sleep(30)
        asked.append(clock.monotonic())
        return False

    assert wait_until(clock, slow, limit_s=60, poll_s=0.5) is False
    assert asked == [30.0, 60.5]


def test_without_time_it_asks_once() -> None:
    clock, asked = MemoryClock(), list[bool]()
    assert wait_until(clock, lambda: asked.append(True), limit_s=0, poll_s=0.5) is None
    assert (asked, clock.monotonic()) == ([True], 0.0)

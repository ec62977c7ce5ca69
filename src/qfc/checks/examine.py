"""Runs checks side by side. One that cannot look says so, and none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from ..stack.findings import Finding
from .base import Check
from .evidence import Evidence

#: Seconds that a check may take, from the moment on which all begin.
LIMIT_S = 20.0
AT_ONCE = 8


def examine(checks: Sequence[Check], seen: Evidence, *, limit_s: float = LIMIT_S) -> tuple[Finding, ...]:
    """Return what each check found that applies to this stack, in the order of the checks."""
    fitting = [check for check in checks if check.applies(seen)]
    until = monotonic() + limit_s
    looks = [(check, Future[Finding]()) for check in fitting]
    waiting: SimpleQueue[tuple[Check, Future[Finding]]] = SimpleQueue()
    for look in looks:
        waiting.put(look)
    for _ in range(AT_ONCE):
        # One that hangs is not waited for, not even at the end of the process: an executor would.
        Thread(target=_look_at, args=(waiting, seen), daemon=True).start()
    return tuple(_found(check, look, max(until - monotonic(), 0.0), limit_s) for check, look in looks)


def _look_at(waiting: SimpleQueue[tuple[Check, Future[Finding]]], seen: Evidence) -> None:
    while True:
        try:
            check, look = waiting.get_nowait()
        except Empty:
            return
        try:
            look.set_result(check.examine(seen))
        except Exception as error:  # noqa: BLE001 - told by whoever asks for the result
            look.set_exception(error)


def _found(check: Check, look: Future[Finding], left_s: float, limit_s: float) -> Finding:
    try:
        return look.result(left_s)
    except TooLate:
        return check.unknown(f"It took longer than {limit_s:.0f} s.")
    except Exception as error:  # noqa: BLE001 - a fault of one check must not hide what the others found
        return check.unknown(f"The check itself has a fault: {type(error).__name__}: {error}")

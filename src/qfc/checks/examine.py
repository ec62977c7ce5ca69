"""Run checks in parallel. A check that cannot look is reported as unknown; none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic

from ..stack.findings import Finding
from ..stack.progress import Progress, counted, no_progress
from .base import Check
from .evidence import Evidence

#: Seconds that a check may take, counted from the start of all checks.
LIMIT_S = 20.0
AT_ONCE = 8


def examine(
    checks: Sequence[Check],
    seen: Evidence,
    *,
    limit_s: float = LIMIT_S,
    progress: Progress = no_progress,
    abandoned: Event | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of the checks that apply to this stack, in the order of the checks.

    `limit_s` is the time limit in seconds; a check that exceeds it is unknown, and none begins after it, or once
    `abandoned` is set.
    """
    fitting = [check for check in checks if check.applies(seen)]
    until = monotonic() + limit_s
    examinations = [(check, Future[Finding]()) for check in fitting]
    waiting: SimpleQueue[tuple[Check, Future[Finding]]] = SimpleQueue()
    for examination in examinations:
        waiting.put(examination)
    for _ in range(AT_ONCE):
        # A daemon thread: nothing waits for a check that hangs, not even the end of the process. An executor would.
        Thread(target=_run_waiting, args=(waiting, seen, until, abandoned or Event()), daemon=True).start()
    return tuple(
        _found(check, future, max(until - monotonic(), 0.0), limit_s)
        for check, future in counted(examinations, "Examining", progress)
    )


def _run_waiting(
    waiting: SimpleQueue[tuple[Check, Future[Finding]]], seen: Evidence, until: float, abandoned: Event
) -> None:
    while monotonic() < until and not abandoned.is_set():
        try:
            check, future = waiting.get_nowait()
        except Empty:
            return
        try:
            future.set_result(check.examine(seen))
        except Exception as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)


def _found(check: Check, future: Future[Finding], left_s: float, limit_s: float) -> Finding:
    try:
        return future.result(left_s)
    except TooLate:
        return check.unknown(f"The check took longer than {limit_s:.0f} s.")
    except Exception as error:  # noqa: BLE001 - a bug in one check must not hide the findings of the others
        return check.unknown(f"The check itself has a bug: {type(error).__name__}: {error}")

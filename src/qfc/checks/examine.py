"""Run checks in parallel. A check that cannot look is reported as unknown; none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from queue import Empty, SimpleQueue
from threading import Event, Thread, local
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
    threads = _Threads(examinations, seen, until, abandoned or Event())
    seen.before_waiting = threads.replace_this
    for _ in range(AT_ONCE):
        threads.start_one()
    return tuple(
        _found(check, future, max(until - monotonic(), 0.0), limit_s)
        for check, future in counted(examinations, "Examining", progress)
    )


class _Threads:
    """Threads that take the next check until none is left, the time is over, or they are `abandoned`.

    One that waits for evidence that another reads is replaced: a slow answer must not stop checks that do without it.
    """

    def __init__(
        self, examinations: Sequence[tuple[Check, Future[Finding]]], seen: Evidence, until: float, abandoned: Event
    ) -> None:
        self._seen, self._until, self._abandoned = seen, until, abandoned
        self._mine = local()
        self._waiting: SimpleQueue[tuple[Check, Future[Finding]]] = SimpleQueue()
        for examination in examinations:
            self._waiting.put(examination)

    def start_one(self) -> None:
        """Start a thread. It is a daemon: nothing, not even the end of the process, waits for a check that hangs."""
        Thread(target=self._run, daemon=True).start()

    def replace_this(self) -> None:
        """Start a thread instead of the calling one, which ends after its check."""
        if not self._is_replaced():
            self._mine.replaced = True
            self.start_one()

    def _is_replaced(self) -> bool:
        return getattr(self._mine, "replaced", False)

    def _is_over(self) -> bool:
        return self._is_replaced() or monotonic() >= self._until or self._abandoned.is_set()

    def _run(self) -> None:
        while not self._is_over():
            try:
                check, future = self._waiting.get_nowait()
            except Empty:
                return
            try:
                future.set_result(check.examine(self._seen))
            except Exception as error:  # noqa: BLE001 - raised again where the result is read
                future.set_exception(error)


def _found(check: Check, future: Future[Finding], left_s: float, limit_s: float) -> Finding:
    try:
        return future.result(left_s)
    except TooLate:
        return check.unknown(f"The check took longer than {limit_s:.0f} s.")
    except Exception as error:  # noqa: BLE001 - a bug in one check must not hide the findings of the others
        return check.unknown(f"The check itself has a bug: {type(error).__name__}: {error}")

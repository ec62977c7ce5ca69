"""Runs checks side by side. One that cannot look says so, and none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from ..errors import QfcError
from .base import Check
from .evidence import Evidence

#: Seconds that a check may take, from the moment on which all begin.
LIMIT_S = 20.0
AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    """What a check said: what it found, or why it could not look; neither where all is well."""

    check: Check
    found: str | None = None
    unknown: str | None = None


def examine(checks: Sequence[Check], seen: Evidence, *, limit_s: float = LIMIT_S) -> tuple[Outcome, ...]:
    """Look at everything that this kind of stack can have, in the order of the checks."""
    fitting = [check for check in checks if check.applies(seen)]
    until = monotonic() + limit_s
    looks = [(check, Future[str | None]()) for check in fitting]
    waiting: SimpleQueue[tuple[Check, Future[str | None]]] = SimpleQueue()
    for look in looks:
        waiting.put(look)
    for _ in range(AT_ONCE):
        # One that hangs is not waited for, not even at the end of the process: an executor would.
        Thread(target=_look_at, args=(waiting, seen), daemon=True).start()
    return tuple(_outcome(check, look, max(until - monotonic(), 0.0), limit_s) for check, look in looks)


def _look_at(waiting: SimpleQueue[tuple[Check, Future[str | None]]], seen: Evidence) -> None:
    while True:
        try:
            check, look = waiting.get_nowait()
        except Empty:
            return
        try:
            look.set_result(check.look(seen))
        except Exception as error:  # noqa: BLE001 - told by whoever asks for the result
            look.set_exception(error)


def _outcome(check: Check, look: Future[str | None], left_s: float, limit_s: float) -> Outcome:
    try:
        return Outcome(check, found=look.result(left_s))
    except TooLate:
        return Outcome(check, unknown=f"It took longer than {limit_s:.0f} s.")
    except QfcError as error:
        return Outcome(check, unknown=error.message)
    except Exception as error:  # noqa: BLE001 - a fault of one check must not hide what the others found
        return Outcome(check, unknown=f"The check itself has a fault: {type(error).__name__}: {error}")

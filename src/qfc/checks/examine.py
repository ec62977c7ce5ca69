"""Runs checks side by side. One that cannot look says so, and none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from time import monotonic

from ..errors import QfcError
from .base import Auto, Check
from .evidence import Evidence

#: Seconds that a check may take, from the moment on which all begin.
LIMIT_S = 20.0
AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    """What a check said: what it found, or why it could not look; neither where all is well.

    `difference` is what its repair would change.
    """

    check: Check
    found: str | None = None
    unknown: str | None = None
    difference: tuple[str, ...] = ()


def examine(checks: Sequence[Check], seen: Evidence, *, limit_s: float = LIMIT_S) -> tuple[Outcome, ...]:
    """Look at everything that this kind of stack can have, in the order of the checks."""
    fitting = [check for check in checks if check.applies(seen)]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        until = monotonic() + limit_s
        looks = [(check, pool.submit(_look, check, seen)) for check in fitting]
        return tuple(_outcome(check, look, max(until - monotonic(), 0.0), limit_s) for check, look in looks)
    finally:
        # One that hangs is not waited for.
        pool.shutdown(wait=False, cancel_futures=True)


def _look(check: Check, seen: Evidence) -> Outcome:
    found = check.look(seen)
    wants = found is not None and check.auto is not Auto.NO
    return Outcome(check, found=found, difference=check.difference(seen) if wants else ())


def _outcome(check: Check, look: Future[Outcome], left_s: float, limit_s: float) -> Outcome:
    try:
        return look.result(left_s)
    except TooLate:
        return Outcome(check, unknown=f"It took longer than {limit_s:.0f} s.")
    except QfcError as error:
        return Outcome(check, unknown=error.message)
    except Exception as error:  # noqa: BLE001 - a fault of one check must not hide what the others found
        return Outcome(check, unknown=f"The check itself has a fault: {type(error).__name__}: {error}")

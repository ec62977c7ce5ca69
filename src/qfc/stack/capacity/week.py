"""What a week tells without being asked: the target was missed every day, or workers stand idle. Pure.

Both say nothing rather than something doubtful: a quiet week, or a part of one, is no reason to change a server.
"""

from __future__ import annotations

from dataclasses import dataclass

from .history import DAY_S, History, quantile
from .plan import Target
from .report import waits_by_reason
from .resampling import as_load
from .simulation import waits
from .takeover import pickup

WEEK_DAYS = 7
#: A day with fewer jobs is no day of work; a week has at least so many of them.
JOBS_A_DAY, WORKING_DAYS = 20, 5
#: Fewer jobs in the week than this say nothing about idle workers.
JOBS_A_WEEK = 200
#: Workers fewer that are worth a sentence; the wait may then use this share of the target.
SPARE, ROOM = 2, 0.5


@dataclass(frozen=True)
class Missed:
    """Days of work, on all of which the target was missed. `for_workers` is the share of waiting for a free worker."""

    days: int
    wait_s: float
    for_workers: float


def missed(history: History, target: Target) -> Missed | None:
    """Return how the target was missed in the last week; None unless it was on every day of work."""
    days = [day for day in _days(history) if len(day.jobs) >= JOBS_A_DAY]
    if len(days) < WORKING_DAYS or any(_wait(day, target) < target.seconds for day in days):
        return None
    behind_own, for_worker = waits_by_reason([job for day in days for job in day.jobs])
    return Missed(len(days), _wait(history, target), for_worker / ((behind_own + for_worker) or 1))


def enough(history: History, workers: int, target: Target, *, poll_s: float) -> int | None:
    """Return the smallest number of workers with which this very week would have met half of the target.

    None where that is not `SPARE` fewer than there are, or where the week shows too little.
    """
    days = [day for day in _days(history) if len(day.jobs) >= JOBS_A_DAY]
    if len(history.jobs) < JOBS_A_WEEK or len(days) < WORKING_DAYS or workers <= SPARE:
        return None
    load, _ = as_load([(job.created_s - history.begin_s, job.service_s, job.project) for job in history.jobs], DAY_S)
    habit = pickup(history, poll_s)

    def would_do(number: int) -> bool:
        waited = waits(load, number, poll_s=habit.poll_s, takeover_s=habit.takeover_s)
        return quantile(sorted(waited), target.share) < ROOM * target.seconds

    return next((number for number in range(1, workers - SPARE + 1) if would_do(number)), None)


def _days(history: History) -> list[History]:
    """Return the last days of a history, each of 24 hours."""
    begin = history.end_s - WEEK_DAYS * DAY_S
    return [history.between(begin + day * DAY_S, begin + (day + 1) * DAY_S) for day in range(WEEK_DAYS)]


def _wait(history: History, target: Target) -> float:
    return quantile(sorted(job.wait_s for job in history.jobs), target.share)

"""What a load test showed for a number of workers, beside what the simulation says for the same load. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .backtest import predicted_p95s
from .history import History, PastJob, quantile
from .takeover import pickup

ROUNDS = 21
#: Nine of ten rounds are between these.
LOW, HIGH = 0.05, 0.95
#: Jobs that take so many times as long as with the fewest workers lack processors, not workers.
SLOWED = 1.25


@dataclass(frozen=True)
class Level:
    """A number of workers under load. Seconds are those of jobs; `load` is in Erlang.

    `predicted_p95_s` is p95 of the wait by the simulation: the same arrivals, with the service times of this level
    drawn again by project and type, and `takeover_s` for the start of a job; `low` and `high` hold nine of ten rounds.
    `error` is relative to what was observed, None where nothing waited.
    """

    n: int
    jobs: int
    jobs_per_min: float
    load: float
    service_p50_s: float
    service_p95_s: float
    wait_p50_s: float
    wait_p95_s: float
    predicted_p95_s: float
    low: float
    high: float
    takeover_s: float
    error: float | None


def level(jobs: Sequence[PastJob], workers: int, *, poll_s: float = 0.0) -> Level:
    """Describe the jobs of a load test with so many workers. Raises ValueError without jobs."""
    if not jobs:
        raise ValueError("a load test without jobs shows nothing")
    history = _history(jobs)
    services = sorted(job.service_s for job in jobs)
    waited = sorted(job.wait_s for job in jobs)
    rounds = sorted(predicted_p95s(history, history, workers, poll_s, ROUNDS))
    habit = pickup(history, poll_s)
    observed, predicted = quantile(waited, 0.95), quantile(rounds, 0.5)
    return Level(
        n=workers,
        jobs=len(jobs),
        jobs_per_min=len(jobs) / history.seconds * 60,
        load=history.load,
        service_p50_s=quantile(services, 0.5),
        service_p95_s=quantile(services, 0.95),
        wait_p50_s=quantile(waited, 0.5),
        wait_p95_s=observed,
        predicted_p95_s=predicted,
        low=quantile(rounds, LOW),
        high=quantile(rounds, HIGH),
        takeover_s=habit.takeover_s,
        error=abs(predicted - observed) / observed if observed > 0 else None,
    )


def slowed(levels: Sequence[Level]) -> Level | None:
    """Return the first level whose jobs take much longer than those with the fewest workers; None without one."""
    ordered = sorted(levels, key=lambda one: one.n)
    return next((one for one in ordered[1:] if one.service_p50_s > SLOWED * ordered[0].service_p50_s), None)


def _history(jobs: Sequence[PastJob]) -> History:
    """Return the jobs as a period from the first arrival to the last end."""
    ordered = sorted(jobs, key=lambda job: job.created_s)
    end_s = max(job.ended_s for job in ordered)
    return History(ordered, ordered[0].created_s, max(end_s, ordered[0].created_s + 1))

"""What a load test showed for a number of workers, beside what the simulation says for the same load. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .history import History, PastJob, quantile
from .resampling import as_load
from .simulation import waits
from .takeover import Pickup, pickup

#: Jobs that take so many times as long as with the fewest workers lack processors, not workers.
SLOWED = 1.25


@dataclass(frozen=True)
class Level:
    """A number of workers under load. Seconds are those of jobs; `load` is in Erlang.

    `predicted_p95_s` is p95 of the wait by the simulation: the same arrivals and service times, and `takeover_s` for
    the start of a job. Nothing is drawn again: people who wait for a package send nothing meanwhile, so a long job and
    the pause behind it belong together. `error` is relative to what was observed, None where nothing waited.
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
    takeover_s: float
    error: float | None


def level(jobs: Sequence[PastJob], workers: int, *, poll_s: float = 0.0) -> Level:
    """Describe the jobs of a load test with so many workers. Raises ValueError without jobs."""
    if not jobs:
        raise ValueError("a load test without jobs shows nothing")
    history = _history(jobs)
    services = sorted(job.service_s for job in jobs)
    waited = sorted(job.wait_s for job in jobs)
    observed, habit = quantile(waited, 0.95), pickup(history, poll_s)
    predicted = quantile(sorted(_replayed(history, workers, habit)), 0.95)
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
        takeover_s=habit.takeover_s,
        error=abs(predicted - observed) / observed if observed > 0 else None,
    )


def _replayed(history: History, workers: int, habit: Pickup) -> list[float]:
    """Return what the jobs of a period would wait."""
    jobs = [(job.created_s - history.begin_s, job.service_s, job.project) for job in history.jobs]
    load, _ = as_load(jobs, history.seconds)
    return waits(load, workers, poll_s=habit.poll_s, takeover_s=habit.takeover_s)


def slowed(levels: Sequence[Level]) -> Level | None:
    """Return the first level whose jobs take much longer than those with the fewest workers; None without one."""
    ordered = sorted(levels, key=lambda one: one.n)
    return next((one for one in ordered[1:] if one.service_p50_s > SLOWED * ordered[0].service_p50_s), None)


def _history(jobs: Sequence[PastJob]) -> History:
    """Return the jobs as a period from the first arrival to the last end."""
    ordered = sorted(jobs, key=lambda job: job.created_s)
    end_s = max(job.ended_s for job in ordered)
    return History(ordered, ordered[0].created_s, max(end_s, ordered[0].created_s + 1))

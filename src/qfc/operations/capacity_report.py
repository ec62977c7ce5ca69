"""What a stack has worked: when jobs come, how long they take, what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..stack.capacity import (
    Backtest,
    Class,
    Figures,
    History,
    Hour,
    Looks,
    Scenario,
    backtest,
    figures,
    histogram,
    last_hours,
    looks,
    queue_at_looks,
    scenario,
)
from ..stack.capacity.report import MOST_PROJECTS
from ..stack.capacity.resampling import FEWEST_JOBS
from ..stack.metrics import Sample
from ..stack.ports import Ports
from .capacity_history import Observed, history_of, observed, poll_s_of
from .capacity_machine import memory_per_worker
from .sync_recent import success_rate
from .workers_list import worker_service


@dataclass(frozen=True)
class Report:
    """What a stack has worked in `days` days, of which `recorded_days` have jobs.

    `workers` is the number that it has, `utilisation` the share of their time that jobs would have used.
    `success_rate` is None when nothing ended; `missing` says what a sound answer would need. `week` has the last hours,
    at most seven days; `service_times` how many jobs took how long. `locked_looks` counts measurements at which a
    locked project made a job wait. `memory_per_worker` is what one uses now, in bytes; None where that is not known.
    """

    days: float
    recorded_days: float
    observed: Observed
    figures: Figures
    workers: int
    utilisation: float | None
    success_rate: float | None
    missing: tuple[str, ...]
    queue: Looks
    locked_looks: int
    scenario: Scenario | None
    week: tuple[Hour, ...]
    service_times: tuple[Class, ...]
    memory_per_worker: int | None
    backtest: Backtest


def capacity_report(ports: Ports, *, days: float = 14.0) -> Report:
    """Return what a stack has worked in the last days."""
    history = history_of(ports, days)
    service = worker_service(ports)
    workers, utilisation = service.wanted, history.load / service.wanted if service.wanted else None
    worst = list(history.loads)[:MOST_PROJECTS]
    since = ports.clock.now() - timedelta(days=days)
    rate = success_rate(ports.jobs.statistics(since=since))
    samples = ports.metrics_history.samples(since)
    queue = _queue(history, samples)
    return Report(
        days=days,
        recorded_days=history.days,
        observed=observed(history),
        figures=figures(history, ports.jobs.project_names(worst)),
        workers=workers,
        utilisation=utilisation,
        success_rate=rate,
        missing=_missing(history, days),
        queue=queue,
        locked_looks=sum(bool(one.oldest_project_locked_s) for one in samples),
        scenario=scenario(queue, rate, utilisation, workers),
        week=last_hours(history),
        service_times=histogram(history),
        memory_per_worker=memory_per_worker(service),
        backtest=backtest(history, max(workers, 1), poll_s=poll_s_of(ports)),
    )


def _queue(history: History, samples: Sequence[Sample]) -> Looks:
    """Return what was seen of the queue: as measured, if that covers half of the period, else as the jobs tell it."""
    measured = [one.queue for one in samples]
    if samples and (samples[-1].at - samples[0].at).total_seconds() >= history.seconds / 2:
        return looks(measured, "measurements")
    return looks(queue_at_looks(history), "jobs")


def _missing(history: History, days: float) -> tuple[str, ...]:
    """Return what is missing for a sound answer."""
    found: list[str] = []
    if history.days < days - 1:
        found.append(f"{history.days:.1f} of {days:g} days are recorded; two weeks show the shape of a week.")
    if len(history.jobs) < FEWEST_JOBS:
        found.append(f"{len(history.jobs)} jobs are too few to predict anything from: {FEWEST_JOBS} at least.")
    return tuple(found)

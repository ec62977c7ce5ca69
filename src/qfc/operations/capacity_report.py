"""What a stack has worked: when jobs come, how long they take, what they wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..stack.capacity import Figures, History, figures
from ..stack.capacity.report import MOST_PROJECTS
from ..stack.capacity.resampling import FEWEST_JOBS
from ..stack.ports import Ports
from .capacity_history import Observed, history_of, observed
from .sync_recent import success_rate
from .workers_list import worker_service


@dataclass(frozen=True)
class Report:
    """What a stack has worked in `days` days, of which `recorded_days` have jobs.

    `workers` is the number that it has, `utilisation` the share of their time that jobs would have used.
    `success_rate` is None when nothing ended; `missing` says what a sound answer would need.
    """

    days: float
    recorded_days: float
    observed: Observed
    figures: Figures
    workers: int
    utilisation: float | None
    success_rate: float | None
    missing: tuple[str, ...]


def capacity_report(ports: Ports, *, days: float = 14.0) -> Report:
    """Return what a stack has worked in the last days."""
    history = history_of(ports, days)
    workers = worker_service(ports).wanted
    worst = list(history.loads)[:MOST_PROJECTS]
    statistics = ports.jobs.statistics(since=ports.clock.now() - timedelta(days=days))
    return Report(
        days=days,
        recorded_days=history.days,
        observed=observed(history),
        figures=figures(history, ports.jobs.project_names(worst)),
        workers=workers,
        utilisation=history.load / workers if workers else None,
        success_rate=success_rate(statistics),
        missing=_missing(history, days),
    )


def _missing(history: History, days: float) -> tuple[str, ...]:
    """Return what is missing for a sound answer."""
    found: list[str] = []
    if history.days < days - 1:
        found.append(f"{history.days:.1f} of {days:g} days are recorded; two weeks show the shape of a week.")
    if len(history.jobs) < FEWEST_JOBS:
        found.append(f"{len(history.jobs)} jobs are too few to predict anything from: {FEWEST_JOBS} at least.")
    return tuple(found)

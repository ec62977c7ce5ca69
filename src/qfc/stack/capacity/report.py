"""What a server has worked, in figures: when jobs come, how long they take, what they wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .history import DAY_S, HOUR_S, History, PastJob, quantile

MOST_PROJECTS = 10
#: The first day of the Unix epoch, where Monday is 0.
THURSDAY = 3


@dataclass(frozen=True)
class TypeFigures:
    """Jobs of one type: their number, and seconds of work."""

    type: str
    jobs: int
    service_p50_s: float
    service_p95_s: float


@dataclass(frozen=True)
class ProjectFigures:
    """A project: its jobs, and its load in Erlang (the workers that it kept busy on average)."""

    id: str
    name: str
    jobs: int
    load: float


@dataclass(frozen=True)
class Peak:
    """The hour with the most arrivals, and their number."""

    hour: datetime
    jobs: int


@dataclass(frozen=True)
class Figures:
    """A period in figures. Hours and weekdays (Monday first) are UTC; counts are jobs that arrived in them.

    `load` is in Erlang. The seconds of all jobs' waiting are divided by what they waited for: a job of the same
    project, or a free worker.
    """

    load: float
    by_hour: tuple[int, ...]
    by_weekday: tuple[int, ...]
    peak: Peak | None
    types: tuple[TypeFigures, ...]
    projects: tuple[ProjectFigures, ...]
    wait_project_busy_s: float
    wait_no_free_worker_s: float


def figures(history: History, names: Mapping[str, str] | None = None) -> Figures:
    """Return the figures of a period; `names` are those of projects by id."""
    busy, free = waits_by_reason(history.jobs)
    return Figures(
        load=history.load,
        by_hour=_counted((int(job.created_s % DAY_S // HOUR_S) for job in history.jobs), 24),
        by_weekday=_counted((int(job.created_s // DAY_S + THURSDAY) % 7 for job in history.jobs), 7),
        peak=_peak(history),
        types=_types(history),
        projects=_projects(history, names or {}),
        wait_project_busy_s=busy,
        wait_no_free_worker_s=free,
    )


def waits_by_reason(jobs: Sequence[PastJob]) -> tuple[float, float]:
    """Return the seconds that jobs waited while a job of their project was active, and for a free worker."""
    busy = free = 0.0
    active_until: dict[str, float] = {}
    for job in sorted(jobs, key=lambda one: one.started_s):
        behind = min(max(active_until.get(job.project, 0.0) - job.created_s, 0.0), job.wait_s)
        busy, free = busy + behind, free + job.wait_s - behind
        active_until[job.project] = max(active_until.get(job.project, 0.0), job.ended_s)
    return busy, free


def _counted(values: Iterable[int], number: int) -> tuple[int, ...]:
    counts = Counter(values)
    return tuple(counts[index] for index in range(number))


def _peak(history: History) -> Peak | None:
    hours = Counter(int(job.created_s // HOUR_S) for job in history.jobs)
    if not hours:
        return None
    hour, jobs = max(hours.items(), key=lambda item: (item[1], item[0]))
    return Peak(datetime.fromtimestamp(hour * HOUR_S, UTC), jobs)


def _types(history: History) -> tuple[TypeFigures, ...]:
    services: dict[str, list[float]] = {}
    for job in history.jobs:
        services.setdefault(job.type, []).append(job.service_s)
    found = [
        TypeFigures(name, len(values), quantile(sorted(values), 0.5), quantile(sorted(values), 0.95))
        for name, values in services.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.jobs, one.type)))


def _projects(history: History, names: Mapping[str, str]) -> tuple[ProjectFigures, ...]:
    jobs = Counter(job.project for job in history.jobs)
    worst = list(history.loads.items())[:MOST_PROJECTS]
    return tuple(ProjectFigures(project, names.get(project, project), jobs[project], load) for project, load in worst)

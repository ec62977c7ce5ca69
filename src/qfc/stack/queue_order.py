"""The order of the waiting jobs of a project: edits before packages.

Workers of every release pick up the oldest job of a project first. A requeued job keeps its age, and a new job is the
youngest: a package could be built before edits that a device expects in it, and the device would lose them with the
next download.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .model import Job

#: The smallest difference in time that databases store.
TICK = timedelta(microseconds=1)
EDITS, PACKAGE = "delta_apply", "package"


@dataclass(frozen=True)
class WaitingJob:
    """A pending apply or package job. `first_delta` is when its first remaining edit arrived; None without one."""

    id: str
    project_id: str
    type: str
    created_at: datetime
    first_delta: datetime | None = None


def plan_order(waiting: Iterable[WaitingJob]) -> Mapping[str, datetime]:
    """Return new creation times for apply jobs in the wrong place, by job id.

    Apply jobs are sorted by their first edits, all of them before the package jobs of their project.
    """
    projects: dict[str, list[WaitingJob]] = {}
    for job in waiting:
        projects.setdefault(job.project_id, []).append(job)
    places: dict[str, datetime] = {}
    for jobs in projects.values():
        places |= _places(jobs)
    return places


def _places(jobs: Sequence[WaitingJob]) -> dict[str, datetime]:
    """Return the new creation times in one project; none when all jobs are in order."""
    edits = sorted((job for job in jobs if job.type == EDITS), key=_arrival)
    packages = sorted((job for job in jobs if job.type == PACKAGE), key=_age)
    wanted = [*edits, *packages]
    if sorted(wanted, key=_age) == wanted:
        return {}
    first = min(job.created_at for job in wanted)
    return {job.id: first - (len(edits) - number) * TICK for number, job in enumerate(edits)}


def _arrival(job: WaitingJob) -> tuple[bool, datetime, datetime, str]:
    """Return the sort key of an apply job; jobs without remaining edits come last."""
    return (job.first_delta is None, job.first_delta or job.created_at, job.created_at, job.id)


def _age(job: WaitingJob) -> tuple[datetime, str]:
    return (job.created_at, job.id)


def superseded(pending: Iterable[Job]) -> tuple[Job, ...]:
    """Return the package jobs after which the same user requested another package of the same project.

    The later package contains everything that they would. `pending` are waiting jobs, the oldest first.
    """
    packages = [job for job in pending if job.type == PACKAGE]
    last = {(job.project_id, job.created_by): job.id for job in packages}
    return tuple(job for job in packages if last[job.project_id, job.created_by] != job.id)

"""In which order the waiting jobs of a project are taken up: edits before packages.

Workers of every release take the oldest job of a project first. A job that waits again keeps its age, and one that is
made anew is the youngest: a package could come before edits that a device believes to be in it, and the device would
lose them with the next download.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .model import Job

#: The smallest step of time that databases keep.
TICK = timedelta(microseconds=1)
EDITS, PACKAGE = "delta_apply", "package"


@dataclass(frozen=True)
class WaitingJob:
    """A pending job with edits, or for a package. `first_delta` is when its first edit that is left came."""

    id: str
    project_id: str
    type: str
    created_at: datetime
    first_delta: datetime | None = None


def plan_order(waiting: Iterable[WaitingJob]) -> Mapping[str, datetime]:
    """Return new moments of creation for jobs with edits that stand in a wrong place, by the ids of these jobs.

    Jobs with edits come in the order of their first edits, all of them before the packages of their project.
    """
    projects: dict[str, list[WaitingJob]] = {}
    for job in waiting:
        projects.setdefault(job.project_id, []).append(job)
    places: dict[str, datetime] = {}
    for jobs in projects.values():
        places |= _places(jobs)
    return places


def _places(jobs: Sequence[WaitingJob]) -> dict[str, datetime]:
    """Return the new places in one project; none when all stand right."""
    edits = sorted((job for job in jobs if job.type == EDITS), key=_arrival)
    packages = sorted((job for job in jobs if job.type == PACKAGE), key=_age)
    wanted = [*edits, *packages]
    if sorted(wanted, key=_age) == wanted:
        return {}
    first = min(job.created_at for job in wanted)
    return {job.id: first - (len(edits) - number) * TICK for number, job in enumerate(edits)}


def _arrival(job: WaitingJob) -> tuple[bool, datetime, datetime, str]:
    """Return the place of a job among those with edits; those that have none left come last."""
    return (job.first_delta is None, job.first_delta or job.created_at, job.created_at, job.id)


def _age(job: WaitingJob) -> tuple[datetime, str]:
    return (job.created_at, job.id)


def superseded(pending: Iterable[Job]) -> tuple[Job, ...]:
    """Return the package jobs after which the same person asked for another package of the same project.

    The later one has all that they would have. `pending` are waiting jobs, the oldest first.
    """
    packages = [job for job in pending if job.type == PACKAGE]
    last = {(job.project_id, job.created_by): job.id for job in packages}
    return tuple(job for job in packages if last[job.project_id, job.created_by] != job.id)

"""One project with its jobs and unapplied edits."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.model import JobStatus, Project
from ..stack.ports import Ports
from .deltas_list import NOT_ARRIVED, DeltaLine, delta_line
from .jobs_view import JobLine, with_reasons

OPEN = tuple(status for status in JobStatus if not status.is_final)
FINAL = tuple(status for status in JobStatus if status.is_final)
LAST_JOBS = 5


@dataclass(frozen=True)
class ProjectStatus:
    """A project, its open and its last jobs, and the edits that were not applied."""

    project: Project
    open_jobs: tuple[JobLine, ...]
    last_jobs: tuple[JobLine, ...]
    deltas: tuple[DeltaLine, ...]


def projects_status(ports: Ports, name: str) -> ProjectStatus:
    """Return one project, given by id or `owner/name`. Raises NotFoundError."""
    project = ports.directory.project(name)
    now = ports.clock.now()
    deltas = ports.jobs.deltas(statuses=NOT_ARRIVED, project_id=project.id)
    return ProjectStatus(
        project=project,
        open_jobs=with_reasons(ports, ports.jobs.jobs(statuses=OPEN, project_id=project.id)),
        last_jobs=with_reasons(ports, ports.jobs.jobs(statuses=FINAL, project_id=project.id, limit=LAST_JOBS)),
        deltas=tuple(delta_line(delta, now) for delta in deltas),
    )

"""Lists of jobs, and one job in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..stack.failures import classify
from ..stack.model import Delta, JobStatus
from ..stack.ports import Ports
from .jobs_view import JobLine, with_reasons
from .project_name import project_id

#: The most deltas to show; no job has more on any server.
DELTAS = 1000


@dataclass(frozen=True)
class JobsList:
    """Jobs, newest first."""

    jobs: tuple[JobLine, ...]


@dataclass(frozen=True)
class JobShown:
    """One job with its output and its deltas."""

    job: JobLine
    not_before: datetime | None
    cause: str | None
    signature: str | None
    error: str | None
    fix: str | None
    feedback: dict[str, Any] | None
    output: str | None
    deltas: tuple[Delta, ...]


def jobs_list(
    ports: Ports,
    *,
    statuses: Sequence[JobStatus] = (),
    project: str | None = None,
    type: str | None = None,
    hours: float | None = None,
    limit: int = 50,
) -> JobsList:
    """Return jobs that match every given filter."""
    jobs = ports.jobs.jobs(
        statuses=statuses,
        project_id=project_id(ports, project),
        type=type,
        since=ports.clock.now() - timedelta(hours=hours) if hours else None,
        limit=limit,
    )
    return JobsList(with_reasons(ports, jobs))


def jobs_show(ports: Ports, name: str) -> JobShown:
    """Return one job. Raises NotFoundError."""
    job = ports.jobs.job(name)
    failure = classify(job.feedback, job.output) if job.status is JobStatus.FAILED else None
    deltas = ports.jobs.deltas(job_id=job.id, limit=DELTAS) if job.type == "delta_apply" else ()
    return JobShown(
        job=with_reasons(ports, [job])[0],
        not_before=job.not_before,
        cause=failure and failure.cause,
        signature=failure and failure.signature,
        error=failure and failure.error,
        fix=failure and failure.fix,
        feedback=job.feedback,
        output=job.output,
        deltas=deltas,
    )

"""A job as lists show it: with its age, and why it is waiting or has failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..errors import QfcError
from ..stack import queue, transitions
from ..stack.failures import classify
from ..stack.images import releases
from ..stack.model import Capability, Job, JobStatus, QueueSnapshot
from ..stack.ports import Ports

WORKER = "worker_wrapper"


@dataclass(frozen=True)
class JobLine:
    """A job in a list. `age_s` counts from its creation, `seconds` from start to end.

    Until it ends, `why` says why it is waiting or running, and `seen_since` when our commands first saw this status.
    """

    id: str
    type: str
    status: JobStatus
    project_id: str
    project: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker_id: str | None
    attempts: int | None
    age_s: float
    seconds: float | None
    why: str | None
    seen_since: datetime | None


@dataclass(frozen=True)
class EndedJob(JobLine):
    """A job that has ended. `cause`, `signature`, `error` and `fix` (what to type) are None unless it failed."""

    cause: str | None
    signature: str | None
    error: str | None
    fix: str | None


def job_line(job: Job, now: datetime, why: str | None = None, seen_since: datetime | None = None) -> JobLine:
    """Describe a job."""
    return JobLine(
        id=job.id,
        type=job.type,
        status=job.status,
        project_id=job.project_id,
        project=job.project,
        created_by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        worker_id=job.worker_id,
        attempts=job.attempts,
        age_s=age(job.created_at, now),
        seconds=age(job.started_at, job.finished_at) if job.started_at and job.finished_at else None,
        why=why,
        seen_since=seen_since,
    )


def ended_job(job: Job, now: datetime) -> EndedJob:
    """Describe a job that has ended."""
    failure = classify(job.feedback, job.output) if job.status is JobStatus.FAILED else None
    return EndedJob(
        **vars(job_line(job, now)),
        cause=failure and failure.cause,
        signature=failure and failure.signature,
        error=failure and failure.error,
        fix=failure and failure.fix,
    )


def with_reasons(ports: Ports, jobs: Sequence[Job]) -> tuple[JobLine, ...]:
    """Describe jobs; waiting and running ones with the reason. The queue is read only if there is such a job."""
    now = ports.clock.now()
    if all(job.status.is_final for job in jobs):
        return tuple(job_line(job, now) for job in jobs)
    snapshot = ports.transitions.noted(ports.jobs.snapshot())
    reasons = explained(ports, snapshot)
    return tuple(
        job_line(job, now, queue.why(job, snapshot, reasons), transitions.seen_since(job, snapshot)) for job in jobs
    )


def explained(ports: Ports, snapshot: QueueSnapshot) -> Mapping[str, str]:
    """Return why jobs are waiting or running, by id. Images are checked only if a job has waited for long."""
    skew = (_skew(ports) or queue.releases_of_workers(snapshot)) if queue.waits_for_long(snapshot) else None
    return queue.explain(snapshot, skew, running=running_workers(ports, snapshot))


def running_workers(ports: Ports, snapshot: QueueSnapshot) -> int | None:
    """Return the number of running workers: from the database's list, else from the services; None if unknown."""
    if snapshot.workers is not None:
        return len(queue.living_workers(snapshot))
    if not snapshot.pending:
        return None
    try:
        return next((one.running for one in ports.runtime.services() if one.name == WORKER), None)
    except QfcError:
        return None


def _skew(ports: Ports) -> str | None:
    """Return a sentence with the releases of application and workers; None unless both are known and differ."""
    if not ports.offers(Capability.CONTAINERS):
        return None
    try:
        known = releases(ports.deployment.images.all())
    except QfcError:
        return None
    app, worker = known.get("app"), known.get("worker_wrapper")
    differ = app and worker and app != worker
    return f"The workers are of another release ({worker}) than the application ({app})." if differ else None


def age(since: datetime, now: datetime) -> float:
    """Return seconds between two moments, at least 0: clocks of two machines differ."""
    return round(max((now - since).total_seconds(), 0.0), 3)

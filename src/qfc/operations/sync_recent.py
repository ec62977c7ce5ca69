"""Recently ended jobs, how long they took, and failures by cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import UsageError
from ..stack.model import Durations, JobStatistics, JobStatus
from ..stack.ports import Ports
from .jobs_view import EndedJob, ended_job

#: Ten years: longer than any server has existed.
LONGEST_HOURS = 24 * 366 * 10
#: The most failures, newest first, that are grouped by signature.
GROUPED = 1000


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one signature and cause, largest group first. `first` and `last` are when jobs ended.

    `projects` and `people` are names; `error` and `job_id` are those of the newest failure; `fix` is what to type.
    """

    signature: str
    cause: str
    count: int
    first: datetime
    last: datetime
    projects: tuple[str, ...]
    people: tuple[str, ...]
    error: str
    fix: str
    job_id: str


@dataclass(frozen=True)
class SyncRecent:
    """Jobs that ended in the last hours. `seconds` is start to end, `wait_seconds` creation to start, of finished jobs.

    `success_rate` is None when nothing ended. `groups` covers the newest 1000 failures.
    """

    hours: float
    finished: int
    failed: int
    stopped: int
    success_rate: float | None
    seconds: Durations
    wait_seconds: Durations
    groups: tuple[FailureGroup, ...]
    jobs: tuple[EndedJob, ...]


def sync_recent(ports: Ports, *, hours: float = 24, limit: int = 50) -> SyncRecent:
    """Return the jobs that ended in the last hours."""
    return _sync(ports, hours, limit, ())


def sync_failed(ports: Ports, *, hours: float = 24, limit: int = 50) -> SyncRecent:
    """Return the jobs that failed in the last hours; the figures cover all jobs."""
    return _sync(ports, hours, limit, (JobStatus.FAILED,))


def _sync(ports: Ports, hours: float, limit: int, statuses: tuple[JobStatus, ...]) -> SyncRecent:
    if not 0 < hours <= LONGEST_HOURS:
        raise UsageError(f"Cannot look back {hours:g} hours.", hint=f"Give more than 0, at most {LONGEST_HOURS}.")
    now = ports.clock.now()
    since = now - timedelta(hours=hours)
    statistics = ports.jobs.statistics(since=since)
    jobs = tuple(ended_job(job, now) for job in ports.jobs.ended(since=since, statuses=statuses, limit=limit))
    return SyncRecent(
        hours=hours,
        finished=statistics.finished,
        failed=statistics.failed,
        stopped=statistics.stopped,
        success_rate=success_rate(statistics),
        seconds=_rounded(statistics.run),
        wait_seconds=_rounded(statistics.wait),
        groups=_groups(_failures(ports, since, now, jobs, statistics.failed)),
        jobs=jobs,
    )


def _failures(
    ports: Ports, since: datetime, now: datetime, listed: tuple[EndedJob, ...], failed: int
) -> tuple[EndedJob, ...]:
    """Return the newest failures; reuse the listed ones if they are enough."""
    known = tuple(job for job in listed if job.status is JobStatus.FAILED)
    if len(known) >= min(failed, GROUPED):
        return known
    found = ports.jobs.ended(since=since, statuses=(JobStatus.FAILED,), limit=GROUPED)
    return tuple(ended_job(job, now) for job in found)


def _groups(failures: tuple[EndedJob, ...]) -> tuple[FailureGroup, ...]:
    by_kind: dict[tuple[str, str], list[EndedJob]] = {}
    for job in failures:
        by_kind.setdefault((job.signature or "", job.cause or "unknown"), []).append(job)
    groups = [_group(signature, cause, jobs) for (signature, cause), jobs in by_kind.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.signature, group.cause)))


def _group(signature: str, cause: str, jobs: list[EndedJob]) -> FailureGroup:
    """Group failures of one kind; the newest one comes first."""
    ends = [job.finished_at or job.created_at for job in jobs]
    return FailureGroup(
        signature=signature,
        cause=cause,
        count=len(jobs),
        first=min(ends),
        last=max(ends),
        projects=tuple(sorted({job.project for job in jobs})),
        people=tuple(sorted({job.created_by for job in jobs if job.created_by})),
        error=jobs[0].error or "",
        fix=jobs[0].fix or "",
        job_id=jobs[0].id,
    )


def success_rate(statistics: JobStatistics) -> float | None:
    """Return the share of ended jobs that finished; None when nothing ended."""
    ended = statistics.finished + statistics.failed
    return round(statistics.finished / ended, 4) if ended else None


def _rounded(durations: Durations) -> Durations:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return Durations(rounded(durations.p50), rounded(durations.p95), rounded(durations.max))

"""The twin of a stack's database: its queue. Rows are the model's own objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from qfc.stack.capacity import PastJob
from qfc.stack.model import (
    Delta,
    Held,
    Job,
    JobStatistics,
    JobStatus,
    QueueChange,
    QueueDepth,
    QueueSnapshot,
    Released,
    WaitingCounts,
    Worker,
)
from qfc.stack.ports import Clock, DatabaseQueue
from qfc.stack.queue_changes import LockedDelta, LockedJob, plan_cancel, plan_reapply, plan_release, plan_retry
from qfc.stack.queue_order import WaitingJob, plan_order

from .rows import bounded, durations, oldest_first, one_by_id

OPEN = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
ACTIVE = (JobStatus.QUEUED, JobStatus.STARTED)
#: States of an edit that its job has yet to apply.
OPEN_PART = ("pending", "started")
#: Characters from the end of a failed job's output that are listed.
OUTPUT_TAIL = 2000
#: The keys of a job's feedback that describe an error.
ERROR_KEYS = ("error", "error_type", "error_class", "error_origin", "container_exit_code")


class MemoryQueue(DatabaseQueue):
    """A queue of the embedded kind, workers with leases included. Implements `qfc.stack.ports.DatabaseQueue`.

    `parts` has the outcome of each (job, delta); `locks` the time since when each project has been locked.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.job_rows: dict[str, Job] = {}
        self.delta_rows: dict[str, Delta] = {}
        self.parts: dict[tuple[str, str], str] = {}
        self.locks: dict[str, datetime] = {}
        self.worker_rows: list[Worker] = []

    def depth(self) -> QueueDepth:
        open_statuses = [job.status for job in self._with(OPEN)]
        pending, queued, started = (open_statuses.count(status) for status in OPEN)
        oldest = min((job.created_at for job in self._with([JobStatus.PENDING])), default=self.clock.now())
        age = max((self.clock.now() - oldest).total_seconds(), 0.0)
        return QueueDepth(pending, queued, started, age)

    def snapshot(self, *, limit: int = 200) -> QueueSnapshot:
        pending = oldest_first(self._with([JobStatus.PENDING]))
        return QueueSnapshot(
            at=self.clock.now(),
            depth=self.depth(),
            counts=self._counts(pending),
            active=tuple(map(_bare, oldest_first(self._with(ACTIVE))))[:limit],
            pending=tuple(map(_bare, pending))[:limit],
            workers=self.workers(),
        )

    def jobs(
        self,
        *,
        statuses: Sequence[JobStatus] = (),
        project_id: str | None = None,
        type: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Job, ...]:
        found = [
            job
            for job in oldest_first(self._with(statuses or tuple(JobStatus)))
            if project_id in (None, job.project_id) and type in (None, job.type)
            if since is None or job.created_at >= since
        ]
        return tuple(map(_bare, reversed(found)))[:limit]

    def job(self, job_id: str) -> Job:
        """Return one job with output and feedback; the beginning of its id is enough. Raises NotFoundError."""
        return self._locked(one_by_id(self.job_rows, job_id, "job"))

    def ended(self, *, since: datetime, statuses: Sequence[JobStatus] = (), limit: int = 50) -> tuple[Job, ...]:
        found = [job for job in self._ended(since) if not statuses or job.status in statuses]
        return tuple(map(_with_error, found))[:limit]

    def statistics(self, *, since: datetime) -> JobStatistics:
        ended = self._ended(since)
        counts = {status: sum(job.status is status for job in ended) for status in JobStatus}
        finished = [job for job in ended if job.status is JobStatus.FINISHED]
        return JobStatistics(
            finished=counts[JobStatus.FINISHED],
            failed=counts[JobStatus.FAILED],
            stopped=counts[JobStatus.STOPPED],
            run=durations(_seconds(job.started_at, job.finished_at) for job in finished),
            wait=durations(_seconds(job.created_at, job.started_at) for job in finished),
            sample=len(finished),
        )

    def deltas(
        self,
        *,
        statuses: Sequence[str] = (),
        project_id: str | None = None,
        job_id: str | None = None,
        created_by: str | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Delta, ...]:
        found = [
            replace(delta, content=None)
            for delta in sorted(self.delta_rows.values(), key=lambda delta: (delta.created_at, delta.id))
            if (not statuses or delta.status in statuses) and project_id in (None, delta.project_id)
            if job_id is None or (job_id, delta.id) in self.parts
            if created_by is None or delta.created_by.upper() == created_by.upper()
            if before is None or delta.created_at < before
        ]
        return tuple(found[:limit])

    def delta_contents(self, project_id: str, *, after: Delta | None = None, limit: int = 1000) -> tuple[Delta, ...]:
        own = [one for one in self.delta_rows.values() if one.project_id == project_id]
        ordered = sorted(own, key=lambda one: (one.created_at, one.id))
        rest = [one for one in ordered if after is None or (one.created_at, one.id) > (after.created_at, after.id)]
        return tuple(rest[:limit])

    def worked(self, *, since: datetime, limit: int = 200_000) -> tuple[PastJob, ...]:
        newest = sorted(
            (job for job in self.job_rows.values() if job.created_at >= since), key=lambda job: job.created_at
        )
        return tuple(past for job in newest if (past := _past(job)) is not None)[-limit:]

    def project_names(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {job.project_id: job.project for job in self.job_rows.values() if job.project_id in ids}

    def delta(self, delta_id: str) -> Delta:
        """Return one delta with content and feedback; the beginning of its id is enough. Raises NotFoundError."""
        return one_by_id(self.delta_rows, delta_id, "delta")

    def workers(self) -> tuple[Worker, ...]:
        return tuple(self.worker_rows)

    def reset_jobs(self, job_ids: Sequence[str], *, allowed: Sequence[JobStatus], to: JobStatus) -> tuple[str, ...]:
        ids = [name for name in job_ids if name in self.job_rows and self.job_rows[name].status in allowed]
        for name in ids:
            self._put(name, to)
        return tuple(ids)

    def retry(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        asked = bounded(job_ids)
        plan = plan_retry(asked, self._locked_jobs(asked), self._locked_parts(asked), skips_settled=True)
        if not dry_run:
            self._make_wait(plan.jobs, plan.parts)
        return QueueChange(plan.jobs, tuple(part.delta_id for part in plan.parts), plan.refused)

    def cancel(self, job_ids: Sequence[str], *, only_waiting: bool = False, dry_run: bool = False) -> QueueChange:
        asked = bounded(job_ids)
        jobs, parts = self._locked_jobs(asked), self._locked_parts(asked)
        plan = plan_cancel(asked, jobs, parts, stops_running=True, only_waiting=only_waiting)
        if not dry_run:
            for name in plan.jobs:
                self._put(name, JobStatus.STOPPED)
            for (job, delta), status in self.parts.items():
                if job in plan.jobs and status in ("pending", "started"):
                    self.parts[job, delta] = "not_applied"
            for delta in plan.deltas:
                self._wait_again(delta)
        return QueueChange(plan.jobs, plan.deltas, plan.refused)

    def unlock(self, project_ids: Sequence[str], *, locked_before: datetime, dry_run: bool = False) -> tuple[str, ...]:
        busy = {job.project_id for job in self._with(ACTIVE)}
        old = [name for name in bounded(project_ids) if name in self.locks and self.locks[name] < locked_before]
        freed = tuple(name for name in old if name not in busy)
        if not dry_run:
            for name in freed:
                del self.locks[name]
        return freed

    def move_to_front(self, job_id: str) -> None:
        job = self.job_rows.get(job_id)
        if job is not None and job.status is JobStatus.PENDING:
            self.job_rows[job_id] = replace(job, created_at=datetime(2000, 1, 1, tzinfo=UTC))

    def release(self, held: Sequence[Held], *, dry_run: bool = False) -> Released:
        """Requeue the jobs of dead workers."""
        names = bounded([one.id for one in held])
        jobs, parts = self._locked_jobs(names), self._locked_parts(names)
        plan = plan_release(held, jobs, parts, with_effect=(), skips_settled=True)
        if not dry_run:
            self._make_wait(plan.requeued, plan.parts)
        return Released(plan.requeued, plan.failed, tuple(part.delta_id for part in plan.parts), (), plan.refused)

    def reapply(self, delta_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        asked = bounded(delta_ids)
        found = [self._locked_delta(name) for name in asked if name in self.delta_rows]
        plan = plan_reapply(asked, found)
        jobs = tuple(str(uuid4()) for _ in plan.batches)
        if not dry_run:
            for name, batch in zip(jobs, plan.batches, strict=True):
                self._make_apply_job(name, [self.delta_rows[delta.delta_id] for delta in batch])
            self._put_in_order({batch[0].project_id for batch in plan.batches})
        chosen = tuple(delta.delta_id for batch in plan.batches for delta in batch)
        return QueueChange(jobs, chosen, plan.refused)

    def _with(self, statuses: Iterable[JobStatus]) -> list[Job]:
        wanted = set(statuses)
        return [self._locked(job) for job in self.job_rows.values() if job.status in wanted]

    def _locked(self, job: Job) -> Job:
        return replace(job, project_locked_at=self.locks.get(job.project_id))

    def _ended(self, since: datetime) -> list[Job]:
        found = [job for job in self._with(JobStatus) if job.finished_at is not None and job.finished_at >= since]
        return sorted(found, key=lambda job: (job.finished_at or since, job.id), reverse=True)

    def _counts(self, pending: Sequence[Job]) -> WaitingCounts:
        busy = {job.project_id for job in self._with(ACTIVE)}
        kinds = [self._held_by(job, busy) for job in pending]
        return WaitingCounts(*(kinds.count(kind) for kind in ("locked", "busy", "postponed", "")))

    def _held_by(self, job: Job, busy: set[str]) -> str:
        if job.project_locked_at is not None:
            return "locked"
        if job.project_id in busy:
            return "busy"
        return "postponed" if job.not_before is not None and job.not_before > self.clock.now() else ""

    def _locked_jobs(self, names: Sequence[str]) -> list[LockedJob]:
        jobs = [self.job_rows[name] for name in names if name in self.job_rows]
        return [
            LockedJob(job.id, job.status, job.type, job.project_id, job.created_at, job.started_at, job.worker_id)
            for job in jobs
        ]

    def _locked_parts(self, names: Sequence[str]) -> list[LockedDelta]:
        parts = [self._locked_delta(delta, job) for job, delta in self.parts if job in names]
        return sorted(parts, key=lambda part: (part.created_at, part.delta_id))

    def _locked_delta(self, name: str, job_id: str | None = None) -> LockedDelta:
        delta = self.delta_rows[name]
        holders = [job for job, part in self.parts if part == name and job != job_id]
        held = next((job for job in holders if self.job_rows[job].status in OPEN), None)
        return LockedDelta(delta.id, delta.project_id, delta.status, delta.created_at, job_id, held)

    def _make_apply_job(self, name: str, deltas: Sequence[Delta]) -> None:
        first = deltas[0]
        self.job_rows[name] = Job(
            id=name,
            type="delta_apply",
            status=JobStatus.PENDING,
            project_id=first.project_id,
            project=first.project,
            created_by=first.project.partition("/")[0],
            created_at=self.clock.now(),
        )
        for delta in deltas:
            self.parts[name, delta.id] = "pending"
            self._wait_again(delta.id)

    def _make_wait(self, jobs: Sequence[str], parts: Sequence[LockedDelta]) -> None:
        """Requeue jobs and their deltas."""
        for part in parts:
            self._wait_again(part.delta_id)
            self.parts[part.job_id or "", part.delta_id] = "pending"
        for name in jobs:
            self._put(name, JobStatus.PENDING)
        self._put_in_order({self.job_rows[name].project_id for name in jobs})

    def _put_in_order(self, projects: set[str]) -> None:
        """Move the waiting edits of projects before their waiting packages."""
        waiting = [job for job in self._with([JobStatus.PENDING]) if job.project_id in projects]
        for name, place in plan_order(map(self._waiting, waiting)).items():
            self.job_rows[name] = replace(self.job_rows[name], created_at=place)

    def _waiting(self, job: Job) -> WaitingJob:
        own = [
            delta for (name, delta), state in self.parts.items() if name == job.id and state in ("pending", "started")
        ]
        arrivals = [self.delta_rows[delta].created_at for delta in own]
        return WaitingJob(job.id, job.project_id, job.type, job.created_at, min(arrivals, default=None))

    def _wait_again(self, delta_id: str) -> None:
        delta = self.delta_rows[delta_id]
        self.delta_rows[delta_id] = replace(delta, status="pending", feedback=None, updated_at=self.clock.now())

    def _put(self, name: str, status: JobStatus) -> None:
        """Change a job's status as the database's own rules do."""
        job = self.job_rows[name]
        now = self.clock.now()
        if status is JobStatus.PENDING:
            job = replace(job, started_at=None, finished_at=None, worker_id=None, attempts=0, not_before=None)
        elif status.is_final:
            job = replace(job, finished_at=job.finished_at or now)
        self.job_rows[name] = replace(job, status=status, lease_expires_at=None, updated_at=now)


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds()


def _bare(job: Job) -> Job:
    return replace(job, output=None, feedback=None)


def _with_error(job: Job) -> Job:
    if job.status is JobStatus.FINISHED:
        return _bare(job)
    told = job.feedback and {key: job.feedback[key] for key in ERROR_KEYS if job.feedback.get(key) is not None}
    return replace(job, feedback=told, output=job.output and job.output[-OUTPUT_TAIL:])


def _past(job: Job) -> PastJob | None:
    """Return what an ended job was; None for one that never started."""
    if not job.status.is_final or job.started_at is None or job.finished_at is None:
        return None
    times = (time.timestamp() for time in (job.created_at, job.started_at, job.finished_at))
    return PastJob(job.project_id, job.type, job.created_by, *times)

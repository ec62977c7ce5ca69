"""The queue in a stack's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

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

from ...stack.ports import DatabaseQueue
from . import changes, rows
from .connection import Connect, Database, Transaction

FINAL = tuple(status for status in JobStatus if status.is_final)
#: The number of the newest jobs that percentiles are computed from.
SAMPLE = 10_000


class PostgresJobStore(DatabaseQueue):
    """The jobs, deltas and workers in a stack's PostgreSQL."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def depth(self) -> QueueDepth:
        with self._database.reading() as transaction:
            return QueueDepth(**transaction.row("jobs.depth"))

    def snapshot(self, *, limit: int = 200) -> QueueSnapshot:
        with self._database.reading() as transaction:
            counts = transaction.row("jobs.waiting_counts")
            at: datetime = counts.pop("at")
            return QueueSnapshot(
                at=at,
                depth=QueueDepth(**transaction.row("jobs.depth")),
                counts=WaitingCounts(**counts),
                active=tuple(map(rows.job, transaction.rows("jobs.active", limit=limit))),
                pending=tuple(map(rows.job, transaction.rows("jobs.pending", limit=limit))),
                workers=_workers(transaction),
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
        if project_id is not None and rows.uuid_or_none(project_id) is None:
            return ()
        with self._database.reading() as transaction:
            found = transaction.rows(
                "jobs.newest",
                statuses=rows.parameters(statuses),
                project_id=project_id,
                type=type,
                since=since,
                limit=limit,
            )
            return tuple(map(rows.job, found))

    def job(self, job_id: str) -> Job:
        """Return one job with output and feedback; the beginning of its id is enough. Raises NotFoundError."""
        with self._database.reading() as transaction:
            return rows.job(rows.one_by_id(transaction, "jobs.by_id", job_id, "job"))

    def ended(self, *, since: datetime, statuses: Sequence[JobStatus] = (), limit: int = 50) -> tuple[Job, ...]:
        wanted = rows.parameters(statuses or FINAL)
        with self._database.reading() as transaction:
            return tuple(map(rows.job, transaction.rows("jobs.ended", statuses=wanted, since=since, limit=limit)))

    def statistics(self, *, since: datetime) -> JobStatistics:
        with self._database.reading() as transaction:
            return rows.statistics(transaction.row("jobs.statistics", since=since, sample=SAMPLE))

    def worked(self, *, since: datetime, limit: int = 200_000) -> tuple[PastJob, ...]:
        with self._database.reading() as transaction:
            found = transaction.rows("jobs.history", since=since, limit=limit)
        return tuple(PastJob(**row) for row in reversed(found))

    def project_names(self, ids: Sequence[str]) -> Mapping[str, str]:
        known = [name for name in ids if rows.uuid_or_none(name)]
        with self._database.reading() as transaction:
            return {row["id"]: row["name"] for row in transaction.rows("jobs.project_names", ids=known)}

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
        if any(name is not None and rows.uuid_or_none(name) is None for name in (project_id, job_id)):
            return ()
        with self._database.reading() as transaction:
            found = transaction.rows(
                "jobs.deltas",
                statuses=rows.parameters(statuses),
                project_id=project_id,
                job_id=job_id,
                created_by=created_by,
                before=before,
                limit=limit,
            )
            return tuple(map(rows.delta, found))

    def delta_contents(self, project_id: str, *, after: Delta | None = None, limit: int = 1000) -> tuple[Delta, ...]:
        place = {"after_at": after and after.created_at, "after_id": after and after.id}
        with self._database.reading() as transaction:
            found = transaction.rows("jobs.delta_contents", project_id=project_id, limit=limit, **place)
            return tuple(map(rows.delta, found))

    def delta(self, delta_id: str) -> Delta:
        """Return one delta with content and feedback; the beginning of its id is enough. Raises NotFoundError."""
        with self._database.reading() as transaction:
            return rows.delta(rows.one_by_id(transaction, "jobs.delta_by_id", delta_id, "delta"))

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers in the database; one that has lost its connection is `dead`."""
        with self._database.reading() as transaction:
            return _workers(transaction) or ()

    def reset_jobs(self, job_ids: Sequence[str], *, allowed: Sequence[JobStatus], to: JobStatus) -> tuple[str, ...]:
        _, ids = rows.usual_ids(job_ids)
        with self._database.writing() as transaction:
            changed = transaction.rows(
                "changes.reset_jobs", ids=ids, allowed=[str(status) for status in allowed], to=str(to)
            )
            return tuple(row["id"] for row in changed)

    def retry(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        with self._database.writing(dry_run=dry_run) as transaction:
            return changes.retry(transaction, job_ids)

    def cancel(self, job_ids: Sequence[str], *, only_waiting: bool = False, dry_run: bool = False) -> QueueChange:
        with self._database.writing(dry_run=dry_run) as transaction:
            return changes.cancel(transaction, job_ids, only_waiting=only_waiting)

    def unlock(self, project_ids: Sequence[str], *, locked_before: datetime, dry_run: bool = False) -> tuple[str, ...]:
        with self._database.writing(dry_run=dry_run) as transaction:
            return changes.unlock(transaction, project_ids, locked_before)

    def move_to_front(self, job_id: str) -> None:
        with self._database.writing() as transaction:
            transaction.change("changes.job_to_front", id=job_id)

    def release(self, held: Sequence[Held], *, dry_run: bool = False) -> Released:
        with self._database.writing(dry_run=dry_run) as transaction:
            return changes.release(transaction, held)

    def reapply(self, delta_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        with self._database.writing(dry_run=dry_run) as transaction:
            return changes.reapply(transaction, delta_ids)


def _workers(transaction: Transaction) -> tuple[Worker, ...] | None:
    """Return the workers; None if the database does not store them."""
    if not transaction.answers("jobs.workers"):
        return None
    return tuple(map(rows.worker, transaction.rows("jobs.workers")))

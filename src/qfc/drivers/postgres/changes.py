"""An operator's changes to the queue: lock the rows, decide with `qfc.stack.queue_changes`, write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from qfc.errors import RefusedError
from qfc.stack.model import Held, QueueChange, Released
from qfc.stack.queue_changes import (
    BULK_LIMIT,
    LockedDelta,
    LockedJob,
    plan_cancel,
    plan_reapply,
    plan_release,
    plan_retry,
)
from qfc.stack.queue_order import plan_order

from . import rows
from .connection import Transaction


def retry(transaction: Transaction, job_ids: Sequence[str]) -> QueueChange:
    """Requeue failed and stopped jobs, with those of their deltas that are not in the data."""
    asked, ids = _bounded(job_ids)
    jobs, parts = _lock_jobs(transaction, ids)
    doubtful = _doubtful(transaction, parts)
    plan = plan_retry(asked, jobs, parts, skips_settled=transaction.schema.has_leases, doubtful=doubtful)
    deltas = _make_wait(transaction, plan.jobs, plan.parts)
    _put_in_order(transaction, [job.project_id for job in jobs if job.id in plan.jobs])
    return QueueChange(plan.jobs, deltas, plan.refused)


def cancel(transaction: Transaction, job_ids: Sequence[str], *, only_waiting: bool) -> QueueChange:
    """Stop jobs that wait or run, or only those that wait; their deltas wait again, without a job."""
    asked, ids = _bounded(job_ids)
    jobs, parts = _lock_jobs(transaction, ids)
    plan = plan_cancel(asked, jobs, parts, stops_running=transaction.schema.has_leases, only_waiting=only_waiting)
    transaction.change("changes.jobs_to_stopped", ids=list(plan.jobs))
    transaction.change("changes.parts_to_not_applied", jobs=list(plan.jobs))
    transaction.change("changes.deltas_to_pending", ids=list(plan.deltas))
    return QueueChange(plan.jobs, plan.deltas, plan.refused)


def release(transaction: Transaction, held: Sequence[Held]) -> Released:
    """Release jobs of dead workers."""
    _, ids = _bounded([one.id for one in held])
    jobs, parts = _lock_jobs(transaction, ids)
    effect = [row["id"] for row in transaction.rows("changes.jobs_with_effect", ids=ids)]
    plan = plan_release(held, jobs, parts, with_effect=effect, skips_settled=transaction.schema.has_leases)
    deltas = _make_wait(transaction, plan.requeued, plan.parts)
    _put_in_order(transaction, [job.project_id for job in jobs if job.id in plan.requeued])
    transaction.change("changes.jobs_to_failed", ids=list(plan.failed))
    doubtful = transaction.rows("changes.parts_to_doubtful", jobs=list(plan.failed))
    return Released(plan.requeued, plan.failed, deltas, tuple(row["id"] for row in doubtful), plan.refused)


def reapply(transaction: Transaction, delta_ids: Sequence[str]) -> QueueChange:
    """Create new apply jobs for deltas that are not in the data, in order of their arrival."""
    asked, ids = _bounded(delta_ids)
    transaction.rows("changes.lock_projects", jobs=[], deltas=ids)
    transaction.rows("changes.lock_deltas", ids=ids)
    deltas = [rows.locked_delta(row) for row in transaction.rows("changes.deltas", ids=ids)]
    plan = plan_reapply(asked, deltas)
    jobs = tuple(_apply_job(transaction, batch) for batch in plan.batches)
    _put_in_order(transaction, [batch[0].project_id for batch in plan.batches])
    chosen = tuple(delta.delta_id for batch in plan.batches for delta in batch)
    return QueueChange(jobs, chosen, plan.refused)


def unlock(transaction: Transaction, project_ids: Sequence[str], locked_before: datetime) -> tuple[str, ...]:
    """Unlock projects that were locked before a time and have no active job."""
    if not transaction.answers("changes.unlock_projects"):
        return ()
    _, ids = _bounded(project_ids)
    found = transaction.rows("changes.unlock_projects", ids=ids, locked_before=locked_before)
    return tuple(row["id"] for row in found)


def _doubtful(transaction: Transaction, parts: Sequence[LockedDelta]) -> frozenset[str]:
    """Return the deltas that may be in the data without a record of that; a node writes both in one transaction."""
    if transaction.schema.has_leases:
        return frozenset()
    found = transaction.rows("changes.doubtful_deltas", ids=[part.delta_id for part in parts])
    return frozenset(row["id"] for row in found)


def _put_in_order(transaction: Transaction, projects: Sequence[str]) -> None:
    """Move the waiting edits of projects before their waiting packages."""
    waiting = transaction.rows("changes.lock_waiting_jobs", projects=list(projects))
    places = plan_order(rows.waiting_job(row) for row in waiting)
    transaction.change("changes.jobs_to_places", ids=list(places), places=list(places.values()))


def _lock_jobs(transaction: Transaction, ids: Sequence[str]) -> tuple[list[LockedJob], list[LockedDelta]]:
    """Lock jobs, their projects and their deltas in the same order as workers do; return them as they are then."""
    jobs = [rows.locked_job(row) for row in transaction.rows("changes.lock_jobs", ids=ids)]
    transaction.rows("changes.lock_projects", jobs=ids, deltas=[])
    transaction.rows("changes.lock_deltas_of_jobs", ids=ids)
    return jobs, [rows.locked_delta(row) for row in transaction.rows("changes.deltas_of_jobs", ids=ids)]


def _make_wait(transaction: Transaction, jobs: Sequence[str], parts: Sequence[LockedDelta]) -> tuple[str, ...]:
    """Requeue jobs and their deltas; return the ids of the deltas."""
    deltas = [part.delta_id for part in parts]
    transaction.change("changes.parts_to_pending", jobs=[part.job_id for part in parts], deltas=deltas)
    transaction.change("changes.deltas_to_pending", ids=deltas)
    transaction.change("changes.jobs_to_pending", ids=list(jobs))
    return tuple(deltas)


def _apply_job(transaction: Transaction, batch: Sequence[LockedDelta]) -> str:
    """Create one apply job for deltas of one project; return its id."""
    job_id = str(uuid4())
    deltas = [delta.delta_id for delta in batch]
    transaction.change("changes.insert_apply_job", id=job_id, project_id=batch[0].project_id)
    transaction.change("changes.insert_parts", job_id=job_id, deltas=deltas)
    transaction.change("changes.deltas_to_pending", ids=deltas)
    return job_id


def _bounded(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the given names, and those of them that are ids. Raises RefusedError for too many."""
    asked, ids = rows.usual_ids(names)
    if len(asked) > BULK_LIMIT:
        raise RefusedError(
            f"{len(asked)} rows are too many for one command; the limit is {BULK_LIMIT}.", hint="Narrow the selection."
        )
    return asked, ids

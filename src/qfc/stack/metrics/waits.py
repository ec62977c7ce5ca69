"""How long the oldest job waits, told apart by the reason."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Job, QueueSnapshot


@dataclass(frozen=True)
class OldestWaits:
    """Seconds that the oldest job has waited for each reason, 0 without one. More workers help only the first."""

    no_free_worker_s: float = 0.0
    project_busy_s: float = 0.0
    project_locked_s: float = 0.0


def oldest_waits(snapshot: QueueSnapshot) -> OldestWaits:
    """Return the oldest waits of a snapshot. A job that is to be tried again later waits for nothing."""
    busy = {job.project_id for job in snapshot.active}
    found: dict[str, float] = {}
    for job in snapshot.pending:
        reason = _reason(job, busy, snapshot)
        if reason:
            waited = (snapshot.at - job.created_at).total_seconds()
            found[reason] = round(max(found.get(reason, 0.0), waited), 3)
    return OldestWaits(**found)


def _reason(job: Job, busy: set[str], snapshot: QueueSnapshot) -> str:
    """Return the first reason that applies, in the order in which the queue's counts have them."""
    if job.project_locked_at is not None:
        return "project_locked_s"
    if job.project_id in busy:
        return "project_busy_s"
    if job.not_before is not None and job.not_before > snapshot.at:
        return ""
    return "no_free_worker_s"

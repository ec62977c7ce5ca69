"""Take jobs from workers that are dead, so that their projects go on and no field edit is lost.

The usual recipe sets such jobs to `failed`: the edits of an apply job then stay in `started` for ever. Here a job is
only touched when nobody can be at it, and its edits go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..stack import queue
from ..stack.model import Held, Job, QueueSnapshot, Refusal, Released
from ..stack.ports import Ports
from ..stack.queue import Liveness
from ..stack.queue_changes import BULK_LIMIT
from .guard import Options, guarded
from .project_name import project_id
from .queue_change import count

DAY_S = 24 * 3600.0
REASONS = {
    Liveness.ALIVE: "Its worker lives.",
    Liveness.UNKNOWN: "Nothing proves that its worker is dead: what it wrote to its log is gone.",
}


@dataclass(frozen=True)
class Cleaned:
    """What was really changed, or would be with `--dry-run`.

    `examined` jobs were held for at least `older_s`; of `kept` ones `reasons` says why. The edits in `deltas_doubtful`
    may be in the data already: they are never applied again by themselves.
    """

    dry_run: bool
    older_s: float
    examined: int
    requeued: tuple[str, ...]
    failed: tuple[str, ...]
    kept: tuple[str, ...]
    reasons: tuple[Refusal, ...]
    deltas_reset: int
    deltas_doubtful: tuple[str, ...]
    projects_unblocked: tuple[str, ...]


def jobs_cleanup(ports: Ports, options: Options, *, older_s: float = DAY_S, project: str | None = None) -> Cleaned:
    """Let jobs that were held for so long and whose workers are dead wait again; or fail them, see `Released`."""
    snapshot = ports.jobs.snapshot(limit=BULK_LIMIT)
    wanted = project_id(ports, project)
    old = [job for job in snapshot.active if _held_s(job, snapshot) >= older_s and wanted in (None, job.project_id)]
    alive = {job.id: liveness(ports, job, snapshot) for job in old}
    dead = [job for job in old if alive[job.id] is Liveness.DEAD]
    what = f"Take {count(len(dead), 'job')} from dead workers"
    question = f"{what}?" if dead else ""
    target = dead[0].id if len(dead) == 1 else count(len(dead), "job")
    released = Released()
    with guarded(ports, "jobs cleanup", target=target, options=options, question=question) as guard:
        if dead:
            released = ports.jobs.release([_as_held(job) for job in dead], dry_run=not guard.step(what))
        guard.result = f"{len(released.requeued)} wait again, {len(released.failed)} failed"
    left = [Refusal(job.id, REASONS[alive[job.id]]) for job in old if job not in dead]
    return _cleaned(old, released, (*left, *released.refused), older_s, guard.dry_run)


def liveness(ports: Ports, job: Job, snapshot: QueueSnapshot) -> Liveness:
    """Tell whether the worker of an active job lives, from everything that can be seen."""
    if snapshot.workers is not None or job.lease_expires_at is not None:
        return queue.holder(job, snapshot)
    return queue.holder_by_workers(job, ports.jobs.workers(), ports.runtime.jobs_at_work())


def _held_s(job: Job, snapshot: QueueSnapshot) -> float:
    return (snapshot.at - (job.started_at or job.updated_at or job.created_at)).total_seconds()


def _as_held(job: Job) -> Held:
    return Held(job.id, job.status, job.started_at, job.worker_id)


def _cleaned(old: Sequence[Job], released: Released, left: Sequence[Refusal], older_s: float, dry_run: bool) -> Cleaned:
    gone = {*released.requeued, *released.failed}
    freed = {job.project_id for job in old if job.id in gone}
    return Cleaned(
        dry_run=dry_run,
        older_s=older_s,
        examined=len(old),
        requeued=released.requeued,
        failed=released.failed,
        kept=tuple(refusal.id for refusal in left),
        reasons=tuple(left),
        deltas_reset=len(released.deltas),
        deltas_doubtful=released.doubtful,
        projects_unblocked=tuple(sorted(freed)),
    )

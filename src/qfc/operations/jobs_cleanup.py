"""Take jobs from workers that are dead, so that their projects go on and no field edit is lost.

The usual recipe sets such jobs to `failed`: the edits of an apply job then stay in `started` for ever. Here a job is
only touched when nobody can be at it, and its edits go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..checks.evidence import Evidence, as_held
from ..stack.model import Job, Refusal, Released
from ..stack.ports import Ports
from ..stack.queue import Liveness
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
    seen = Evidence(ports)
    wanted = project_id(ports, project)
    old = [job for job in seen.queue().active if seen.held_s(job) >= older_s and wanted in (None, job.project_id)]
    alive = {job.id: seen.liveness(job) for job in old}
    dead = [job for job in old if alive[job.id] is Liveness.DEAD]
    what = f"Take {count(len(dead), 'job')} from dead workers"
    question = f"{what}?" if dead else ""
    target = dead[0].id if len(dead) == 1 else count(len(dead), "job")
    released = Released()
    with guarded(ports, "jobs cleanup", target=target, options=options, question=question) as guard:
        if dead:
            released = ports.jobs.release([as_held(job) for job in dead], dry_run=not guard.step(what))
        guard.result = f"{len(released.requeued)} wait again, {len(released.failed)} failed"
    left = [Refusal(job.id, REASONS[alive[job.id]]) for job in old if job not in dead]
    return _cleaned(old, released, (*left, *released.refused), older_s, guard.dry_run)


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

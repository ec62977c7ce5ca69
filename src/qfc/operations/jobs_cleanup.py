"""Free stuck jobs and projects; no field edit is lost.

Jobs are taken from dead workers. The usual recipe sets such jobs to `failed`: the edits of an apply job then stay in
`started` for ever. Here a job is touched only if no worker can be running it, and its edits are requeued with it.
Waiting packages are cancelled if the same user has requested a later one; forgotten locks are reported, and removed on
request.

Jobs of a deleted project cannot be left behind: every release's tables refuse a job without its project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..checks.evidence import Evidence, as_held
from ..stack.model import Job, QueueChange, Refusal, Released
from ..stack.ports import Ports
from ..stack.queue import Liveness
from ..stack.queue_changes import BULK_LIMIT
from ..stack.queue_order import superseded
from .guard import Guard, Options, guarded
from .project_name import project_id
from .queue_change import count

DAY_S = 24 * 3600.0
#: An older lock was most likely forgotten, or left by a job that died.
LOCK = timedelta(hours=1)
FORGOTTEN = "Locked for more than an hour, and jobs are waiting. If nobody needs the lock: qfc jobs cleanup --unlock"
REASONS = {
    Liveness.ALIVE: "Its worker is alive.",
    Liveness.UNKNOWN: "Its worker cannot be proven dead: its log is gone.",
}


@dataclass(frozen=True)
class Cleaned:
    """What was really changed, or would be with `--dry-run`.

    `examined` jobs were held for at least `older_s` seconds; `reasons` says why the `kept` ones were. The edits in
    `deltas_doubtful` may already be in the data: they are never reapplied automatically. `superseded` are packages
    that were cancelled because a later one is waiting. `unlocked` are projects; `locked` are those that still are,
    with the reason.
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
    superseded: tuple[str, ...]
    unlocked: tuple[str, ...]
    locked: tuple[Refusal, ...]


@dataclass(frozen=True)
class _Stuck:
    """What was found. `held` are all jobs held too long, `dead` those of them with a dead worker.

    `locked` are locked projects with waiting jobs, and the reason not to unlock them; `forgotten` may be unlocked.
    """

    held: tuple[Job, ...]
    dead: tuple[Job, ...]
    left: tuple[Refusal, ...]
    superseded: tuple[Job, ...]
    locked: tuple[Refusal, ...]
    forgotten: tuple[str, ...]
    locked_before: datetime


@dataclass
class _Done:
    """What was changed."""

    released: Released
    cancelled: QueueChange
    unlocked: tuple[str, ...] = ()


def jobs_cleanup(
    ports: Ports, options: Options, *, older_s: float = DAY_S, project: str | None = None, unlock: bool = False
) -> Cleaned:
    """Requeue jobs that a dead worker has held for `older_s` seconds, or set them to failed, see `Released`.

    Packages that have waited that long are cancelled if the same user has requested a later one. `unlock`: unlock
    projects that have waiting jobs and no running one, and have been locked for more than an hour.
    """
    stuck = _look(Evidence(ports), older_s, project_id(ports, project))
    steps = _steps(stuck, unlock)
    what = "; ".join(steps) or "Requeue 0 jobs of dead workers"
    names = [job.id for job in (*stuck.dead, *stuck.superseded)]
    target = names[0] if len(names) == 1 else count(len(names), "job")
    question = f"{what}?" if steps else ""
    with guarded(ports, "jobs cleanup", target=target, options=options, question=question) as guard:
        done = _free(ports, stuck, guard, unlock)
        guard.result = _summary(done)
    return _cleaned(stuck, done, older_s, guard.dry_run)


def _look(seen: Evidence, older_s: float, wanted: str | None) -> _Stuck:
    """Find what is stuck, in one project or in all."""
    now = seen.queue().at
    held = tuple(job for job in seen.queue().active if seen.held_s(job) >= older_s and wanted in (None, job.project_id))
    alive = {job.id: seen.liveness(job) for job in held}
    dead = tuple(job for job in held if alive[job.id] is Liveness.DEAD)
    pending = [job for job in seen.queue().pending if wanted in (None, job.project_id)]
    later = [job for job in superseded(pending) if (now - job.created_at).total_seconds() >= older_s]
    busy = {job.project_id for job in seen.queue().active}
    locked = {job.project_id: _lock(job, now, busy) for job in pending if job.project_locked_at is not None}
    return _Stuck(
        held=held,
        dead=dead,
        left=tuple(Refusal(job.id, REASONS[alive[job.id]]) for job in held if job not in dead),
        superseded=tuple(later[:BULK_LIMIT]),
        locked=tuple(Refusal(name, reason) for name, reason in locked.items()),
        forgotten=tuple(name for name, reason in locked.items() if reason == FORGOTTEN),
        locked_before=now - LOCK,
    )


def _lock(job: Job, now: datetime, busy: set[str]) -> str:
    """Return what is known about the lock of a project."""
    if job.project_id in busy:
        return "Locked, and a job is running on it."
    return FORGOTTEN if now - (job.project_locked_at or now) > LOCK else "Locked for less than an hour."


def _steps(stuck: _Stuck, unlock: bool) -> list[str]:
    """Return the sentences of the steps that have something to do."""
    free = stuck.forgotten if unlock else ()
    sentences = {
        f"Requeue {count(len(stuck.dead), 'job')} of dead workers": stuck.dead,
        f"Cancel {count(len(stuck.superseded), 'package')} that a later one replaces": stuck.superseded,
        f"Unlock {count(len(free), 'project')}": free,
    }
    return [sentence for sentence, found in sentences.items() if found]


def _free(ports: Ports, stuck: _Stuck, guard: Guard, unlock: bool) -> _Done:
    """Make the changes; with `--dry-run` roll each of them back."""
    done = _Done(Released(), QueueChange())
    takes = not guard.dry_run
    for sentence in _steps(stuck, unlock):
        guard.step(sentence)
    if stuck.dead:
        done.released = ports.jobs.release([as_held(job) for job in stuck.dead], dry_run=not takes)
    if stuck.superseded:
        names = [job.id for job in stuck.superseded]
        done.cancelled = ports.jobs.cancel(names, only_waiting=True, dry_run=not takes)
    if unlock and stuck.forgotten:
        done.unlocked = ports.jobs.unlock(stuck.forgotten, locked_before=stuck.locked_before, dry_run=not takes)
    return done


def _summary(done: _Done) -> str:
    """Return what the audit log records."""
    parts = [f"{len(done.released.requeued)} requeued, {len(done.released.failed)} failed"]
    if done.cancelled.jobs:
        parts.append(f"{count(len(done.cancelled.jobs), 'package')} cancelled")
    if done.unlocked:
        parts.append(f"{count(len(done.unlocked), 'project')} unlocked")
    return ", ".join(parts)


def _cleaned(stuck: _Stuck, done: _Done, older_s: float, dry_run: bool) -> Cleaned:
    released = done.released
    left = (*stuck.left, *released.refused, *done.cancelled.refused)
    gone = {*released.requeued, *released.failed}
    freed = {job.project_id for job in stuck.held if job.id in gone} | {*done.unlocked}
    return Cleaned(
        dry_run=dry_run,
        older_s=older_s,
        examined=len(stuck.held),
        requeued=released.requeued,
        failed=released.failed,
        kept=tuple(refusal.id for refusal in left),
        reasons=left,
        deltas_reset=len(released.deltas),
        deltas_doubtful=released.doubtful,
        projects_unblocked=tuple(sorted(freed)),
        superseded=done.cancelled.jobs,
        unlocked=done.unlocked,
        locked=tuple(refusal for refusal in stuck.locked if refusal.id not in done.unlocked),
    )

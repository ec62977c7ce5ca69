"""Free what is stuck in the queue, so that its projects go on and no field edit is lost.

Jobs are taken from workers that are dead. The usual recipe sets such jobs to `failed`: the edits of an apply job then
stay in `started` for ever. Here a job is only touched when nobody can be at it, and its edits go with it. Packages that
wait though the same person asked for a later one are cancelled; forgotten locks are told, and taken away on request.

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
#: A lock that is older was most likely forgotten, or left by a job that died.
LOCK = timedelta(hours=1)
FORGOTTEN = "Locked for more than an hour, and jobs wait. When nobody means it: qfc jobs cleanup --unlock"
REASONS = {
    Liveness.ALIVE: "Its worker lives.",
    Liveness.UNKNOWN: "Nothing proves that its worker is dead: what it wrote to its log is gone.",
}


@dataclass(frozen=True)
class Cleaned:
    """What was really changed, or would be with `--dry-run`.

    `examined` jobs were held for at least `older_s`; of `kept` ones `reasons` says why. The edits in `deltas_doubtful`
    may be in the data already: they are never applied again by themselves. `superseded` are packages that were
    cancelled because a later one waits; `unlocked` are projects, and `locked` those that still are, with the reason.
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
    """What was found. `held` are all jobs held for long, `dead` those of them whose workers are.

    `locked` are projects that jobs wait for, with what speaks against unlocking them; `forgotten` may be unlocked.
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
    """What became of it."""

    released: Released
    cancelled: QueueChange
    unlocked: tuple[str, ...] = ()


def jobs_cleanup(
    ports: Ports, options: Options, *, older_s: float = DAY_S, project: str | None = None, unlock: bool = False
) -> Cleaned:
    """Let jobs that were held for so long and whose workers are dead wait again; or fail them, see `Released`.

    Packages that waited for so long behind a later one of the same person are cancelled. `unlock`: projects in front of
    which jobs wait, that were locked for more than an hour and that no job works at, are unlocked.
    """
    stuck = _look(Evidence(ports), older_s, project_id(ports, project))
    steps = _steps(stuck, unlock)
    what = "; ".join(steps) or "Take 0 jobs from dead workers"
    names = [job.id for job in (*stuck.dead, *stuck.superseded)]
    target = names[0] if len(names) == 1 else count(len(names), "job")
    question = f"{what}?" if steps else ""
    with guarded(ports, "jobs cleanup", target=target, options=options, question=question) as guard:
        done = _free(ports, stuck, guard, unlock)
        guard.result = _told(done)
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
    """Say what is known of the lock of a project."""
    if job.project_id in busy:
        return "Locked, and a job works at it."
    return FORGOTTEN if now - (job.project_locked_at or now) > LOCK else "Locked for less than an hour."


def _steps(stuck: _Stuck, unlock: bool) -> list[str]:
    """Say what will be done; nothing for what is not there."""
    free = stuck.forgotten if unlock else ()
    sentences = {
        f"Take {count(len(stuck.dead), 'job')} from dead workers": stuck.dead,
        f"Cancel {count(len(stuck.superseded), 'package')} for which a later one waits": stuck.superseded,
        f"Unlock {count(len(free), 'project')}": free,
    }
    return [sentence for sentence, found in sentences.items() if found]


def _free(ports: Ports, stuck: _Stuck, guard: Guard, unlock: bool) -> _Done:
    """Do it, or with `--dry-run` do it and take it back."""
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


def _told(done: _Done) -> str:
    """Return what the audit log says."""
    told = [f"{len(done.released.requeued)} wait again, {len(done.released.failed)} failed"]
    if done.cancelled.jobs:
        told.append(f"{count(len(done.cancelled.jobs), 'package')} cancelled")
    if done.unlocked:
        told.append(f"{count(len(done.unlocked), 'project')} unlocked")
    return ", ".join(told)


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

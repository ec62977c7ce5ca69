"""Why a job waits, in one sentence each; which worker holds a job, and whether that worker is alive.

A worker picks up the oldest pending job whose project is neither locked nor busy, and that is not postponed. The first
of these conditions that fails is the reason why a job waits; if none fails, the job waits for a worker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .model import Job, JobStatus, QueueSnapshot, Worker
from .transitions import earliest, seen_since

#: A job that was picked up but has not started after this long, in seconds, has lost its worker. A start takes
#: milliseconds on the node; on an official server it takes as long as the download of an image.
BEGIN_S = 300


#: Seconds after which a job that still waits is not simply about to be picked up by a free worker.
PATIENCE_S = 60


class Liveness(StrEnum):
    """Whether the worker of a job is alive. `UNKNOWN` is never treated as `DEAD`."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Waiting:
    """Counts of all pending jobs by the reason why they wait. A `ready` job has a free worker and is about to start."""

    no_free_worker: int
    project_busy: int
    project_locked: int
    postponed: int
    ready: int


def idle_workers(snapshot: QueueSnapshot) -> int:
    """Return the number of free workers; 0 when the database keeps no list of workers."""
    return sum(worker.state == "idle" for worker in snapshot.workers or ())


def living_workers(snapshot: QueueSnapshot) -> tuple[Worker, ...]:
    """Return the workers that are not dead."""
    return tuple(worker for worker in snapshot.workers or () if worker.state != "dead")


def waiting(snapshot: QueueSnapshot) -> Waiting:
    """Count the waiting jobs by reason."""
    counts = snapshot.counts
    ready = min(counts.claimable, idle_workers(snapshot))
    return Waiting(counts.claimable - ready, counts.project_busy, counts.project_locked, counts.postponed, ready)


def holder(job: Job, snapshot: QueueSnapshot) -> Liveness:
    """Return whether the worker of an active job is alive.

    A database without a list of workers does not record either when a job was picked up: a job that waited for hours
    may have been picked up just now. Only earlier snapshots can prove that it never started.
    """
    if job.lease_expires_at is not None and job.lease_expires_at < snapshot.at:
        return Liveness.DEAD
    if snapshot.workers is not None:
        return Liveness.ALIVE if _worker_of(job, snapshot) in living_workers(snapshot) else Liveness.DEAD
    return Liveness.DEAD if _never_started(job, snapshot) else Liveness.UNKNOWN


def _never_started(job: Job, snapshot: QueueSnapshot) -> bool:
    """Return whether a job was seen queued for longer than BEGIN_S without a trace of a worker."""
    if job.status is not JobStatus.QUEUED or job.started_at is not None or job.worker_id is not None:
        return False
    since = seen_since(job, snapshot)
    return since is not None and (snapshot.at - since).total_seconds() > BEGIN_S


def holder_by_workers(job: Job, workers: Sequence[Worker], at_work: Collection[str]) -> Liveness:
    """Return whether the worker of an active job is alive, where only the workers themselves show what they do.

    `at_work` are the jobs for which a container runs, whoever started it. A worker does one job at a time: a job that
    is not the latest job of any running worker, and has no running container, has lost its worker.
    """
    running = [worker for worker in workers if worker.state in ("busy", "idle", "unknown")]
    if job.id in at_work or any(worker.job_id == job.id for worker in running):
        return Liveness.ALIVE
    return Liveness.UNKNOWN if any(worker.state == "unknown" for worker in running) else Liveness.DEAD


def explain(snapshot: QueueSnapshot, skew: str | None = None, *, running: int | None = None) -> Mapping[str, str]:
    """Return one sentence for each active and each waiting job of a snapshot, by the job's id.

    `skew` is a sentence about the releases of application and workers where these differ: such workers may never pick
    up a job. `running` is the number of running workers where the database keeps no list of them; None if unknown.
    """
    sentences = {job.id: _why_active(job, snapshot) for job in snapshot.active}
    blockers = {job.project_id: job for job in reversed(snapshot.active)}
    older = 0
    for job in snapshot.pending:
        held = _held_back(job, blockers.get(job.project_id), snapshot)
        sentences[job.id] = held or " ".join(filter(None, (_for_a_worker(older, snapshot, running), skew)))
        older += not held
    return sentences


def waits_for_long(snapshot: QueueSnapshot) -> bool:
    """Return whether a job has waited longer than a free worker would let it."""
    return any((snapshot.at - job.created_at).total_seconds() > PATIENCE_S for job in snapshot.pending)


def releases_of_workers(snapshot: QueueSnapshot) -> str | None:
    """Return a sentence about different releases of living workers: some were not restarted after an upgrade."""
    found = sorted({worker.release for worker in living_workers(snapshot) if worker.release})
    listed = " and ".join((", ".join(found[:-1]), found[-1])) if len(found) > 1 else ""
    return f"The workers run different releases ({listed})." if listed else None


def why(job: Job, snapshot: QueueSnapshot, reasons: Mapping[str, str]) -> str | None:
    """Return the sentence for any job, given those of the snapshot; None for a job that neither waits nor runs."""
    if job.status.is_final:
        return None
    if job.id in reasons or job.status is not JobStatus.PENDING:
        return reasons.get(job.id)
    return f"More than {len(snapshot.pending)} older jobs are ahead of it."


def _why_active(job: Job, snapshot: QueueSnapshot) -> str:
    name = f"worker {short(job.worker_id)}" if job.worker_id else "a worker"
    match holder(job, snapshot):
        case Liveness.DEAD:
            return f"Its {name.removeprefix('a ')} is dead; {_rescue(job, snapshot)}."
        case _ if job.started_at is None:
            return f"Picked up by {name}; {_starting(job, snapshot)}."
        case _:
            return f"Has been running on {name} since {moment(job.started_at, snapshot.at)}."


def _starting(job: Job, snapshot: QueueSnapshot) -> str:
    """Describe how long a job has been about to start, as far as earlier snapshots show."""
    since = seen_since(job, snapshot)
    if since is None or since >= snapshot.at:
        return "about to start"
    return f"waiting to start since {moment(since, snapshot.at)} or earlier"


def _rescue(job: Job, snapshot: QueueSnapshot) -> str:
    """Describe what happens to a job whose worker died."""
    if job.lease_expires_at is None:
        return "nothing requeues the job automatically"
    if job.lease_expires_at < snapshot.at:
        return "its lease has ended, and the next free worker picks the job up"
    return f"another worker picks the job up when its lease ends at {moment(job.lease_expires_at, snapshot.at)}"


def _held_back(job: Job, blocker: Job | None, snapshot: QueueSnapshot) -> str | None:
    """Return why a job waits, other than for lack of workers; None without such a reason."""
    if job.project_locked_at is not None:
        return f"Its project has been locked since {moment(job.project_locked_at, snapshot.at)}."
    if blocker is not None:
        return _behind(blocker, snapshot)
    if job.not_before is not None and job.not_before > snapshot.at:
        return f"Its next attempt after a fault is due at {moment(job.not_before, snapshot.at)}."
    return None


def _behind(blocker: Job, snapshot: QueueSnapshot) -> str:
    since = moment(earliest(blocker, snapshot), snapshot.at)
    busy = f"Its project has been busy since {since} with {blocker.type} job {short(blocker.id)}"
    if holder(blocker, snapshot) is Liveness.DEAD:
        return f"{busy}, whose worker is dead; {_rescue(blocker, snapshot)}."
    return f"{busy}."


def _for_a_worker(older: int, snapshot: QueueSnapshot, running: int | None) -> str:
    ahead = {0: "", 1: "; one older job is ahead of it"}.get(older, f"; {older} older jobs are ahead of it")
    if snapshot.workers is None and running != 0:
        return f"No worker has picked it up yet{ahead}."
    if not living_workers(snapshot):
        return f"No worker is running{ahead}."
    if older < idle_workers(snapshot):
        return "A free worker picks it up in a moment."
    return f"No worker is free{ahead}."


def _worker_of(job: Job, snapshot: QueueSnapshot) -> Worker | None:
    return next((worker for worker in snapshot.workers or () if worker.id == job.worker_id), None)


def short(identifier: str | None) -> str:
    """Return the first characters of an id, as tables and sentences show it."""
    return (identifier or "")[:8]


def moment(time: datetime, now: datetime) -> str:
    """Return a time in UTC, with the date unless it is today."""
    return time.strftime("%H:%M:%S UTC" if time.date() == now.date() else "%Y-%m-%d %H:%M UTC")

"""Why a job waits, in one sentence each; who holds a job, and whether the holder lives.

A worker takes up the oldest pending job whose project is neither locked nor busy and whose time has come. What keeps a
job waiting is the first of those that does not hold; when all hold, it waits for a worker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .model import Job, JobStatus, QueueSnapshot, Worker
from .transitions import earliest, seen_since

#: A job that was taken up and not begun for that long has lost its worker, in seconds. Beginning takes milliseconds on
#: the node, and as long as an image is fetched on an official server.
BEGIN_S = 300


#: A free worker takes a job up within seconds.
PATIENCE_S = 60


class Liveness(StrEnum):
    """What is known of the worker of a job. `UNKNOWN` is never taken for `DEAD`."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Waiting:
    """All pending jobs by what they wait for. `ready` ones have a free worker and start within a moment."""

    no_free_worker: int
    project_busy: int
    project_locked: int
    postponed: int
    ready: int


def idle_workers(snapshot: QueueSnapshot) -> int:
    """Return how many workers are free; 0 when the database keeps no list of them."""
    return sum(worker.state == "idle" for worker in snapshot.workers or ())


def living_workers(snapshot: QueueSnapshot) -> tuple[Worker, ...]:
    """Return the workers that are not dead."""
    return tuple(worker for worker in snapshot.workers or () if worker.state != "dead")


def waiting(snapshot: QueueSnapshot) -> Waiting:
    """Return how many jobs wait for what."""
    counts = snapshot.counts
    ready = min(counts.claimable, idle_workers(snapshot))
    return Waiting(counts.claimable - ready, counts.project_busy, counts.project_locked, counts.postponed, ready)


def holder(job: Job, snapshot: QueueSnapshot) -> Liveness:
    """Tell whether the worker of an active job lives.

    Where the database keeps no list of workers, it does not say either when a job was taken up: one that waited for
    hours may have been taken up just now. Only what earlier looks have seen proves that it was never begun.
    """
    if job.lease_expires_at is not None and job.lease_expires_at < snapshot.at:
        return Liveness.DEAD
    if snapshot.workers is not None:
        return Liveness.ALIVE if _worker_of(job, snapshot) in living_workers(snapshot) else Liveness.DEAD
    return Liveness.DEAD if _was_never_begun(job, snapshot) else Liveness.UNKNOWN


def _was_never_begun(job: Job, snapshot: QueueSnapshot) -> bool:
    """Tell whether a job has been seen taken up for so long, without a trace of anybody at it, that nobody is."""
    if job.status is not JobStatus.QUEUED or job.started_at is not None or job.worker_id is not None:
        return False
    since = seen_since(job, snapshot)
    return since is not None and (snapshot.at - since).total_seconds() > BEGIN_S


def holder_by_workers(job: Job, workers: Sequence[Worker], at_work: Collection[str]) -> Liveness:
    """Tell whether somebody works at an active job, where only the workers themselves tell what they do.

    `at_work` are jobs for which a container runs, whoever started it. A worker does one job at a time: a job that no
    running worker took last, and that no container runs for, has lost its worker.
    """
    running = [worker for worker in workers if worker.state in ("busy", "idle", "unknown")]
    if job.id in at_work or any(worker.job_id == job.id for worker in running):
        return Liveness.ALIVE
    return Liveness.UNKNOWN if any(worker.state == "unknown" for worker in running) else Liveness.DEAD


def explain(snapshot: QueueSnapshot, skew: str | None = None) -> Mapping[str, str]:
    """Return one sentence for each active and each waiting job of a snapshot, by the job's id.

    `skew` says of which releases application and workers are, where these differ: such workers may never take a job.
    """
    sentences = {job.id: _why_active(job, snapshot) for job in snapshot.active}
    blockers = {job.project_id: job for job in reversed(snapshot.active)}
    older = 0
    for job in snapshot.pending:
        held = _held_back(job, blockers.get(job.project_id), snapshot)
        sentences[job.id] = held or " ".join(filter(None, (_for_a_worker(older, snapshot), skew)))
        older += not held
    return sentences


def waits_for_long(snapshot: QueueSnapshot) -> bool:
    """Tell whether a job waits longer than a worker that is free would let it."""
    return any((snapshot.at - job.created_at).total_seconds() > PATIENCE_S for job in snapshot.pending)


def releases_of_workers(snapshot: QueueSnapshot) -> str | None:
    """Say of which releases the living workers are, where they differ: somebody has upgraded and not restarted all."""
    found = sorted({worker.release for worker in living_workers(snapshot) if worker.release})
    told = " and ".join((", ".join(found[:-1]), found[-1])) if len(found) > 1 else ""
    return f"The workers are of different releases ({told})." if told else None


def why(job: Job, snapshot: QueueSnapshot, reasons: Mapping[str, str]) -> str | None:
    """Return the sentence for any job, given those of the snapshot; None when it neither waits nor runs."""
    if job.status.is_final:
        return None
    if job.id in reasons or job.status is not JobStatus.PENDING:
        return reasons.get(job.id)
    return f"More than {len(snapshot.pending)} older jobs wait before it."


def _why_active(job: Job, snapshot: QueueSnapshot) -> str:
    name = f"worker {short(job.worker_id)}" if job.worker_id else "a worker"
    match holder(job, snapshot):
        case Liveness.DEAD:
            return f"Its {name.removeprefix('a ')} is dead; {_rescue(job, snapshot)}."
        case _ if job.started_at is None:
            return f"Taken up by {name}; about to start{_seen_so(job, snapshot)}."
        case _:
            return f"Runs on {name} since {moment(job.started_at, snapshot.at)}."


def _seen_so(job: Job, snapshot: QueueSnapshot) -> str:
    """Say since when a job has been seen like that, unless this is the first look."""
    since = seen_since(job, snapshot)
    return "" if since is None or since >= snapshot.at else f", seen so since {moment(since, snapshot.at)}"


def _rescue(job: Job, snapshot: QueueSnapshot) -> str:
    """Say what becomes of a job whose worker died."""
    if job.lease_expires_at is None:
        return "nothing takes the job up again by itself"
    if job.lease_expires_at < snapshot.at:
        return "its lease has ended and the next free worker takes the job up"
    return f"another one takes the job up when its lease ends, {moment(job.lease_expires_at, snapshot.at)}"


def _held_back(job: Job, blocker: Job | None, snapshot: QueueSnapshot) -> str | None:
    """Return what holds a job back besides the lack of workers."""
    if job.project_locked_at is not None:
        return f"Its project is locked since {moment(job.project_locked_at, snapshot.at)}."
    if blocker is not None:
        return _behind(blocker, snapshot)
    if job.not_before is not None and job.not_before > snapshot.at:
        return f"Waits until {moment(job.not_before, snapshot.at)} after a fault."
    return None


def _behind(blocker: Job, snapshot: QueueSnapshot) -> str:
    since = moment(earliest(blocker, snapshot), snapshot.at)
    busy = f"Its project is busy with {blocker.type} job {short(blocker.id)} since {since}"
    if holder(blocker, snapshot) is Liveness.DEAD:
        return f"{busy}, whose worker is dead; {_rescue(blocker, snapshot)}."
    return f"{busy}."


def _for_a_worker(older: int, snapshot: QueueSnapshot) -> str:
    before = {0: "", 1: "; one older job waits before it"}.get(older, f"; {older} older jobs wait before it")
    if snapshot.workers is None:
        return f"No worker has taken it up yet{before}."
    if not living_workers(snapshot):
        return f"No worker runs{before}."
    if older < idle_workers(snapshot):
        return "A free worker takes it up in a moment."
    return f"No worker is free{before}."


def _worker_of(job: Job, snapshot: QueueSnapshot) -> Worker | None:
    return next((worker for worker in snapshot.workers or () if worker.id == job.worker_id), None)


def short(identifier: str | None) -> str:
    """Return the beginning of an id, as tables and sentences show it."""
    return (identifier or "")[:8]


def moment(time: datetime, now: datetime) -> str:
    """Return a moment in UTC, with the date unless it is today's."""
    return time.strftime("%H:%M:%S UTC" if time.date() == now.date() else "%Y-%m-%d %H:%M UTC")

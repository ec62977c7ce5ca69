"""When jobs reached their present status, as far as snapshots of the queue show.

The database of an official server records when a job was created, started and ended, but not when a worker picked it
up, and `updated_at` never changes. So every snapshot is compared with the earlier ones: a job reached its status after
the last snapshot that shows it in another one, and no later than the first that shows it in this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from .model import Job, JobStatus, QueueSnapshot, Transition

#: Snapshots less than this apart count as one, so a view that refreshes constantly is not recorded each time.
APART = timedelta(seconds=10)
#: How many transitions are kept, per job and in total; the oldest are dropped.
MOST_OF_ONE, MOST = 20, 10_000


def compared(known: Iterable[Transition], snapshot: QueueSnapshot) -> tuple[Transition, ...]:
    """Return the known transitions after another snapshot; the last one of a job gives its present status.

    Jobs that have ended are dropped. So are transitions in the future: the clock or the database was set back.
    """
    listed = {job.id: job for job in (*snapshot.active, *snapshot.pending)}
    past = _by_job(one for one in known if one.last_at < snapshot.at + APART)
    followed = [_followed(own, listed.get(name), snapshot) for name, own in past.items()]
    new = [(_arrived(job, snapshot.at),) for name, job in listed.items() if name not in past]
    in_order = sorted(filter(None, (*followed, *new)), key=lambda own: own[-1].last_at)
    return tuple(chain.from_iterable(in_order))[-MOST:]


def joined(snapshot: QueueSnapshot, known: Iterable[Transition]) -> QueueSnapshot:
    """Return a snapshot with the known transitions of its jobs."""
    return replace(snapshot, seen={one.job_id: one for one in known})


def seen_since(job: Job, snapshot: QueueSnapshot) -> datetime | None:
    """Return when a job was first seen in its status, which it reached no later; None when it never was."""
    transition = _present(job, snapshot)
    return transition and transition.seen_at


def earliest(job: Job, snapshot: QueueSnapshot) -> datetime:
    """Return the earliest time at which a job can have reached its status."""
    transition = _present(job, snapshot)
    bounds = (job.created_at, job.updated_at, transition and transition.after)
    return job.started_at or max(bound for bound in bounds if bound is not None)


def _present(job: Job, snapshot: QueueSnapshot) -> Transition | None:
    """Return the transition of a job to its present status; None when it was never seen in it."""
    transition = snapshot.seen.get(job.id)
    return transition if transition is not None and transition.status is job.status else None


def _by_job(known: Iterable[Transition]) -> Mapping[str, Sequence[Transition]]:
    by_job: dict[str, list[Transition]] = {}
    for one in known:
        by_job.setdefault(one.job_id, []).append(one)
    return by_job


def _followed(own: Sequence[Transition], job: Job | None, snapshot: QueueSnapshot) -> Sequence[Transition]:
    """Return the known transitions of one job after another snapshot."""
    last = own[-1]
    if job is None:
        return own if _is_beyond(last, snapshot) else ()
    if snapshot.at <= last.last_at:
        return own  # a command that ran at the same time has recorded a later snapshot
    reset = _reset_at(job, last, snapshot)
    if job.status is last.status and reset is None:
        return own if snapshot.at - last.last_at < APART else (*own[:-1], replace(last, last_at=snapshot.at))
    return (*own[1 - MOST_OF_ONE :], _arrived(job, snapshot.at, max(last.last_at, reset or last.last_at)))


def _arrived(job: Job, at: datetime, after: datetime | None = None) -> Transition:
    return Transition(job.id, job.project_id, job.status, seen_at=at, last_at=at, after=after)


def _reset_at(job: Job, last: Transition, snapshot: QueueSnapshot) -> datetime | None:
    """Return when a job was reset after it was seen in its status: it may have reached the same status again.

    Where the server itself never changes `updated_at`, the admin or one of our commands did.
    """
    changed = snapshot.workers is None and job.updated_at is not None and job.updated_at > last.seen_at
    return job.updated_at if changed else None


def _is_beyond(last: Transition, snapshot: QueueSnapshot) -> bool:
    """Return whether a job that is not listed may still be open: the list of its status was incomplete."""
    depth = snapshot.depth
    if last.status is JobStatus.PENDING:
        return len(snapshot.pending) < depth.pending
    return len(snapshot.active) < depth.queued + depth.started

"""When jobs came to their status, as far as looks at the queue tell.

The database of an official server records when a job was made, started and ended, but not when a worker took it up, and
`updated_at` stays as it was made. So every look is compared with the looks before it: a job came to its status after
the last look that found it in another one, and at the latest with the first that found it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from .model import Job, JobStatus, QueueSnapshot, Transition

#: Looks that are less apart count as one: a view that is renewed all the time is not written down each time.
APART = timedelta(seconds=10)
#: So many transitions are kept, of one job and of all; older ones go.
MOST_OF_ONE, MOST = 20, 10_000


def compared(known: Iterable[Transition], snapshot: QueueSnapshot) -> tuple[Transition, ...]:
    """Return what is known after another look: the last transition of a job tells how it is now.

    Jobs that have ended are forgotten; so is what was seen in the future: the clock was set back, or the database.
    """
    listed = {job.id: job for job in (*snapshot.active, *snapshot.pending)}
    past = _by_job(one for one in known if one.last_at < snapshot.at + APART)
    followed = [_followed(own, listed.get(name), snapshot) for name, own in past.items()]
    new = [(_arrived(job, snapshot.at),) for name, job in listed.items() if name not in past]
    in_order = sorted(filter(None, (*followed, *new)), key=lambda own: own[-1].last_at)
    return tuple(chain.from_iterable(in_order))[-MOST:]


def joined(snapshot: QueueSnapshot, known: Iterable[Transition]) -> QueueSnapshot:
    """Return a snapshot with what is known of its jobs."""
    return replace(snapshot, seen={one.job_id: one for one in known})


def seen_since(job: Job, snapshot: QueueSnapshot) -> datetime | None:
    """Return since when a job has been seen in its status: it came to it no later. None when it never was."""
    transition = _present(job, snapshot)
    return transition and transition.seen_at


def earliest(job: Job, snapshot: QueueSnapshot) -> datetime:
    """Return the moment before which a job has not come to its status."""
    transition = _present(job, snapshot)
    bounds = (job.created_at, job.updated_at, transition and transition.after)
    return job.started_at or max(bound for bound in bounds if bound is not None)


def _present(job: Job, snapshot: QueueSnapshot) -> Transition | None:
    """Return how a job came to its status; None when it was never seen in it."""
    transition = snapshot.seen.get(job.id)
    return transition if transition is not None and transition.status is job.status else None


def _by_job(known: Iterable[Transition]) -> Mapping[str, Sequence[Transition]]:
    by_job: dict[str, list[Transition]] = {}
    for one in known:
        by_job.setdefault(one.job_id, []).append(one)
    return by_job


def _followed(own: Sequence[Transition], job: Job | None, snapshot: QueueSnapshot) -> Sequence[Transition]:
    """Return what is known of one job after another look."""
    last = own[-1]
    if job is None:
        return own if _is_beyond(last, snapshot) else ()
    if snapshot.at <= last.last_at:
        return own  # another command that ran at the same time looked later
    reset = _reset_at(job, last, snapshot)
    if job.status is last.status and reset is None:
        return own if snapshot.at - last.last_at < APART else (*own[:-1], replace(last, last_at=snapshot.at))
    return (*own[1 - MOST_OF_ONE :], _arrived(job, snapshot.at, max(last.last_at, reset or last.last_at)))


def _arrived(job: Job, at: datetime, after: datetime | None = None) -> Transition:
    return Transition(job.id, job.project_id, job.status, seen_at=at, last_at=at, after=after)


def _reset_at(job: Job, last: Transition, snapshot: QueueSnapshot) -> datetime | None:
    """Return when somebody sent a job back after it was seen to come to its status: it may have come there anew.

    Where the server itself never moves `updated_at`, the admin or one of our commands did.
    """
    changed = snapshot.workers is None and job.updated_at is not None and job.updated_at > last.seen_at
    return job.updated_at if changed else None


def _is_beyond(last: Transition, snapshot: QueueSnapshot) -> bool:
    """Tell whether a job that is not listed may be open all the same: not all jobs of its status were listed."""
    depth = snapshot.depth
    if last.status is JobStatus.PENDING:
        return len(snapshot.pending) < depth.pending
    return len(snapshot.active) < depth.queued + depth.started

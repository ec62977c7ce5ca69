"""The waiting and running jobs, and why they are in that state."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack import queue
from ..stack.ports import Ports
from ..stack.transitions import seen_since
from .jobs_view import JobLine, explained, job_line, running_workers


@dataclass(frozen=True)
class Depth:
    """The number of jobs in each state before the end."""

    pending: int
    queued: int
    started: int


@dataclass(frozen=True)
class SyncQueue:
    """The queue at one moment. `jobs` are the running, then the oldest waiting ones; `workers` is None when unknown."""

    depth: Depth
    oldest_pending_s: float
    waiting: queue.Waiting
    workers: int | None
    jobs: tuple[JobLine, ...]


def sync_queue(ports: Ports, *, limit: int = 50) -> SyncQueue:
    """Read the queue and explain each job."""
    snapshot = ports.transitions.noted(ports.jobs.snapshot(limit=limit))
    reasons = explained(ports, snapshot)
    listed = [*snapshot.active, *snapshot.pending][:limit]
    depth = snapshot.depth
    return SyncQueue(
        depth=Depth(depth.pending, depth.queued, depth.started),
        oldest_pending_s=round(depth.oldest_pending_s, 3),
        waiting=queue.waiting(snapshot),
        workers=running_workers(ports, snapshot),
        jobs=tuple(job_line(job, snapshot.at, reasons.get(job.id), seen_since(job, snapshot)) for job in listed),
    )

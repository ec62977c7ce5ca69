"""Kills a worker while it applies deltas, and watches the stack recover."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .results import Kill, Operator, RunningWorker, ScenarioError
from .session import PATIENCE_S, Device, wait_until

#: Seconds between two checks of the workers.
GLANCE_S = 0.01
#: Seconds before the worker is killed: it should be in the middle of its work.
GRACE_S = 0.08
TRIES = 6


@dataclass(frozen=True)
class _Shot:
    """A signal that was sent."""

    worker: RunningWorker
    job_id: str
    at: float


def kill_while_applying(session: Device, project_id: str, operator: Operator, push: Callable[[int], None]) -> Kill:
    """Push edits (`push(number of the attempt)`), kill the worker that applies them, wait until the job has finished.

    A kill after the end of the job does not count: more edits are pushed for another attempt. Raises ScenarioError when
    all attempts fail.
    """
    for misses in range(TRIES):
        over = {job.id for job in session.jobs(project_id)}
        with ThreadPoolExecutor(1) as thread:
            pushing = thread.submit(push, misses)
            shot = _shoot(session, project_id, operator, over, pushing)
            pushing.result()
        if shot is not None:
            return _watch(session, operator, shot, misses)
    raise ScenarioError(f"every job finished before its worker could be killed, {TRIES} times: push larger deltafiles")


def _shoot(session: Device, project_id: str, operator: Operator, over: set[str], pushing: Future[None]) -> _Shot | None:
    """Kill the worker that holds a new job of the project; return None if the job ended before the signal."""
    seen = _aim(session, project_id, operator, over, pushing)
    if seen is None or seen.job_id is None:
        return None
    time.sleep(GRACE_S)
    operator.kill_worker(seen.pid)
    at = time.monotonic()
    return _Shot(seen, seen.job_id, at) if session.job(seen.job_id).is_open else None


def _aim(
    session: Device, project_id: str, operator: Operator, over: set[str], pushing: Future[None]
) -> RunningWorker | None:
    """Return the first worker seen with a new job; None if all edits were applied before any was seen."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for _ in range(30):
            busy = [worker for worker in operator.workers() if worker.job_id and worker.job_id not in over]
            if busy and busy[0].job_id in {job.id for job in session.jobs(project_id)}:
                return busy[0]
            time.sleep(GLANCE_S)
        if pushing.done() and not any(job.is_open for job in session.jobs(project_id)):
            return None
    raise ScenarioError(f"no worker picked the deltas up within {PATIENCE_S:.0f} s")


def _watch(session: Device, operator: Operator, shot: _Shot, misses: int) -> Kill:
    """Wait for the end of the job, and record the worker that picked it up."""
    successors: list[int] = []

    def finished() -> str | None:
        holders = [worker.pid for worker in operator.workers() if worker.job_id == shot.job_id]
        successors.extend(pid for pid in holders if pid != shot.worker.pid)
        job = session.job(shot.job_id)
        return None if job.is_open else job.status

    status = wait_until(finished, f"job {shot.job_id} to be picked up by another worker", 0.1)
    healed = time.monotonic() - shot.at
    if status != "finished":
        raise ScenarioError(f"job {shot.job_id} ended as {status} after its worker was killed")
    return Kill(shot.job_id, shot.worker.pid, misses, healed, successors[-1] if successors else None)

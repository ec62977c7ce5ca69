"""Kills a worker while it applies deltas, and watches how the stack gets over it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .results import Kill, Operator, RunningWorker, ScenarioError
from .session import PATIENCE_S, Device, wait_until

#: How often the workers are looked at (seconds).
GLANCE_S = 0.01
#: How long the worker is left to it before it is killed (seconds): it should be in the middle of its work.
GRACE_S = 0.08
TRIES = 6


@dataclass(frozen=True)
class _Shot:
    """A signal that was sent."""

    worker: RunningWorker
    job_id: str
    at: float


def kill_while_applying(session: Device, project_id: str, operator: Operator, push: Callable[[int], None]) -> Kill:
    """Have edits pushed (`push(number of the try)`), kill the worker that applies them, wait until the job is done.

    A kill that comes when the job has ended already does not count: more edits are pushed, and it is tried again.
    Raises ScenarioError when it never worked.
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
    """Kill the worker that holds a new job of the project; None when the job was over before the signal."""
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
    """The first worker that is seen with a new job; None when all edits were applied without anybody being seen."""
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
    """Wait for the end of the job, and note who took it up."""
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

"""Change the number of workers, drain them, restart them. A worker that goes finishes its job first."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotRunningError, UsageError
from ..stack.ports import Ports
from .guard import Options, guarded
from .queue_change import count
from .workers_list import SERVICE, WorkersList, worker_service, workers_list

MAXIMUM = 64


@dataclass(frozen=True)
class WorkersChanged:
    """How many workers there were to be before and are to be now, and how they are."""

    before: int
    wanted: int
    steps: tuple[str, ...]
    dry_run: bool
    workers: WorkersList


def workers_scale(ports: Ports, number: int, options: Options) -> WorkersChanged:
    """Make the stack have that many workers; 0 lets all jobs wait."""
    if not 0 <= number <= MAXIMUM:
        raise UsageError(f"{number} workers are not possible.", hint=f"Give a number from 0 to {MAXIMUM}.")
    before = worker_service(ports).wanted
    with guarded(ports, "workers scale", target=str(number), options=options) as guard:
        if guard.step(f"Change from {count(before, 'worker')} to {number}"):
            ports.runtime.scale(SERVICE, number)
        guard.result = f"{before} → {number}"
    return WorkersChanged(before, number, guard.steps, guard.dry_run, _workers_now(ports, number))


def _workers_now(ports: Ports, wanted: int) -> WorkersList:
    """Return the workers, none where nothing runs: a stopped stack only remembers the number."""
    try:
        return workers_list(ports)
    except NotRunningError:
        return WorkersList(wanted, ())


def workers_drain(ports: Ports, options: Options) -> WorkersChanged:
    """Stop all workers, each after its job. Jobs wait until `workers restart` or `up`."""
    before = worker_service(ports).wanted
    with guarded(ports, "workers drain", target=SERVICE, options=options) as guard:
        if guard.step(f"Let {count(before, 'worker')} finish and stop"):
            ports.runtime.stop([SERVICE])
    return WorkersChanged(before, before, guard.steps, guard.dry_run, workers_list(ports))


def workers_restart(ports: Ports, options: Options, *, now: bool = False) -> WorkersChanged:
    """Stop all workers and start them again; with `now` without waiting, their jobs are then taken up again."""
    before = worker_service(ports).wanted
    with guarded(ports, "workers restart", target=SERVICE, options=options) as guard:
        if guard.step(f"Stop {count(before, 'worker')}" + (" at once" if now else ", each after its job")):
            ports.runtime.stop([SERVICE], now=now)
        if guard.step(f"Start {count(before, 'worker')}"):
            ports.runtime.start([SERVICE])
    return WorkersChanged(before, before, guard.steps, guard.dry_run, workers_list(ports))

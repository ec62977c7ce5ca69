"""Change the number of workers, drain them, restart them. A worker finishes its job before it stops."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotRunningError, RefusedError, UsageError
from ..stack import drains
from ..stack.model import Capability
from ..stack.ports import Ports
from .guard import Options, guarded
from .queue_change import count
from .status import require_running
from .workers_list import SERVICE, WorkersList, worker_service, workers_list

MAXIMUM = 64


@dataclass(frozen=True)
class WorkersChanged:
    """The wanted number of workers before and now, and the workers."""

    before: int
    wanted: int
    steps: tuple[str, ...]
    dry_run: bool
    workers: WorkersList
    remarks: tuple[str, ...] = ()


def workers_scale(ports: Ports, number: int, options: Options, *, force: bool = False) -> WorkersChanged:
    """Change the number of workers of a stack; with 0, all jobs wait, so it asks first.

    Raises RefusedError for more than the host's memory holds, unless `force`.
    """
    if not 0 <= number <= MAXIMUM:
        raise UsageError(f"{number} workers are not possible.", hint=f"Give a number from 0 to {MAXIMUM}.")
    before = worker_service(ports).wanted
    if number > before and not force:
        require_room(ports, number)
    question = "" if number else "Without workers all jobs wait. Stop all workers?"
    with guarded(ports, "workers scale", target=str(number), options=options, question=question) as guard:
        if guard.step(f"Change from {count(before, 'worker')} to {number}"):
            drains.clear(ports.records)
            ports.runtime.scale(SERVICE, number)
        guard.result = f"{before} → {number}"
        remarks = () if guard.dry_run else _remarks(ports, number)
    return WorkersChanged(before, number, guard.steps, guard.dry_run, _workers_now(ports, number), remarks)


def require_room(ports: Ports, number: int) -> None:
    """Refuse more workers than the memory holds: the kernel would kill jobs, and their edits would wait."""
    if not ports.offers(Capability.CONTAINERS):
        return
    room = ports.deployment.memory()
    if number > room.most_workers:
        raise RefusedError(
            f"{number} workers and their jobs may use {number * room.worker_bytes / 1e9:.1f} GB of memory; the host "
            f"has {(room.total_bytes - room.others_bytes) / 1e9:.1f} GB left for them.",
            hint=f"Use at most {room.most_workers}, or lower the memory limit of jobs; or, if you know better: --force",
        )


def _remarks(ports: Ports, number: int) -> tuple[str, ...]:
    """Return warnings: a number of workers fixed in a Compose file, and workers that did not start."""
    service = worker_service(ports)
    found: list[str] = []
    if service.wanted != number:
        found.append(
            f"The Compose files still say {service.wanted}: deploy.replicas or scale in an override file overrides "
            "QFIELDCLOUD_WORKER_REPLICAS of .env. The next start restores that number."
        )
    if service.running not in (number, 0):
        found.append(f"{service.running} of {number} workers are running. Type: qfc workers list")
    return tuple(found)


def _workers_now(ports: Ports, wanted: int) -> WorkersList:
    """Return the workers; none if the stack is stopped, which only keeps the number."""
    try:
        return workers_list(ports)
    except NotRunningError:
        return WorkersList(wanted, ())


def workers_drain(ports: Ports, options: Options) -> WorkersChanged:
    """Stop all workers, each after its job. Jobs wait until `workers restart` or `up`; nobody else starts them."""
    require_running(ports)
    before = worker_service(ports).wanted
    with guarded(ports, "workers drain", target=SERVICE, options=options, of_moved=True) as guard:
        if guard.step(f"Stop {count(before, 'worker')}, each after its job"):
            ports.runtime.stop([SERVICE])
            drains.write(ports.records, drains.Drain(ports.lock.identity(), ports.clock.now()))
    return WorkersChanged(before, before, guard.steps, guard.dry_run, workers_list(ports))


def workers_renew(ports: Ports, options: Options) -> WorkersChanged:
    """Restart the running workers one at a time, each after its job: the others take the jobs that come meanwhile."""
    require_running(ports)
    service = worker_service(ports)
    with guarded(ports, "workers restart", target="one at a time", options=options) as guard:
        if guard.step(f"Restart {count(service.running, 'worker')} one at a time, each after its job"):
            ports.runtime.renew(SERVICE)
    return WorkersChanged(service.wanted, service.running, guard.steps, guard.dry_run, workers_list(ports))


def workers_restart(ports: Ports, options: Options, *, now: bool = False) -> WorkersChanged:
    """Stop all workers and start them again; with `now` without waiting for their jobs."""
    require_running(ports)
    before = worker_service(ports).wanted
    with guarded(ports, "workers restart", target=SERVICE, options=options) as guard:
        if guard.step(f"Stop {count(before, 'worker')}" + (" at once" if now else ", each after its job")):
            ports.runtime.stop([SERVICE], now=now)
        if guard.step(f"Start {count(before, 'worker')}"):
            drains.clear(ports.records)
            ports.runtime.start([SERVICE])
    return WorkersChanged(before, before, guard.steps, guard.dry_run, workers_list(ports))

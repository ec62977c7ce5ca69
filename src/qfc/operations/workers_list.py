"""The workers: what the database knows of them, joined with the processes that run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..errors import NotFoundError
from ..stack.model import Instance, Service, ServiceState, Worker
from ..stack.ports import Ports
from .jobs_view import age

SERVICE = "worker_wrapper"


@dataclass(frozen=True)
class WorkerLine:
    """A worker. `state` is idle, busy, draining or dead, or that of its process when the database does not know it.

    `process` is the name of its instance, None when no process fits.
    """

    id: str
    state: str
    job_id: str | None
    since_s: float | None
    memory_bytes: int | None
    pid: int | None
    process: str | None


@dataclass(frozen=True)
class WorkersList:
    """Workers as they are, and how many there should be."""

    wanted: int
    workers: tuple[WorkerLine, ...]


def workers_list(ports: Ports) -> WorkersList:
    """Return the workers of a stack."""
    service = worker_service(ports)
    processes = {instance.pid: instance for instance in service.instances if instance.pid is not None}
    known = ports.jobs.workers()
    now = ports.clock.now()
    lines = [_known(worker, processes.get(worker.pid or 0), now) for worker in known]
    pids = {worker.pid for worker in known}
    lines += [_process(instance) for instance in service.instances if instance.pid is None or instance.pid not in pids]
    return WorkersList(service.wanted, tuple(lines))


def worker_service(ports: Ports) -> Service:
    """Return the service of the workers. Raises NotFoundError."""
    for service in ports.runtime.services():
        if service.name == SERVICE:
            return service
    raise NotFoundError(f"This stack has no service {SERVICE}.", hint="Type: qfc status")


def _known(worker: Worker, instance: Instance | None, now: datetime) -> WorkerLine:
    return WorkerLine(
        id=worker.id,
        state=worker.state,
        job_id=worker.job_id,
        since_s=age(worker.since, now) if worker.since else None,
        memory_bytes=instance.memory_bytes if instance else worker.memory_bytes,
        pid=worker.pid,
        process=instance.id if instance else None,
    )


def _process(instance: Instance) -> WorkerLine:
    """Describe a process that the database does not know: it is starting, stopped, or of an official server."""
    state = "starting" if instance.state is ServiceState.RUNNING else str(instance.state)
    return WorkerLine(
        id=instance.id,
        state=state,
        job_id=None,
        since_s=instance.uptime_s,
        memory_bytes=instance.memory_bytes,
        pid=instance.pid,
        process=instance.id,
    )

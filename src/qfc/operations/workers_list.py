"""The workers: the database's rows, joined with the running processes."""

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
    """A worker. `state` is idle, busy, draining or dead, or that of its process if the database does not know it.

    `process` is the name of its instance, None if no process matches.
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
    """The workers, and how many are wanted."""

    wanted: int
    workers: tuple[WorkerLine, ...]


def workers_list(ports: Ports) -> WorkersList:
    """Return the workers of a stack."""
    service = worker_service(ports)
    known = ports.workload.workers()
    now = ports.clock.now()
    matched = [(worker, _instance_of(worker, service)) for worker in known]
    lines = [_known(worker, instance, now) for worker, instance in matched]
    taken = {instance.id for _, instance in matched if instance}
    lines += [_process(instance) for instance in service.instances if instance.id not in taken]
    return WorkersList(service.wanted, tuple(lines))


def _instance_of(worker: Worker, service: Service) -> Instance | None:
    """Return the process or container of a worker: by its host name if it has its own, else by its pid."""
    for instance in service.instances:
        if instance.host == worker.host if instance.host else instance.pid == worker.pid and worker.pid is not None:
            return instance
    return None


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

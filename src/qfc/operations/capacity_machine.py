"""How many workers the machine of a stack holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from ..errors import QfcError
from ..stack.capacity import Room, room
from ..stack.model import Capability, Service
from ..stack.ports import Ports
from .workers_list import worker_service

MEMORY = PurePosixPath("/proc/meminfo")


@dataclass(frozen=True)
class Machine:
    """Cores of the machine, workers that its memory holds, and `room`, the tighter of both. None: not known."""

    cores: int | None
    memory_workers: int | None
    room: Room | None


def machine(ports: Ports) -> Machine:
    """Look at the machine of a stack; what cannot be seen is not known."""
    cores, memory = _cores(ports), _memory_workers(ports)
    return Machine(cores, memory, room(memory, cores))


def memory_per_worker(service: Service) -> int | None:
    """Return the most memory that a worker uses now, in bytes."""
    return max((one.memory_bytes for one in service.instances if one.memory_bytes), default=None)


def _cores(ports: Ports) -> int | None:
    try:
        return int(ports.host.run(["nproc"]).stdout)
    except (QfcError, ValueError):
        return None


def _memory_workers(ports: Ports) -> int | None:
    """Return how many workers fit: on deployments by the limit of a job, on the node by what its workers use."""
    try:
        if ports.offers(Capability.CONTAINERS):
            return ports.deployment.memory().most_workers
        service = worker_service(ports)
        each, free = memory_per_worker(service), _available(ports.host.read_bytes(MEMORY).decode())
    except QfcError:
        return None
    return None if each is None or free is None else service.running + free // each


def _available(text: str) -> int | None:
    """Return the available bytes, as Linux writes them."""
    values = {line.partition(":")[0]: line.partition(":")[2].split() for line in text.splitlines()}
    found = values.get("MemAvailable", ())
    return int(found[0]) * 1024 if found and found[0].isdigit() else None

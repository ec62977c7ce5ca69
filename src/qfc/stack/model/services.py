"""What runs, and on what: services, instances, disks, logs, commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO


class Capability(StrEnum):
    """What some kinds of stack have and others do not. Code asks for a capability, never for the kind.

    `CONTAINERS`: services are containers, with images, a `.env`, an nginx; see `Ports.deployment`.
    `PROCESSES`: services are processes of this machine, and all data lie in the stack's folder.
    """

    CONTAINERS = "containers"
    PROCESSES = "processes"


class Kind(StrEnum):
    """What runs the services of a stack."""

    EMBEDDED = "embedded"
    COMPOSE = "compose"
    SWARM = "swarm"

    def offers(self, capability: Capability) -> bool:
        """Tell whether stacks of this kind have a capability."""
        return capability in OFFERED.get(self, ())


#: A kind that is not here cannot be managed yet.
OFFERED: Mapping[Kind, frozenset[Capability]] = {
    Kind.EMBEDDED: frozenset({Capability.PROCESSES}),
    Kind.COMPOSE: frozenset({Capability.CONTAINERS}),
}


class Verdict(StrEnum):
    """How something is. `UNKNOWN` means that it could not be looked at; it is never taken for `OK`."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class ServiceState(StrEnum):
    """What a service or an instance of it is doing."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESTARTING = "restarting"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What a service's own check says."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Instance:
    """One process or container of a service.

    `restarts` and `oom_kills` (ends for lack of memory) count what nobody asked for. `image` and `host`, the name by
    which it knows the machine it runs on, are None for a process.
    """

    id: str
    state: ServiceState
    pid: int | None = None
    uptime_s: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    restarts: int | None = None
    exit_code: int | None = None
    oom_kills: int | None = None
    image: str | None = None
    host: str | None = None


@dataclass(frozen=True)
class Service:
    """A service as it is and as it should be. A task does its work once and ends; `wanted` is 0 for it."""

    name: str
    state: ServiceState
    health: Health
    wanted: int
    instances: tuple[Instance, ...] = ()
    is_task: bool = False

    @property
    def running(self) -> int:
        """How many instances run."""
        return sum(instance.state is ServiceState.RUNNING for instance in self.instances)


@dataclass(frozen=True)
class Disk:
    """Space on a file system; `name` is where it is mounted."""

    free_bytes: int
    total_bytes: int
    name: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line of a service's log. `time` is None when the line carries none."""

    service: str
    instance: str
    time: datetime | None
    level: str
    text: str
    job_id: str | None = None


@dataclass(frozen=True)
class CommandResult:
    """What an external command left behind."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class ApiRequest:
    """What is asked of the stack's HTTP API. `document` is sent as JSON, `upload` as a form with one file."""

    method: str
    path: str
    token: str = field(default="", repr=False)
    document: object = None
    upload: Upload | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True)
class Upload:
    """A file on its way to the API: so many bytes of `content`."""

    name: str
    content: BinaryIO = field(repr=False)
    size: int


@dataclass(frozen=True)
class ApiAnswer:
    """What the stack's HTTP API answered. `size` counts the bytes of the body, also of one that was stored elsewhere.

    `headers` have their names in lower case.
    """

    status: int
    seconds: float
    content: bytes
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_good(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300

    @property
    def document(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

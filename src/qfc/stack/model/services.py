"""Services, their instances, disks, logs, commands, and requests to the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO


class Capability(StrEnum):
    """A feature that only some kinds of stack have. Code asks for a capability, never for the kind.

    `CONTAINERS`: services are containers, with images, a `.env`, an nginx; see `Ports.deployment`.
    `PROCESSES`: services are processes of this machine, and all data are in the stack's folder.
    `BACKUPS`: sets of database, files and secrets can be made and restored; see `Ports.backups`.
    """

    CONTAINERS = "containers"
    PROCESSES = "processes"
    BACKUPS = "backups"


class Kind(StrEnum):
    """The kind of a stack, by what runs its services."""

    EMBEDDED = "embedded"
    COMPOSE = "compose"
    SWARM = "swarm"

    def offers(self, capability: Capability) -> bool:
        """Return whether stacks of this kind have a capability."""
        return capability in OFFERED.get(self, ())


#: A kind without an entry cannot be managed yet.
OFFERED: Mapping[Kind, frozenset[Capability]] = {
    Kind.EMBEDDED: frozenset({Capability.PROCESSES, Capability.BACKUPS}),
    Kind.COMPOSE: frozenset({Capability.CONTAINERS, Capability.BACKUPS}),
}


class Verdict(StrEnum):
    """The state of something, judged. `UNKNOWN` means that it could not be checked; it is never treated as `OK`."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class ServiceState(StrEnum):
    """The state of a service or of one of its instances."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESTARTING = "restarting"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """The result of a service's own health check."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Instance:
    """One process or container of a service.

    `restarts` and `oom_kills` (kills for lack of memory) count unrequested events. `image` and `host` (its own name for
    the machine that it runs on) are None for a process.
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
    """A service: its present state, and the number of instances `wanted`. A task runs once and ends; it wants 0.

    `has_result` says that what a task was to make exists, whatever its exit code: `mkcert` ends with 1 at every start
    but its first one, because its certificate exists.
    """

    name: str
    state: ServiceState
    health: Health
    wanted: int
    instances: tuple[Instance, ...] = ()
    is_task: bool = False
    has_result: bool = False

    @property
    def running(self) -> int:
        """How many instances are running."""
        return sum(instance.state is ServiceState.RUNNING for instance in self.instances)


@dataclass(frozen=True)
class Disk:
    """Space on a file system; `name` is its mount point."""

    free_bytes: int
    total_bytes: int
    name: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line of a service's log. `time` is None for a line without a time."""

    service: str
    instance: str
    time: datetime | None
    level: str
    text: str
    job_id: str | None = None


@dataclass(frozen=True)
class CommandResult:
    """The result of an external command."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class ApiRequest:
    """A request to the stack's HTTP API. `document` is sent as JSON, `upload` as a form with one file."""

    method: str
    path: str
    token: str = field(default="", repr=False)
    document: object = None
    upload: Upload | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True)
class Upload:
    """A file to upload to the API: `size` bytes of `content`."""

    name: str
    content: BinaryIO = field(repr=False)
    size: int


@dataclass(frozen=True)
class ApiAnswer:
    """An answer of the stack's HTTP API. `size` counts the bytes of the body, even if it was written to a sink.

    The names in `headers` are in lower case.
    """

    status: int
    seconds: float
    content: bytes
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_good(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def document(self) -> Any:
        """The body as JSON; None where it is not valid JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

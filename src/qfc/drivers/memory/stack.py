"""A whole stack in memory: every port's twin, wired together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from ...errors import RefusedError
from ...stack.model import Kind
from ..accounts.managed import ManagedAccounts
from .deployment import MemoryDeployment
from .directory import MemoryDirectory
from .lab import MemoryLabRows
from .machine import MemoryClock, MemoryHost
from .queue import MemoryQueue
from .records import MemoryApi, MemoryAuditLog, MemoryDiskHistory, MemoryFootprint, MemoryLock, MemoryObjectStore
from .runtime import MemoryRuntime
from .site import Release, Site

STATUS = b'{"database": "ok", "storage": "ok", "queue": "ok"}'


@dataclass(frozen=True)
class MemoryPorts:
    """The ports of a stack that exists nowhere else. Implements `qfc.stack.ports.Ports`."""

    name: str
    kind: Kind
    folder: Path
    clock: MemoryClock
    host: MemoryHost
    runtime: MemoryRuntime
    jobs: MemoryQueue
    directory: MemoryDirectory
    api: MemoryApi
    lock: MemoryLock
    objects: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    audit: MemoryAuditLog = field(default_factory=MemoryAuditLog)
    footprint: MemoryFootprint = field(default_factory=MemoryFootprint)
    disk_history: MemoryDiskHistory = field(default_factory=MemoryDiskHistory)
    containers: MemoryDeployment | None = None

    @property
    def deployment(self) -> MemoryDeployment:
        """What a deployment of containers has. Raises RefusedError where there is none."""
        if self.containers is None:
            raise RefusedError(f"{self.name} is {self.kind}: it has no containers.")
        return self.containers

    @cached_property
    def lab(self) -> MemoryLabRows:
        """Faulty rows, in queue and directory."""
        return MemoryLabRows(self.jobs, self.directory)

    @property
    def accounts(self) -> ManagedAccounts:
        """Accounts, made by whatever answers the runtime's commands."""
        return ManagedAccounts(self.runtime)

    def close(self) -> None:
        """Close nothing: nothing is open."""


def memory_deployment(*releases: Release, clock: MemoryClock | None = None) -> MemoryPorts:
    """Return a deployment of which the first release runs. `containers.site` is what stays of it."""
    clock = clock or MemoryClock()
    directory, queue = MemoryDirectory(), MemoryQueue(clock)
    site = Site({release.revision.commit: release for release in releases}, directory, queue)
    return replace(
        memory_stack(site.project),
        kind=Kind.COMPOSE,
        clock=clock,
        directory=directory,
        jobs=queue,
        lock=MemoryLock(clock),
        containers=MemoryDeployment(site, clock),
    )


def memory_stack(name: str = "memory") -> MemoryPorts:
    """Return a stack that does not run yet."""
    clock = MemoryClock()
    return MemoryPorts(
        name=name,
        kind=Kind.EMBEDDED,
        folder=Path("/memory") / name,
        clock=clock,
        host=MemoryHost(),
        runtime=MemoryRuntime(clock),
        jobs=MemoryQueue(clock),
        directory=MemoryDirectory(),
        api=MemoryApi({"/api/v1/status/": (200, STATUS)}),
        lock=MemoryLock(clock),
    )

"""A whole stack in memory: every port's twin, wired together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...stack.model import Kind
from ..accounts.managed import ManagedAccounts
from .directory import MemoryDirectory
from .machine import MemoryClock, MemoryHost
from .queue import MemoryQueue
from .records import MemoryApi, MemoryAuditLog, MemoryDiskHistory, MemoryFootprint, MemoryLock, MemoryObjectStore
from .runtime import MemoryRuntime

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

    @property
    def accounts(self) -> ManagedAccounts:
        """Accounts, made by whatever answers the runtime's commands."""
        return ManagedAccounts(self.runtime)

    def close(self) -> None:
        """Close nothing: nothing is open."""


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

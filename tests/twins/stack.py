"""A whole stack in memory: every port's twin, wired together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from qfc.drivers.accounts.managed import ManagedAccounts
from qfc.errors import CommandError, RefusedError
from qfc.stack import journal
from qfc.stack.model import Capability, Kind
from qfc.stack.ports import Backups, LabRows, Upgrades

from .backups import MemoryBackups
from .conditions import QuietConditions
from .deployment import MemoryDeployment, MemoryRollout
from .deployment_files import MemoryRecords
from .directory import MemoryDirectory
from .here import MemoryHere
from .machine import MemoryClock, MemoryHost
from .monitoring import MemoryMonitoring
from .queue import MemoryQueue
from .rate_limits import MemoryRateLimits
from .records import (
    MemoryApi,
    MemoryAuditLog,
    MemoryDiskHistory,
    MemoryFootprint,
    MemoryLock,
    MemoryMetricsHistory,
    MemoryObjectStore,
    MemoryTransitions,
)
from .runtime import Execute, MemoryRuntime
from .site import Release, Site

#: The answers to requests without a token.
CONTRACT = {
    "/api/v1/status/": (200, b'{"database": "ok", "storage": "ok", "queue": "ok"}'),
    "/api/v1/auth/providers/": (200, b'[{"type": "credentials", "id": "credentials", "name": "Username / Password"}]'),
    "/admin/login/": (200, b'<link rel="stylesheet" href="/staticfiles/admin/css/base.css"><form method="post">'),
    "/staticfiles/admin/css/base.css": (200, b""),
    **dict.fromkeys(("/api/v1/auth/user/", "/api/v1/projects/", "/api/v1/users/nobody/organizations/"), (401, b"{}")),
}


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
    rate_limits: MemoryRateLimits = field(default_factory=MemoryRateLimits)
    metrics_history: MemoryMetricsHistory = field(default_factory=MemoryMetricsHistory)
    transitions: MemoryTransitions = field(default_factory=MemoryTransitions)
    conditions: QuietConditions = field(default_factory=QuietConditions)
    containers: MemoryDeployment | None = None
    records: MemoryRecords = field(default_factory=MemoryRecords)
    own_records: MemoryRecords = field(default_factory=MemoryRecords)
    here: MemoryHere = field(default_factory=MemoryHere)
    rows: LabRows | None = None
    backup_records: MemoryBackups = field(default_factory=MemoryBackups)
    upgraded: Upgrades | None = None
    watch: MemoryLock = field(default_factory=lambda: MemoryLock(MemoryClock()))
    left_by_monitors: dict[str, MemoryMonitoring] = field(default_factory=dict[str, MemoryMonitoring])

    @property
    def deployment(self) -> MemoryDeployment:
        """The deployment of containers. Raises RefusedError if the stack has none."""
        if self.containers is None:
            raise RefusedError(f"{self.name} is {self.kind}: it has no containers.")
        return self.containers

    def offers(self, capability: Capability) -> bool:
        """Return whether the stack's kind has a capability."""
        return self.kind.offers(capability)

    def interrupted(self) -> str | None:
        """Return the name of an interrupted operation that nobody is continuing."""
        entry = journal.read(self.records)
        return entry.operation if entry and self.lock.holder() is None else None

    @property
    def workload(self) -> MemoryQueue:
        """The queue itself."""
        return self.jobs

    @property
    def lab(self) -> LabRows:
        """Faulty rows. Raises RefusedError: they need a real database."""
        if self.rows is None:
            raise RefusedError(f"{self.name} has no database that could have faulty rows.")
        return self.rows

    @property
    def backups(self) -> Backups:
        """Backups, of which the state alone is known."""
        return cast(Backups, self.backup_records)

    @property
    def upgrades(self) -> Upgrades:
        """The upgrade that a test gives. Raises RefusedError without one."""
        if self.upgraded is None:
            raise RefusedError(f"{self.name} is {self.kind}: the package that is installed here does not run it.")
        return self.upgraded

    @property
    def monitoring(self) -> MemoryMonitoring:
        """What a monitor leaves with the stack."""
        return self.left_by_monitors.setdefault("", MemoryMonitoring(self.clock, lambda: self.watch))

    @property
    def accounts(self) -> ManagedAccounts:
        """Accounts, created by the program that answers the runtime's commands."""
        return ManagedAccounts(self.runtime)

    def close(self) -> None:
        """Close nothing: nothing is open."""


def memory_deployment(*releases: Release, clock: MemoryClock | None = None) -> MemoryPorts:
    """Return a deployment with its first release running. `containers.site` is its lasting state."""
    clock = clock or MemoryClock()
    directory, queue = MemoryDirectory(), MemoryQueue(clock)
    site = Site({release.revision.commit: release for release in releases}, directory, queue)
    runtime = MemoryRuntime(clock, services=("db", "app", "nginx"))
    runtime.execute_with = _application(lambda argv: MemoryRollout(site).run(argv))
    return replace(
        memory_stack(site.project),
        kind=Kind.COMPOSE,
        clock=clock,
        runtime=runtime,
        directory=directory,
        jobs=queue,
        lock=MemoryLock(clock),
        containers=MemoryDeployment(site, clock),
        records=MemoryRecords(site.files, site.dumps),
    )


def memory_stack(name: str = "memory") -> MemoryPorts:
    """Return a stack that is not running yet."""
    clock = MemoryClock()
    directory, queue, runtime = MemoryDirectory(), MemoryQueue(clock), MemoryRuntime(clock)
    runtime.execute_with = _application(lambda _: "\n".join(f"[X]  {name}" for name in directory.migrations))
    return MemoryPorts(
        name=name,
        kind=Kind.EMBEDDED,
        folder=Path("/memory") / name,
        clock=clock,
        host=MemoryHost(),
        runtime=runtime,
        jobs=queue,
        directory=directory,
        api=MemoryApi(dict(CONTRACT)),
        lock=MemoryLock(clock),
    )


def _application(migrations: Callable[[Sequence[str]], str]) -> Execute:
    """Let the application answer for its migrations; it refuses everything else."""

    def execute(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del stdin
        if argv[0] in ("showmigrations", "migrate"):
            return migrations(argv)
        raise CommandError(f"{argv[0]} ended with exit code 127: {service} knows no such command")

    return execute

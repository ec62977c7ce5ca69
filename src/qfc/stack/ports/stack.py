"""Everything that an operation may use of one stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..model import Capability, Kind
    from .backups import Backups
    from .deployment import Deployment
    from .diagnosis import Conditions
    from .here import ThisMachine
    from .hosts import Clock, Host
    from .lab import LabRows
    from .limits import RateLimiter
    from .monitoring import Monitoring
    from .records import AuditLog, Lock, Records
    from .running import DiskHistory, Footprint, MetricsHistory, Runtime, Transitions
    from .server import Accounts, Api, ObjectStore
    from .upgrades import Upgrades
    from .work import Directory, QueueStore, Workload


class Ports(Protocol):
    """Everything that an operation may use of one stack. Each port is created on first use."""

    @property
    def name(self) -> str:
        """Name of the stack in the configuration."""
        ...

    @property
    def kind(self) -> Kind:
        """The kind of the stack."""
        ...

    @property
    def folder(self) -> Path:
        """Folder of the stack on its host: lock, audit log and history; for an embedded stack, also its data."""
        ...

    @property
    def clock(self) -> Clock: ...
    @property
    def host(self) -> Host: ...
    @property
    def runtime(self) -> Runtime: ...
    @property
    def jobs(self) -> QueueStore: ...
    @property
    def workload(self) -> Workload: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def conditions(self) -> Conditions: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def objects(self) -> ObjectStore: ...
    @property
    def api(self) -> Api: ...
    @property
    def footprint(self) -> Footprint: ...
    @property
    def disk_history(self) -> DiskHistory: ...
    @property
    def metrics_history(self) -> MetricsHistory: ...
    @property
    def transitions(self) -> Transitions: ...
    @property
    def lock(self) -> Lock: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def rate_limits(self) -> RateLimiter: ...
    @property
    def records(self) -> Records: ...

    @property
    def own_records(self) -> Records:
        """Documents about the stack on this machine, whatever machine it runs on."""
        ...

    @property
    def here(self) -> ThisMachine: ...

    @property
    def backups(self) -> Backups:
        """The stack's backups. Raises RefusedError for a stack without `BACKUPS`."""
        ...

    @property
    def lab(self) -> LabRows: ...
    @property
    def monitoring(self) -> Monitoring: ...

    @property
    def deployment(self) -> Deployment:
        """The ports that only a deployment of containers has. Raises RefusedError for a stack without `CONTAINERS`."""
        ...

    @property
    def upgrades(self) -> Upgrades:
        """The release of an embedded stack. Raises RefusedError for any other stack."""
        ...

    def offers(self, capability: Capability) -> bool:
        """Return whether the stack has a capability."""
        ...

    def interrupted(self) -> str | None:
        """Return the name of an operation that was interrupted and has not been resumed; None without one."""
        ...

    def close(self) -> None:
        """Close all connections of the ports."""
        ...

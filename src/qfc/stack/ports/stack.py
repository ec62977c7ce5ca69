"""Everything that an operation may use of one stack."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..model import Capability, Kind
from .deployment import Deployment
from .diagnosis import Conditions
from .hosts import Clock, Host
from .lab import LabRows
from .records import AuditLog, Lock, Records
from .running import DiskHistory, Footprint, Runtime, Transitions
from .server import Accounts, Api, ObjectStore
from .work import Directory, QueueStore, Workload


class Ports(Protocol):
    """Everything that an operation may use of one stack. A port is made when it is first asked for."""

    @property
    def name(self) -> str:
        """Name of the stack in the configuration."""
        ...

    @property
    def kind(self) -> Kind:
        """What runs the stack's services."""
        ...

    @property
    def folder(self) -> Path:
        """Folder of the stack on its host: data of an embedded stack; lock, audit and history of every stack."""
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
    def transitions(self) -> Transitions: ...
    @property
    def lock(self) -> Lock: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def records(self) -> Records: ...

    @property
    def lab(self) -> LabRows: ...

    @property
    def deployment(self) -> Deployment:
        """What only a deployment of containers has. Raises RefusedError where `CONTAINERS` are not offered."""
        ...

    def offers(self, capability: Capability) -> bool:
        """Tell whether the stack has what only some kinds have."""
        ...

    def interrupted(self) -> str | None:
        """Name the operation that was interrupted and that nobody is at work on; None when there is none."""
        ...

    def close(self) -> None:
        """Close what the ports hold open."""
        ...

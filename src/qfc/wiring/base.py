"""The ports that all kinds of stack share: those of its database, and those of our own files."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import RefusedError
from ..stack import journal
from ..stack.ports import (
    AuditLog,
    Clock,
    Conditions,
    Directory,
    DiskHistory,
    LabRows,
    Lock,
    Machine,
    MetricsHistory,
    Monitoring,
    Ports,
    Records,
    ThisMachine,
    Transitions,
    Upgrades,
)

if TYPE_CHECKING:
    import psycopg

    from ..config import StackConfig
    from ..drivers.docker.events import EngineEvents
    from ..drivers.postgres import PostgresJobStore
    from ..stack.model import Capability, Kind


#: The host that is this machine.
LOCAL = "local"
Port = TypeVar("Port")


class Once:
    """Creates each object once, on first use; closes them in reverse order of creation. Safe for threads.

    Each name has a lock of its own: one thread may create an object that waits for the observer's lock, while another
    holds that one and needs an object here.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, make: Callable[[], Port]) -> Port:
        """Return the object, which is created on the first call."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def close(self) -> None:
        """Close all of them; they are created again on the next use."""
        for thing in reversed(list(self._made.values())):
            if hasattr(thing, "close"):
                thing.close()
        self._made.clear()


class StackPorts(Ports, ABC):
    """The ports of one stack. `machine` runs its commands. Each kind of stack adds its own ports."""

    def __init__(self, stack: StackConfig, machine: Machine) -> None:
        self.stack, self.machine = stack, machine
        self.operation_log: Path | None = None
        self.once = Once()

    @property
    def name(self) -> str:
        """Name of the stack in the configuration."""
        return self.stack.name

    @property
    def kind(self) -> Kind:
        """The kind of the stack."""
        return self.stack.kind

    @property
    def folder(self) -> Path:
        """Our own folder for the stack on this machine."""
        return self.stack.folder

    @property
    def host(self) -> Machine:
        """The machine of the stack."""
        return self.machine

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        from ..drivers.clock import SystemClock

        return SystemClock()

    @property
    def jobs(self) -> PostgresJobStore:
        """The queue in the stack's database."""
        from ..drivers.postgres import PostgresJobStore

        return self.once("jobs", lambda: PostgresJobStore(self.connect))

    @property
    def directory(self) -> Directory:
        """Users and projects in the stack's database."""
        from ..drivers.postgres import PostgresDirectory

        return self.once("directory", lambda: PostgresDirectory(self.connect))

    @property
    def conditions(self) -> Conditions:
        """Problems that the stack's database shows."""
        from ..drivers.postgres import PostgresConditions

        return self.once("conditions", lambda: PostgresConditions(self.connect))

    @property
    def lab(self) -> LabRows:
        """Faulty rows in the stack's database."""
        from ..drivers.postgres.lab import PostgresLabRows

        return self.once("lab", lambda: PostgresLabRows(self.connect))

    @property
    def disk_history(self) -> DiskHistory:
        """A file in our own folder."""
        from ..drivers.disk_history import FileDiskHistory

        return FileDiskHistory(self.folder)

    @property
    def metrics_history(self) -> MetricsHistory:
        """A file in our own folder."""
        from ..drivers.metrics_history import SqliteMetricsHistory

        return SqliteMetricsHistory(self.folder)

    @property
    def transitions(self) -> Transitions:
        """A file in our own folder."""
        from ..drivers.transitions import FileTransitions

        return FileTransitions(self.folder)

    @property
    def monitoring(self) -> Monitoring:
        """Files in our own folder; the lock of monitors is where the stack is."""
        from ..drivers.monitoring.folder import FolderMonitoring

        return self.once("monitoring", lambda: FolderMonitoring(self.folder, lambda: self.watch, self.events()))

    def events(self) -> Callable[[Callable[[], None]], EngineEvents] | None:
        """Return what opens the stream of containers that end; None for a stack without one."""
        return None

    @property
    @abstractmethod
    def watch(self) -> Lock:
        """The lock of monitors: one acts for the stack at a time."""

    @property
    def records(self) -> Records:
        """A folder on the stack's host."""
        from ..drivers.records import HostRecords

        return self.once("records", lambda: HostRecords(self.machine, self.records_folder))

    def logged(self, log: AuditLog) -> AuditLog:
        """Return an audit log whose lines also go to the operation log, if one is wanted."""
        from ..drivers.audit import LoggedAuditLog

        return LoggedAuditLog(log, self.operation_log, self.name) if self.operation_log else log

    @property
    def own_records(self) -> Records:
        """Our own folder."""
        from ..drivers.hosts.local import LocalHost
        from ..drivers.records import HostRecords

        return self.once("own records", lambda: HostRecords(LocalHost(), PurePosixPath(self.folder)))

    @property
    def here(self) -> ThisMachine:
        """This machine."""
        from ..drivers.this_machine import LocalMachine

        return LocalMachine()

    @property
    def upgrades(self) -> Upgrades:
        """Raise RefusedError: what runs is not the package that is installed here."""
        raise RefusedError(
            f"{self.name} is {self.kind}: the package that is installed here does not run it.",
            hint="To deploy another release, type: qfc deploy",
        )

    def offers(self, capability: Capability) -> bool:
        """Return whether the stack has a capability."""
        return self.kind.offers(capability)

    def interrupted(self) -> str | None:
        """Return the name of an interrupted operation that no operator is running now; None without one."""
        entry = journal.read(self.records)
        return entry.operation if entry and self.lock.holder() is None else None

    def close(self) -> None:
        """Close all connections, that to the host last."""
        self.once.close()
        self.machine.close()

    @property
    @abstractmethod
    def records_folder(self) -> PurePosixPath:
        """Our own folder on the stack's host."""

    @abstractmethod
    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection to the stack's database."""

"""The ports of an embedded stack: processes of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config import StackConfig
from ..errors import RefusedError
from ..stack.model import Kind
from ..stack.ports import (
    Accounts,
    Api,
    AuditLog,
    Clock,
    Conditions,
    Deployment,
    Directory,
    DiskHistory,
    Footprint,
    Host,
    LabRows,
    Lock,
    ObjectStore,
    QueueStore,
    Runtime,
    Transitions,
    Workload,
)
from .once import Once

if TYPE_CHECKING:
    from ..drivers.postgres import PostgresJobStore
    from ..drivers.postgres.connection import Connection
    from ..drivers.runtimes.embedded import EmbeddedRuntime


class EmbeddedPorts:
    """The ports of an embedded stack on this machine."""

    def __init__(self, stack: StackConfig) -> None:
        self._stack = stack
        self._once = Once()

    @property
    def name(self) -> str:
        """Name of the stack in the configuration."""
        return self._stack.name

    @property
    def kind(self) -> Kind:
        """What runs the stack's services."""
        return self._stack.kind

    @property
    def folder(self) -> Path:
        """Folder of the stack."""
        return self._stack.folder

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        from ..drivers.clock import SystemClock

        return SystemClock()

    @property
    def host(self) -> Host:
        """This machine."""
        from ..drivers.hosts.local import LocalHost

        return LocalHost()

    @property
    def embedded(self) -> EmbeddedRuntime:
        """The runtime, as what it is."""
        return self._once("embedded", self._embedded)

    @property
    def runtime(self) -> Runtime:
        """The supervised processes."""
        return self.embedded

    @property
    def jobs(self) -> QueueStore:
        """The queue in the stack's PostgreSQL."""
        return self._stored

    @property
    def workload(self) -> Workload:
        """How much there is to do, and who does it: the node's workers tell the same database that they live."""
        return self._stored

    @property
    def directory(self) -> Directory:
        """People and projects in the stack's PostgreSQL."""
        from ..drivers.postgres import PostgresDirectory

        return self._once("directory", lambda: PostgresDirectory(self._connect))

    @property
    def conditions(self) -> Conditions:
        """What the stack's PostgreSQL tells of problems."""
        from ..drivers.postgres import PostgresConditions

        return self._once("conditions", lambda: PostgresConditions(self._connect))

    @property
    def lab(self) -> LabRows:
        """Faulty rows in the stack's PostgreSQL."""
        from ..drivers.postgres.lab import PostgresLabRows

        return self._once("lab", lambda: PostgresLabRows(self._connect))

    @property
    def accounts(self) -> Accounts:
        """The node's own commands."""
        from ..drivers.accounts.managed import ManagedAccounts

        return ManagedAccounts(self.runtime)

    @property
    def deployment(self) -> Deployment:
        """Refuse: there are no containers."""
        raise RefusedError(
            f"{self.name} is {self.kind}: it has no containers, images or certificates.",
            hint="This command is for stacks of the kind compose. To upgrade this one see docs/howto/upgrade.md",
        )

    @property
    def objects(self) -> ObjectStore:
        """The node's blobs: in the bucket that its settings name, else in its folder."""
        return self._once("objects", self._objects)

    @property
    def api(self) -> Api:
        """The node's API on its own port."""
        from ..drivers.api import HttpApi

        return HttpApi(self.embedded.url)

    @property
    def footprint(self) -> Footprint:
        """The stack's folders."""
        from ..drivers.footprint import FolderFootprint

        layout = self.embedded.layout
        parts = [("database", layout.database), ("files", layout.blobs), ("staging", layout.node / "staging")]
        parts += [("job folders", layout.node / "jobs"), ("logs", layout.log)]
        return FolderFootprint(parts, self.embedded.disk)

    @property
    def disk_history(self) -> DiskHistory:
        """A file in our own folder for the stack."""
        from ..drivers.disk_history import FileDiskHistory

        return FileDiskHistory(self.folder)

    @property
    def transitions(self) -> Transitions:
        """A file in our own folder for the stack."""
        from ..drivers.transitions import FileTransitions

        return FileTransitions(self.folder)

    @property
    def lock(self) -> Lock:
        """A file in the stack's folder."""
        from ..drivers.lock import FileLock

        return self._once("lock", lambda: FileLock(self.folder, self.clock))

    @property
    def audit(self) -> AuditLog:
        """A file in the stack's folder."""
        from ..drivers.audit import FileAuditLog

        return FileAuditLog(self.folder)

    def close(self) -> None:
        """Close the connections to the database."""
        self._once.close()

    @property
    def _stored(self) -> PostgresJobStore:
        from ..drivers.postgres import PostgresJobStore

        return self._once("jobs", lambda: PostgresJobStore(self._connect))

    def _embedded(self) -> EmbeddedRuntime:
        from ..drivers.runtimes.embedded import EmbeddedConfig, EmbeddedRuntime

        stack = self._stack
        settings = EmbeddedConfig(
            name=stack.name,
            folder=stack.folder,
            home=stack.home,
            port=stack.port,
            bind=stack.bind,
            workers=stack.workers,
            postgres_bin=stack.postgres_bin,
            database_url_file=stack.database_url_file,
        )
        return EmbeddedRuntime(settings, clock=self.clock, idle_workers=self._idle_workers)

    def _objects(self) -> ObjectStore:
        from ..drivers.objects.s3 import S3ObjectStore, bucket_of

        bucket = bucket_of(self.embedded.own_settings(), prefix="blobs/")
        if bucket is not None:
            return S3ObjectStore(bucket)
        from ..drivers.objects.folder import FolderObjectStore

        return FolderObjectStore(self.embedded.layout.blobs)

    def _connect(self) -> Connection:
        from ..drivers.postgres import connect_to

        target = self.embedded.endpoint()
        return connect_to(
            host=target.host, port=target.port, user=target.user, password=target.password, dbname=target.database
        )()

    def _idle_workers(self) -> frozenset[int]:
        """Return the pids of workers that hold no job, as the database knows them."""
        return frozenset(worker.pid for worker in self._stored.workers() if worker.pid and worker.state == "idle")

"""The ports of an embedded stack: processes of this machine."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import RefusedError
from .base import StackPorts

if TYPE_CHECKING:
    from ..config import BackupConfig, StackConfig
    from ..drivers.postgres.connection import Connection
    from ..drivers.runtimes.embedded import EmbeddedRuntime
    from ..stack.ports import (
        Accounts,
        Api,
        AuditLog,
        Backups,
        Deployment,
        Footprint,
        Lock,
        ObjectStore,
        RateLimiter,
        Runtime,
        Upgrades,
        Workload,
    )


class EmbeddedPorts(StackPorts):
    """The ports of an embedded stack on this machine."""

    def __init__(self, stack: StackConfig, backup: BackupConfig) -> None:
        from ..drivers.hosts.local import LocalHost

        super().__init__(stack, LocalHost())
        self._backup = backup

    @property
    def records_folder(self) -> PurePosixPath:
        """The stack's own folder."""
        return PurePosixPath(self.folder)

    @property
    def embedded(self) -> EmbeddedRuntime:
        """The runtime, with its own type."""
        return self.once("embedded", self._embedded)

    @property
    def runtime(self) -> Runtime:
        """The supervised processes."""
        return self.embedded

    @property
    def workload(self) -> Workload:
        """psql, and the database: the node's workers register themselves there."""
        from ..drivers.runtimes.embedded.workload import EmbeddedWorkload

        return EmbeddedWorkload(self.embedded.ask, lambda: self.jobs)

    @property
    def accounts(self) -> Accounts:
        """The node's own commands."""
        from ..drivers.accounts.managed import ManagedAccounts

        return ManagedAccounts(self.runtime)

    @property
    def deployment(self) -> Deployment:
        """Raise RefusedError: an embedded stack has no containers."""
        raise RefusedError(
            f"{self.name} is {self.kind}: it has no containers, images or certificates.",
            hint="This command is for deployments. To upgrade this stack, type: qfc upgrade",
        )

    @property
    def upgrades(self) -> Upgrades:
        """The package that is installed, and the processes, database and settings that it replaces."""
        from ..drivers.runtimes.embedded.upgrades import EmbeddedUpgrades

        return self.once("upgrades", lambda: EmbeddedUpgrades(self.embedded, self.clock))

    @property
    def objects(self) -> ObjectStore:
        """The node's blobs: in the bucket of its settings, else in its folder."""
        return self.once("objects", self._objects)

    @property
    def api(self) -> Api:
        """The node's API on its own port."""
        from ..drivers.api import HttpApi

        return HttpApi(self.embedded.url, shown=self.embedded.address)

    @property
    def footprint(self) -> Footprint:
        """The stack's folders."""
        from ..drivers.footprint import FolderFootprint

        layout = self.embedded.layout
        parts = [("database", layout.database), ("files", layout.blobs), ("staging", layout.node / "staging")]
        parts += [("job folders", layout.node / "jobs"), ("logs", layout.log)]
        return FolderFootprint(parts)

    @property
    def lock(self) -> Lock:
        """A file in the stack's folder."""
        from ..drivers.lock import FileLock

        return self.once("lock", lambda: FileLock(self.folder, self.clock))

    @property
    def watch(self) -> Lock:
        """Another file there."""
        from ..drivers.lock import FileLock

        return self.once("watch", lambda: FileLock(self.folder, self.clock, name="watch"))

    @property
    def audit(self) -> AuditLog:
        """A file in the stack's folder."""
        from ..drivers.audit import FileAuditLog

        return self.logged(FileAuditLog(self.folder))

    @property
    def rate_limits(self) -> RateLimiter:
        """The node itself."""
        from ..drivers.rate_limits.node import NodeRateLimits

        return NodeRateLimits(self.runtime, self.clock)

    @property
    def backups(self) -> Backups:
        """Sets in the folder or the bucket of the configuration."""
        from .backups import embedded_backups

        return self.once("backups", lambda: embedded_backups(self, self._backup))

    def _embedded(self) -> EmbeddedRuntime:
        from ..config.known import KnownStack
        from ..drivers.runtimes.embedded import EmbeddedConfig, EmbeddedRuntime

        stack = self.stack
        settings = EmbeddedConfig(
            name=stack.name,
            folder=stack.folder,
            home=stack.home,
            port=stack.port,
            bind=stack.bind,
            workers=stack.workers,
            postgres_bin=stack.postgres_bin,
            database_url_file=stack.database_url_file,
            known=KnownStack(stack.notes, stack.name),
        )
        return EmbeddedRuntime(settings, clock=self.clock, idle_workers=self._idle_workers)

    def _objects(self) -> ObjectStore:
        from ..drivers.objects.s3 import S3ObjectStore, bucket_of

        bucket = bucket_of(self.embedded.own_settings(), prefix="blobs/")
        if bucket is not None:
            return S3ObjectStore(bucket)
        from ..drivers.objects.folder import FolderObjectStore

        return FolderObjectStore(self.embedded.layout.blobs)

    def connect(self) -> Connection:
        """Return a new connection to the stack's PostgreSQL."""
        from ..drivers.postgres import connect_to

        target = self.embedded.endpoint()
        return connect_to(
            host=target.host, port=target.port, user=target.user, password=target.password, dbname=target.database
        )()

    def _idle_workers(self) -> frozenset[int]:
        """Return the pids of the workers in the database that hold no job."""
        return frozenset(worker.pid for worker in self.jobs.workers() if worker.pid and worker.state == "idle")

"""From the configuration to ports: the only place that picks drivers. A driver is imported when its port is used."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .config import StackConfig
from .errors import ConfigError
from .stack.model import Kind
from .stack.ports import Api, AuditLog, Clock, Directory, Host, Lock, ObjectStore, Ports, QueueStore, Runtime

if TYPE_CHECKING:
    from .drivers.runtimes.embedded import EmbeddedRuntime


def wire(stack: StackConfig) -> Ports:
    """Return the ports of a stack. Nothing is connected or started. Raises ConfigError for a kind without a driver."""
    if stack.kind is not Kind.EMBEDDED:
        raise ConfigError(
            [f"stacks.{stack.name}.kind {stack.kind} cannot be managed by this release."],
            hint=f'Set kind = "{Kind.EMBEDDED}".',
        )
    if stack.host != "local":
        raise ConfigError(
            [f"stacks.{stack.name}.host {stack.host!r}: an embedded stack runs where qfc runs."],
            hint='Remove the setting or set host = "local".',
        )
    return EmbeddedPorts(stack)


class EmbeddedPorts:
    """The ports of an embedded stack on this machine."""

    def __init__(self, stack: StackConfig) -> None:
        self._stack = stack

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

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from .drivers.clock import SystemClock

        return SystemClock()

    @cached_property
    def host(self) -> Host:
        """This machine."""
        from .drivers.hosts.local import LocalHost

        return LocalHost()

    @cached_property
    def embedded(self) -> EmbeddedRuntime:
        """The runtime, as what it is."""
        from .drivers.runtimes.embedded import EmbeddedRuntime, Settings

        stack = self._stack
        settings = Settings(
            name=stack.name,
            folder=stack.folder,
            port=stack.port,
            bind=stack.bind,
            workers=stack.workers,
            postgres_bin=stack.postgres_bin,
            database_url_file=stack.database_url_file,
        )
        return EmbeddedRuntime(settings, clock=self.clock, idle_workers=self._idle_workers)

    @property
    def runtime(self) -> Runtime:
        """The supervised processes."""
        return self.embedded

    @cached_property
    def jobs(self) -> QueueStore:
        """The queue in the stack's PostgreSQL."""
        from .drivers.postgres import PostgresJobStore

        return PostgresJobStore(self.embedded.connect)

    @cached_property
    def directory(self) -> Directory:
        """People and projects in the stack's PostgreSQL."""
        from .drivers.postgres import PostgresDirectory

        return PostgresDirectory(self.embedded.connect)

    @cached_property
    def objects(self) -> ObjectStore:
        """The folder of the node's blobs."""
        from .drivers.objects.folder import FolderObjectStore

        return FolderObjectStore(self.embedded.layout.blobs)

    @cached_property
    def api(self) -> Api:
        """The node's API on its own port."""
        from .drivers.api import HttpApi

        return HttpApi(self.embedded.url)

    @cached_property
    def lock(self) -> Lock:
        """A file in the stack's folder."""
        from .drivers.lock import FileLock

        return FileLock(self.folder, self.clock)

    @cached_property
    def audit(self) -> AuditLog:
        """A file in the stack's folder."""
        from .drivers.audit import FileAuditLog

        return FileAuditLog(self.folder)

    def _idle_workers(self) -> frozenset[int]:
        """Return the pids of workers that hold no job, as the database knows them."""
        return frozenset(worker.pid for worker in self.jobs.workers() if worker.pid and worker.state == "idle")

"""From the configuration to ports: the only place that picks drivers. A driver is imported when its port is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .config import StackConfig
from .errors import ConfigError
from .stack.model import Kind
from .stack.ports import (
    Api,
    AuditLog,
    Clock,
    Directory,
    Footprint,
    Host,
    Lock,
    Machine,
    ObjectStore,
    Ports,
    QueueStore,
    Runtime,
)

if TYPE_CHECKING:
    from .drivers.postgres.connection import Connection
    from .drivers.runtimes.embedded import EmbeddedRuntime

Port = TypeVar("Port")
#: The host that is this machine.
LOCAL = "local"


def wire(stack: StackConfig) -> Ports:
    """Return the ports of a stack. Nothing is connected or started. Raises ConfigError for a kind without a driver."""
    if stack.kind is not Kind.EMBEDDED:
        raise ConfigError(
            [f"stacks.{stack.name}.kind {stack.kind} cannot be managed by this release."],
            hint=f'Set kind = "{Kind.EMBEDDED}".',
        )
    if stack.host != LOCAL:
        raise ConfigError(
            [f"stacks.{stack.name}.host {stack.host!r}: an embedded stack runs where qfc runs."],
            hint='Remove the setting or set host = "local".',
        )
    return EmbeddedPorts(stack)


def machine(stack: StackConfig, environment: Mapping[str, str]) -> Machine:
    """Return where the commands of a stack run: this machine, or a server over SSH. Nothing is connected."""
    if stack.host == LOCAL:
        from .drivers.hosts.local import LocalHost

        return LocalHost()
    from .drivers.hosts.ssh import SshHost, SshSettings, password_of

    settings = SshSettings(
        host=stack.host,
        user=stack.user,
        port=stack.ssh_port,
        identity_file=stack.identity_file,
        config_file=stack.ssh_config,
        password=password_of(environment),
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
    )
    return SshHost(settings)


class EmbeddedPorts:
    """The ports of an embedded stack on this machine."""

    def __init__(self, stack: StackConfig) -> None:
        self._stack = stack
        self._made: dict[str, Any] = {}

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
        from .drivers.clock import SystemClock

        return SystemClock()

    @property
    def host(self) -> Host:
        """This machine."""
        from .drivers.hosts.local import LocalHost

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
        from .drivers.postgres import PostgresJobStore

        return self._once("jobs", lambda: PostgresJobStore(self._connect))

    @property
    def directory(self) -> Directory:
        """People and projects in the stack's PostgreSQL."""
        from .drivers.postgres import PostgresDirectory

        return self._once("directory", lambda: PostgresDirectory(self._connect))

    @property
    def objects(self) -> ObjectStore:
        """The node's blobs: in the bucket that its settings name, else in its folder."""
        return self._once("objects", self._objects)

    @property
    def api(self) -> Api:
        """The node's API on its own port."""
        from .drivers.api import HttpApi

        return HttpApi(self.embedded.url)

    @property
    def footprint(self) -> Footprint:
        """The stack's folders."""
        from .drivers.footprint import FolderFootprint

        layout = self.embedded.layout
        parts = [("database", layout.database), ("files", layout.blobs), ("staging", layout.node / "staging")]
        return FolderFootprint([*parts, ("job folders", layout.node / "jobs"), ("logs", layout.log)])

    @property
    def lock(self) -> Lock:
        """A file in the stack's folder."""
        from .drivers.lock import FileLock

        return FileLock(self.folder, self.clock)

    @property
    def audit(self) -> AuditLog:
        """A file in the stack's folder."""
        from .drivers.audit import FileAuditLog

        return FileAuditLog(self.folder)

    def close(self) -> None:
        """Close the connections to the database."""
        for port in self._made.values():
            if hasattr(port, "close"):
                port.close()
        self._made.clear()

    def _once(self, name: str, make: Callable[[], Port]) -> Port:
        """Return the port made earlier, or make it."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _embedded(self) -> EmbeddedRuntime:
        from .drivers.runtimes.embedded import EmbeddedRuntime, Settings

        stack = self._stack
        settings = Settings(
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
        from .drivers.objects.s3 import S3ObjectStore, bucket_of

        bucket = bucket_of(self.embedded.own_settings(), prefix="blobs/")
        if bucket is not None:
            return S3ObjectStore(bucket)
        from .drivers.objects.folder import FolderObjectStore

        return FolderObjectStore(self.embedded.layout.blobs)

    def _connect(self) -> Connection:
        from .drivers.postgres import connect_to

        target = self.embedded.endpoint()
        return connect_to(
            host=target.host, port=target.port, user=target.user, password=target.password, dbname=target.database
        )()

    def _idle_workers(self) -> frozenset[int]:
        """Return the pids of workers that hold no job, as the database knows them."""
        return frozenset(worker.pid for worker in self.jobs.workers() if worker.pid and worker.state == "idle")

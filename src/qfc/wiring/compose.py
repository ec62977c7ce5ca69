"""The ports of an official deployment under Docker Compose, on this machine or on a server over SSH."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from ..config import StackConfig
from ..stack.ports import Accounts, AuditLog, Deployment, Footprint, Lock, Machine, ObjectStore, QueueStore
from .base import StackPorts
from .site import Site

if TYPE_CHECKING:
    import psycopg

    from ..drivers.routes.api import BestApi
    from ..drivers.runtimes.compose import ComposeRuntime


class ComposePorts(StackPorts):
    """The ports of one deployment."""

    def __init__(self, stack: StackConfig, machine: Machine) -> None:
        super().__init__(stack, machine)
        self.site = Site(stack, machine, self.clock, self.once)

    @property
    def records_folder(self) -> PurePosixPath:
        """Beside the deployment's files."""
        from ..drivers.host_lock import FOLDER

        return self.site.observer.deployment.folder / FOLDER

    @property
    def runtime(self) -> ComposeRuntime:
        """Docker Compose."""
        return self.site.runtime

    @property
    def jobs(self) -> QueueStore:
        """The queue in the deployment's database."""
        from ..drivers.runtimes.compose.queue import ComposeJobStore

        # Everything but two of its methods is the database's own.
        return self.once(
            "jobs", lambda: cast(QueueStore, ComposeJobStore(self.site.observer, lambda: self.site.stored_jobs))
        )

    @property
    def accounts(self) -> Accounts:
        """The application in its container."""
        from ..drivers.accounts.official import OfficialAccounts

        return OfficialAccounts(self.site.engine, self.site.observer.running("app"))

    @property
    def objects(self) -> ObjectStore:
        """The store that the application's settings name."""
        from ..drivers.objects.choice import open_store
        from ..drivers.routes.endpoint import endpoint_here

        site = self.site

        def here(url: str) -> str:
            return endpoint_here(url, site.forwards, lambda: site.observer.snapshot().containers)

        return self.once("objects", lambda: open_store(site.observer.environment("app"), here))

    @property
    def api(self) -> BestApi:
        """The API by the best route."""
        return self.site.api

    @property
    def footprint(self) -> Footprint:
        """Images, containers, volumes, logs and the database."""
        from ..drivers.docker.footprint import DockerFootprint

        observer = self.site.observer
        return DockerFootprint(
            self.site.engine,
            observer.deployment.project,
            containers=lambda: observer.snapshot().containers,
            disks=lambda: observer.snapshot().disks,
            images=self.deployment.images.all,
            environment=lambda: observer.environment("worker_wrapper"),
            database=lambda: (self.directory.database().size_bytes, self.directory.stored_bytes()),
        )

    @property
    def lock(self) -> Lock:
        """A process on the deployment's host."""
        from ..drivers.host_lock import HostLock

        folder = self.site.observer.deployment.folder
        return self.once("lock", lambda: HostLock(self.machine, folder, self.clock))

    @property
    def audit(self) -> AuditLog:
        """A file beside the deployment."""
        from ..drivers.audit import HostAuditLog

        return HostAuditLog(self.machine, self.records_folder)

    @property
    def deployment(self) -> Deployment:
        """What only containers have."""
        from .deployment import ComposeDeployment

        return self.once("deployment", lambda: ComposeDeployment(self.site, self.directory.setting))

    def interrupted(self) -> str | None:
        """Name the operation that was interrupted and that nobody is at work on, as the last snapshot has it."""
        return self.site.observer.snapshot().interrupted

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection to the deployment's database, by the route that works."""
        return self.site.connect()

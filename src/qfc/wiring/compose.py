"""The ports of an official deployment under Docker Compose, on this machine or on a server over SSH."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .base import LOCAL, StackPorts

if TYPE_CHECKING:
    import psycopg

    from ..config import BackupConfig, StackConfig
    from ..drivers.docker import Container, Engine
    from ..drivers.docker.events import EngineEvents
    from ..drivers.routes.api import ApiRoutes, BestApi
    from ..drivers.routes.database import DatabaseAccess, DatabaseRoute
    from ..drivers.routes.forwards import Forwards
    from ..drivers.runtimes.compose import ComposeRuntime, Observer
    from ..stack.ports import (
        Accounts,
        AuditLog,
        Backups,
        Deployment,
        Footprint,
        Lock,
        Machine,
        ObjectStore,
        RateLimiter,
        Workload,
    )


class ComposePorts(StackPorts):
    """The ports of one deployment."""

    def __init__(self, stack: StackConfig, machine: Machine, backup: BackupConfig) -> None:
        super().__init__(stack, machine)
        self.backup_settings = backup

    @property
    def engine(self) -> Engine:
        """The Docker engine of the host; its commands that change something are marked as this deployment's."""
        from ..drivers.docker import Engine
        from ..drivers.host_lock import mark_of

        return self.once("engine", lambda: Engine(self.machine, lambda: mark_of(self.observer.deployment.folder)))

    @property
    def observer(self) -> Observer:
        """The observer of the deployment."""
        from ..drivers.runtimes.compose import ComposeConfig, Observer

        stack = self.stack
        settings = ComposeConfig(stack.name, stack.folder, stack.project_path, stack.project)
        return self.once("observer", lambda: Observer(settings, self.engine))

    @property
    def runtime(self) -> ComposeRuntime:
        """Docker Compose."""
        from ..drivers.runtimes.compose import ComposeRuntime

        return self.once(
            "runtime",
            lambda: ComposeRuntime(
                self.observer,
                self.clock,
                self._held_jobs,
                lambda: self.api.answers(),
                lambda: self.database,
                self.variables(),
            ),
        )

    @property
    def workload(self) -> Workload:
        """The snapshot of the containers, and the database."""
        from ..drivers.runtimes.compose.workload import ComposeWorkload

        return ComposeWorkload(self.observer, lambda: self.jobs)

    @property
    def accounts(self) -> Accounts:
        """The application in its container."""
        from ..drivers.accounts.official import OfficialAccounts

        return OfficialAccounts(self.engine, self.observer.running("app"))

    @property
    def objects(self) -> ObjectStore:
        """The default store in the application's settings."""
        from ..drivers.objects.choice import open_store

        return self.once("objects", lambda: open_store(self.observer.environment("app"), self.endpoint_here))

    def endpoint_here(self, url: str) -> str:
        """Return where this machine reaches an address that containers use."""
        from ..drivers.routes.endpoint import endpoint_here

        return endpoint_here(url, self.forwards, lambda: self.observer.snapshot().containers)

    def variables(self) -> Mapping[str, str]:
        """Return variables that replace those of containers in commands that run there: none."""
        return {}

    @property
    def forwards(self) -> Forwards:
        """Forwarded ports of the host."""
        from ..drivers.routes.forwards import Forwards

        return self.once("forwards", lambda: Forwards(self.machine))

    @property
    def routes(self) -> ApiRoutes:
        """All routes to the API."""
        from ..drivers.routes.api import ApiRoutes, Topology

        def topology() -> Topology:
            environment = self.observer.environment("nginx") or self.observer.environment("app")
            is_here = self.stack.host == LOCAL
            return Topology(self.observer.snapshot().containers, environment, is_here, self.stack.public_host)

        return self.once("routes", lambda: ApiRoutes(lambda: self.forwards, topology, self.observer.certificate))

    @property
    def api(self) -> BestApi:
        """The API by the best route."""
        from ..drivers.routes.api import BestApi

        return self.once("api", lambda: BestApi(self.routes))

    @property
    def database(self) -> DatabaseRoute:
        """The route to the database."""
        from ..drivers.routes.database import DatabaseRoute, access_of

        def topology() -> tuple[Sequence[Container], DatabaseAccess]:
            return self.observer.snapshot().containers, access_of(self.observer.environment("app"))

        return self.once("database", lambda: DatabaseRoute(self.machine, self.forwards, topology))

    @property
    def footprint(self) -> Footprint:
        """Images, containers, volumes, logs and the database."""
        from ..drivers.docker.footprint import DockerFootprint

        return DockerFootprint(
            self.engine,
            self.observer.deployment.project,
            containers=lambda: self.observer.snapshot().containers,
            images=lambda: self.deployment.images.all(),
            environment=lambda: self.observer.environment("worker_wrapper"),
            database=lambda: (self.directory.database().size_bytes, self.directory.stored_bytes()),
        )

    @property
    def lock(self) -> Lock:
        """A process on the deployment's host."""
        from ..drivers.host_lock import HostLock

        folder = self.observer.deployment.folder
        return self.once("lock", lambda: HostLock(self.machine, folder, self.clock))

    @property
    def watch(self) -> Lock:
        """Another process there."""
        from ..drivers.host_lock import HostLock

        folder = self.observer.deployment.folder
        return self.once("watch", lambda: HostLock(self.machine, folder, self.clock, name="watch"))

    def events(self) -> Callable[[Callable[[], None]], EngineEvents] | None:
        """Return what opens the engine's stream on this machine; over SSH, looks come soon enough."""
        from ..drivers.docker.events import EngineEvents, ends_of_containers

        if self.stack.host != LOCAL:
            return None
        return lambda wake: EngineEvents(ends_of_containers(self.observer.deployment.project), wake)

    @property
    def audit(self) -> AuditLog:
        """A file next to the deployment."""
        from ..drivers.audit import HostAuditLog

        return self.logged(HostAuditLog(self.machine, self.records_folder))

    @property
    def rate_limits(self) -> RateLimiter:
        """The deployment's nginx."""
        from ..drivers.rate_limits.nginx import NginxRateLimits

        return NginxRateLimits(
            self.engine,
            self.clock,
            lambda: self.observer.running("nginx", fresh=True),
            self.deployment.traffic,
            lambda service, since: self.runtime.logs([service], lines=0, since=since, follow=False),
        )

    @property
    def backups(self) -> Backups:
        """Sets in the folder or the bucket of the configuration."""
        from .deployment_backups import deployment_backups

        return self.once("backups", lambda: deployment_backups(self))

    @property
    def deployment(self) -> Deployment:
        """The ports that only a deployment of containers has."""
        from .deployment import ComposeDeployment

        return self.once(
            "deployment",
            lambda: ComposeDeployment(
                self.observer, self.runtime, self.routes, self.database, self.clock, self.directory.setting
            ),
        )

    @property
    def records_folder(self) -> PurePosixPath:
        """Our own folder, next to the deployment's files."""
        from ..drivers.host_lock import FOLDER

        return self.observer.deployment.folder / FOLDER

    def interrupted(self) -> str | None:
        """Return the name of an interrupted operation that no operator is running, according to the last snapshot."""
        return self.observer.snapshot().interrupted

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection to the deployment's database, by the route that works."""
        return self.database.connect()

    def _held_jobs(self, containers: Sequence[Container]) -> dict[str, str | None]:
        """Return the ids of worker containers and of the jobs that they hold."""
        from ..drivers.runtimes.compose.holding import JobHolding

        return dict(JobHolding(self.engine, lambda: self.jobs)(containers))

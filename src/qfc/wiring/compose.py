"""The ports of an official deployment under Docker Compose, on this machine or on a server over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import StackConfig
from ..errors import QfcError
from ..stack.model import CommandResult, Kind
from ..stack.ports import (
    Accounts,
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
    Machine,
    ObjectStore,
    QueueStore,
    Runtime,
    Transitions,
    Workload,
)
from .once import Once

if TYPE_CHECKING:
    import psycopg

    from ..drivers.docker import Container, Engine
    from ..drivers.postgres import PostgresJobStore
    from ..drivers.routes.api import ApiRoutes, BestApi
    from ..drivers.routes.database import DatabaseAccess, DatabaseRoute
    from ..drivers.routes.forwards import Forwards
    from ..drivers.runtimes.compose import ComposeRuntime, Observer
    from ..drivers.runtimes.compose.holding import JobHolding

LOCAL = "local"


class ComposePorts:
    """The ports of one deployment. `machine` is where its commands run."""

    def __init__(self, stack: StackConfig, machine: Machine) -> None:
        self._stack, self._machine = stack, machine
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
        """Our own folder for the stack on this machine: what is remembered between calls."""
        return self._stack.folder

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        from ..drivers.clock import SystemClock

        return SystemClock()

    @property
    def host(self) -> Host:
        """Where the deployment is."""
        return self._machine

    @property
    def engine(self) -> Engine:
        """The Docker engine there; what it changes is marked as this deployment's."""
        from ..drivers.docker import Engine
        from ..drivers.host_lock import mark_of

        return self._once("engine", lambda: Engine(self._machine, lambda: mark_of(self.observer.deployment.folder)))

    @property
    def observer(self) -> Observer:
        """What looks at the deployment."""
        from ..drivers.runtimes.compose import ComposeConfig, Observer

        stack = self._stack
        settings = ComposeConfig(stack.name, stack.folder, stack.project_path, stack.project)
        return self._once("observer", lambda: Observer(settings, self.engine))

    @property
    def compose(self) -> ComposeRuntime:
        """The runtime, as what it is."""
        return self._once("compose", self._compose)

    @property
    def runtime(self) -> Runtime:
        """Docker Compose."""
        return self.compose

    @property
    def jobs(self) -> QueueStore:
        """The queue in the deployment's database."""
        return self._stored

    @property
    def workload(self) -> Workload:
        """What a look at the containers tells, and the database."""
        from ..drivers.runtimes.compose.workload import ComposeWorkload

        return ComposeWorkload(self.observer, lambda: self._stored)

    @property
    def directory(self) -> Directory:
        """People and projects in the deployment's database."""
        from ..drivers.postgres import PostgresDirectory

        return self._once("directory", lambda: PostgresDirectory(self._connect))

    @property
    def conditions(self) -> Conditions:
        """What the deployment's database tells of problems."""
        from ..drivers.postgres import PostgresConditions

        return self._once("conditions", lambda: PostgresConditions(self._connect))

    @property
    def lab(self) -> LabRows:
        """Faulty rows in the deployment's database."""
        from ..drivers.postgres.lab import PostgresLabRows

        return self._once("lab", lambda: PostgresLabRows(self._connect))

    @property
    def accounts(self) -> Accounts:
        """The application in its container."""
        from ..drivers.accounts.official import OfficialAccounts

        return OfficialAccounts(self.engine, self.observer.running("app"))

    @property
    def objects(self) -> ObjectStore:
        """The store that the application's settings name."""
        from ..drivers.objects.choice import open_store

        return self._once("objects", lambda: open_store(self.observer.environment("app"), self._endpoint_here))

    @property
    def routes(self) -> ApiRoutes:
        """All ways to the API."""
        from ..drivers.routes.api import ApiRoutes, Topology

        def topology() -> Topology:
            return Topology(
                self.observer.snapshot().containers,
                self.observer.environment("nginx") or self.observer.environment("app"),
                self._stack.host == LOCAL,
                self._stack.public_host,
            )

        return self._once("routes", lambda: ApiRoutes(self.forwards, topology, self._certificate))

    @property
    def api(self) -> BestApi:
        """The API by the best way."""
        from ..drivers.routes.api import BestApi

        return self._once("api", lambda: BestApi(self.routes))

    @property
    def footprint(self) -> Footprint:
        """Images, containers, volumes, logs and the database."""
        from ..drivers.docker.footprint import DockerFootprint

        return DockerFootprint(
            self.engine,
            self.observer.deployment.project,
            containers=lambda: self.observer.snapshot().containers,
            disks=lambda: self.observer.snapshot().disks,
            images=self.deployment.images.all,
            environment=lambda: self.observer.environment("worker_wrapper"),
            database=lambda: (self.directory.database().size_bytes, self.directory.stored_bytes()),
        )

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
        """A process on the deployment's host."""
        from ..drivers.host_lock import HostLock

        folder = self.observer.deployment.folder
        return self._once("lock", lambda: HostLock(self._machine, folder, self.clock))

    @property
    def audit(self) -> AuditLog:
        """A file beside the deployment."""
        from ..drivers.audit import HostAuditLog
        from ..drivers.host_lock import FOLDER

        return HostAuditLog(self._machine, self.observer.deployment.folder / FOLDER)

    @property
    def deployment(self) -> Deployment:
        """What only containers have."""
        from .deployment import ComposeDeployment

        return self._once("deployment", lambda: ComposeDeployment(self))

    def close(self) -> None:
        """Close connections and tunnels, then the way to the host."""
        self._once.close()
        self._machine.close()

    @property
    def forwards(self) -> Forwards:
        """Forwarded ports of the host."""
        from ..drivers.routes.forwards import Forwards

        return self._once("forwards", lambda: Forwards(self._machine))

    @property
    def _stored(self) -> PostgresJobStore:
        from ..drivers.postgres import PostgresJobStore

        return self._once("jobs", lambda: PostgresJobStore(self._connect))

    @property
    def _holding(self) -> JobHolding:
        from ..drivers.runtimes.compose.holding import JobHolding

        return JobHolding(self.engine, lambda: self._stored)

    @property
    def route(self) -> DatabaseRoute:
        """The way to the database."""
        from ..drivers.routes.database import DatabaseRoute

        return self._once("route", lambda: DatabaseRoute(self._machine, self.forwards, self._database_topology))

    def _connect(self) -> psycopg.Connection[Any]:
        return self.route.connect()

    def _database_topology(self) -> tuple[Sequence[Container], DatabaseAccess]:
        from ..drivers.routes.database import access_of

        return self.observer.snapshot().containers, access_of(self.observer.environment("app"))

    def _compose(self) -> ComposeRuntime:
        from ..drivers.runtimes.compose import ComposeRuntime

        def holding(containers: Sequence[Container]) -> dict[str, str | None]:
            return dict(self._holding(containers))

        return ComposeRuntime(
            self.observer, clock=self.clock, holding=holding, answers=self._answers, client=self._client
        )

    def _client(self, argv: Sequence[str]) -> CommandResult:
        """Run a program of PostgreSQL's client here, for a database that is in no container of the deployment."""
        from ..drivers.deployment.postgres_tools import attached, here
        from ..drivers.routes.database import access_of

        return attached(here(access_of(self.observer.environment("app")), self.route.parameters()), argv)

    def _answers(self) -> bool:
        """Return whether the API answers, by whichever way."""
        self.api.forget()
        try:
            return self.api.get("/api/v1/status/").status < 502
        except QfcError:
            return False

    def _endpoint_here(self, url: str) -> str:
        from ..drivers.routes.endpoint import endpoint_here

        return endpoint_here(url, self.forwards, lambda: self.observer.snapshot().containers)

    def _certificate(self) -> str:
        """Return the certificate that the deployment's nginx is told to serve."""
        nginx = self.observer.running("nginx")
        path = nginx.environment.get("QFIELDCLOUD_TLS_CERT", "")
        return self.engine.query(["docker", "exec", nginx.id, "cat", path]).stdout

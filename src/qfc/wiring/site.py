"""What all ports of a deployment stand on: its host's engine, what it runs, and the routes to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..config import StackConfig
from ..drivers.docker import Container, Engine
from ..drivers.host_lock import mark_of
from ..drivers.runtimes.compose import ComposeConfig, ComposeRuntime, Observer
from ..stack.model import CommandResult
from ..stack.ports import Clock, Machine, QueueStore
from .once import Once

if TYPE_CHECKING:
    import psycopg

    from ..drivers.routes.api import ApiRoutes, BestApi
    from ..drivers.routes.database import DatabaseAccess, DatabaseRoute
    from ..drivers.routes.forwards import Forwards

LOCAL = "local"


class Site:
    """One deployment under Docker Compose. Each part is made when it is first asked for, and closed with the ports."""

    def __init__(self, stack: StackConfig, machine: Machine, clock: Clock, once: Once) -> None:
        self._stack, self.machine, self.clock, self._once = stack, machine, clock, once

    @property
    def engine(self) -> Engine:
        """The Docker engine there; what it changes is marked as this deployment's."""
        return self._once("engine", lambda: Engine(self.machine, lambda: mark_of(self.observer.deployment.folder)))

    @property
    def observer(self) -> Observer:
        """What looks at the deployment."""
        stack = self._stack
        settings = ComposeConfig(stack.name, stack.folder, stack.project_path, stack.project)
        return self._once("observer", lambda: Observer(settings, self.engine))

    @property
    def runtime(self) -> ComposeRuntime:
        """Docker Compose."""
        return self._once(
            "runtime", lambda: ComposeRuntime(self.observer, self.clock, self.held_jobs, self.answers, self._client)
        )

    @property
    def forwards(self) -> Forwards:
        """Forwarded ports of the host."""
        from ..drivers.routes.forwards import Forwards

        return self._once("forwards", lambda: Forwards(self.machine))

    @property
    def routes(self) -> ApiRoutes:
        """All routes to the API."""
        from ..drivers.routes.api import ApiRoutes, Topology

        def topology() -> Topology:
            environment = self.observer.environment("nginx") or self.observer.environment("app")
            is_here = self._stack.host == LOCAL
            return Topology(self.observer.snapshot().containers, environment, is_here, self._stack.public_host)

        return self._once("routes", lambda: ApiRoutes(self.forwards, topology, self.observer.certificate))

    @property
    def api(self) -> BestApi:
        """The API by the best route."""
        from ..drivers.routes.api import BestApi

        return self._once("api", lambda: BestApi(self.routes))

    @property
    def database(self) -> DatabaseRoute:
        """The route to the database."""
        from ..drivers.routes.database import DatabaseRoute

        def topology() -> tuple[Sequence[Container], DatabaseAccess]:
            return self.observer.snapshot().containers, self.access()

        return self._once("database", lambda: DatabaseRoute(self.machine, self.forwards, topology))

    @property
    def stored_jobs(self) -> QueueStore:
        """The queue as the database has it."""
        from ..drivers.postgres import PostgresJobStore

        return self._once("stored_jobs", lambda: PostgresJobStore(self.connect))

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection to the deployment's database."""
        return self.database.connect()

    def access(self) -> DatabaseAccess:
        """Return how the application reaches its database. Raises ConfigError."""
        from ..drivers.routes.database import access_of

        return access_of(self.observer.environment("app"))

    def answers(self) -> bool:
        """Tell whether the API answers, by whichever route."""
        return self.api.answers()

    def held_jobs(self, containers: Sequence[Container]) -> dict[str, str | None]:
        """Return the ids of worker containers and of the jobs that they hold."""
        from ..drivers.runtimes.compose.holding import JobHolding

        return dict(JobHolding(self.engine, lambda: self.stored_jobs)(containers))

    def _client(self, argv: Sequence[str]) -> CommandResult:
        """Run a program of PostgreSQL's client here, for a database that is in no container of the deployment."""
        from ..drivers.deployment import postgres_tools

        return postgres_tools.attached(postgres_tools.here(self.access(), self.database.parameters()), argv)

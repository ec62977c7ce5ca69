"""What only a deployment of containers has, wired for one that Compose runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import NotFoundError, QfcError
from ..stack.model import CommandResult, MemoryRoom, StoreFacts
from ..stack.ports import (
    Api,
    Certificates,
    Dumps,
    Images,
    Inspection,
    Records,
    Rollout,
    Settings,
    Source,
    Traffic,
    Tunnels,
)
from .once import Once

if TYPE_CHECKING:
    import psycopg

    from ..drivers.deployment.postgres_tools import Tools
    from ..drivers.docker import Container
    from ..drivers.routes.address import Place
    from ..drivers.routes.database import DatabaseAccess
    from .compose import ComposePorts

BUILD_S = 4 * 3600.0


class ComposeDeployment:
    """The parts of one deployment. `ports` are its other ports."""

    def __init__(self, ports: ComposePorts) -> None:
        self._ports = ports
        self._once = Once()

    @property
    def folder(self) -> PurePosixPath:
        """Its folder on its host."""
        return self._ports.observer.deployment.folder

    @property
    def project(self) -> str:
        """Name of its Compose project."""
        return self._ports.observer.deployment.project

    @property
    def images(self) -> Images:
        """Its images on the engine."""
        from ..drivers.docker.images import DeploymentImages
        from ..stack.images import qgis_names

        observer = self._ports.observer
        return self._once(
            "images",
            lambda: DeploymentImages(
                self._ports.engine,
                self.project,
                containers=lambda: observer.snapshot(fresh=True).containers,
                names=lambda: self.rollout.facts().images,
                for_jobs=lambda: qgis_names(self.rollout.facts().images, self.settings.values()),
                build=lambda services, fresh: observer.compose.build(services, fresh=fresh),
                pull=lambda services: observer.compose.pull(services),
                run=self._compose,
            ),
        )

    @property
    def source(self) -> Source:
        """Its files under git."""
        from ..drivers.deployment.source import GitSource

        return GitSource(self._ports.engine, self.folder)

    @property
    def settings(self) -> Settings:
        """Its .env."""
        from ..drivers.deployment.settings import EnvSettings
        from ..drivers.runtimes.compose.env import Env

        return EnvSettings(Env(self._ports.engine, self.folder), self._ports.observer.forget_plan)

    @property
    def traffic(self) -> Traffic:
        """Its nginx."""
        from ..drivers.deployment.traffic import NginxTraffic

        return NginxTraffic(self._ports.engine, self._ports.clock, lambda: self._running("nginx"))

    @property
    def dumps(self) -> Dumps:
        """Dumps of its database."""
        from ..drivers.deployment.dumps import ServerDumps

        return self._once("dumps", lambda: ServerDumps(self._ports.engine, self._tools, self._access, self._connect_to))

    @property
    def records(self) -> Records:
        """Our documents beside it."""
        from ..drivers.deployment.records import HostRecords
        from ..drivers.host_lock import FOLDER

        return self._once("records", lambda: HostRecords(self._ports.engine.machine, self.folder / FOLDER))

    @property
    def rollout(self) -> Rollout:
        """Its containers while a release is changed."""
        from ..drivers.runtimes.compose.rollout import ComposeRollout

        return self._once("rollout", lambda: ComposeRollout(self._ports.observer, self._ports.compose.lifecycle))

    @property
    def certificates(self) -> Certificates:
        """Its TLS certificate."""
        from ..drivers.deployment.certificates import DeploymentCertificates

        return DeploymentCertificates(
            self._ports.engine,
            self._ports.clock,
            lambda: self._present("nginx"),
            lambda: self._running("certbot"),
            self._doors,
        )

    @property
    def tunnels(self) -> Tunnels:
        """Tunnels on its host."""
        from ..drivers.deployment.tunnels import CloudflareTunnels

        return CloudflareTunnels(self._ports.engine, self._ports.forwards)

    @property
    def inspection(self) -> Inspection:
        """What a diagnosis sees of its host."""
        from ..drivers.runtimes.compose.inspection import ComposeInspection

        ports = self._ports
        return self._once("inspection", lambda: ComposeInspection(ports.observer, ports.clock, self._stores))

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the volumes that its containers use."""
        found = {name for one in self._ports.observer.snapshot().containers for name in one.volumes}
        return tuple(sorted(found))

    def memory(self) -> MemoryRoom:
        """Return how much memory the host has for workers."""
        from ..drivers.deployment.memory import LIMIT_KEY, host_memory, node_limit, official_limit

        observer = self._ports.observer
        total, available = host_memory(self._ports.engine)
        workers = sum(one.memory_bytes or 0 for one in self._workers())
        environment = observer.environment("worker_wrapper")
        is_node = "QFIELDCLOUD_QGIS_IMAGE_NAME" not in environment and "qfc_node" in environment.get(
            "DJANGO_SETTINGS_MODULE", ""
        )
        limit = node_limit(environment) if is_node else official_limit(self._ports.directory.setting(LIMIT_KEY))
        return MemoryRoom(total, max(total - available - workers, 0), limit)

    def cache_latency_ms(self) -> float | None:
        """Ask the cache for its version; return how long that took, None where the deployment has no memcached."""
        from ..drivers.deployment.cache import latency_ms

        return latency_ms(self._ports.observer.containers("memcached"), self._ports.forwards)

    def legs(self) -> Mapping[str, Api]:
        """Return the API by each way that there is: public, nginx, app. A way that is not there is left out."""
        routes = self._ports.routes
        found: dict[str, Api] = {}
        makers: dict[str, Callable[[], Api]] = {"public": routes.public, "nginx": routes.nginx, "app": routes.app}
        for name, make in makers.items():
            try:
                found[name] = make()
            except QfcError:
                continue
        return found

    def _stores(self) -> list[StoreFacts]:
        from ..drivers.objects.choice import stores_of
        from ..drivers.objects.webdav import WebDav

        found = stores_of(self._ports.observer.environment("app")).values()
        return [
            StoreFacts(one.name, "webdav" if isinstance(one.place, WebDav) else "s3", one.endpoint) for one in found
        ]

    def _workers(self) -> list[Any]:
        services = {one.name: one for one in self._ports.observer.services()}
        return list(services["worker_wrapper"].instances) if "worker_wrapper" in services else []

    def _running(self, service: str) -> Container:
        self._ports.observer.snapshot(fresh=True)
        return self._ports.observer.running(service)

    def _present(self, service: str) -> Container:
        """Return a container of a service, one that runs before one that does not. Raises NotFoundError."""
        found = sorted(self._ports.observer.containers(service, fresh=True), key=lambda one: not one.is_running)
        return found[0] if found else self._ports.observer.running(service)

    def _compose(self, argv: Sequence[str]) -> CommandResult:
        return self._ports.engine.run(argv, folder=self.folder, timeout_s=BUILD_S)

    def _access(self) -> DatabaseAccess:
        from ..drivers.routes.database import access_of

        return access_of(self._ports.observer.environment("app"))

    def _tools(self) -> Tools:
        from ..drivers.deployment import postgres_tools

        access = self._access()
        try:
            container = self._running(access.host)
        except NotFoundError:
            if self._ports.observer.containers(access.host):
                raise
            return postgres_tools.here(access, self._ports.route.parameters())
        return postgres_tools.inside(container.id)

    def _connect_to(self, database: str) -> psycopg.Connection[Any]:
        return self._ports.route.connect(database)

    def _doors(self) -> list[tuple[str, Place]]:
        """Return the name that clients use, and where it leads: as they reach it, then straight to nginx."""
        from ..drivers.routes.address import Place, places

        routes = self._ports.routes
        parts = urlsplit(routes.names.url)
        name = parts.hostname or routes.names.host
        outside = [] if not self._reaches(routes.public) else [(name, Place(name, parts.port or 443))]
        own = self._ports.observer.containers("nginx")
        inside = [(name, self._ports.forwards.to(place)) for place in places("nginx", 443, own) if own]
        return outside + inside

    def _reaches(self, public: Callable[[], Api]) -> bool:
        try:
            public()
        except QfcError:
            return False
        return True

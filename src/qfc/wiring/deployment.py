"""The ports that only a deployment of containers has, for one that Compose runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..stack.ports import (
    Api,
    Certificates,
    Clock,
    Deployment,
    Dumps,
    Images,
    Inspection,
    Rollout,
    Settings,
    Source,
    Traffic,
    Tunnels,
)
from .base import Once

if TYPE_CHECKING:
    from ..drivers.routes.api import ApiRoutes
    from ..drivers.routes.database import DatabaseRoute
    from ..drivers.runtimes.compose import ComposeRuntime, Observer
    from ..stack.model import MemoryRoom


class ComposeDeployment(Deployment):
    """The parts of one deployment. `setting` returns a value from the application's table of settings."""

    def __init__(
        self,
        observer: Observer,
        runtime: ComposeRuntime,
        routes: ApiRoutes,
        database: DatabaseRoute,
        clock: Clock,
        setting: Callable[[str], str | None],
    ) -> None:
        self._observer, self._runtime, self._routes, self._database = observer, runtime, routes, database
        self._engine, self._clock, self._setting = observer.engine, clock, setting
        self._once = Once()

    @property
    def folder(self) -> PurePosixPath:
        """Its folder on its host."""
        return self._observer.deployment.folder

    @property
    def project(self) -> str:
        """Name of its Compose project."""
        return self._observer.deployment.project

    @property
    def images(self) -> Images:
        """Its images on the engine."""
        from ..drivers.docker.images import DeploymentImages
        from ..stack.images import qgis_names

        observer = self._observer
        return self._once(
            "images",
            lambda: DeploymentImages(
                self._engine,
                self.project,
                containers=lambda: observer.snapshot(fresh=True).containers,
                names=lambda: self.rollout.facts().images,
                for_jobs=lambda: qgis_names(self.rollout.facts().images, self.settings.values()),
                build=lambda services, fresh: observer.compose.build(services, fresh=fresh),
                pull=lambda services: observer.compose.pull(services),
                folder=self.folder,
            ),
        )

    @property
    def source(self) -> Source:
        """Its files under git."""
        from ..drivers.deployment.source import GitSource

        return GitSource(self._engine, self.folder)

    @property
    def settings(self) -> Settings:
        """Its .env."""
        from ..drivers.deployment.settings import EnvSettings
        from ..drivers.runtimes.compose.env import Env

        env = Env(self._engine, self.folder, lambda: self._observer.env_files)
        return EnvSettings(env, self._observer.forget_plan)

    @property
    def traffic(self) -> Traffic:
        """Its nginx."""
        from ..drivers.deployment.traffic import NginxTraffic

        observer = self._observer
        return NginxTraffic(self._engine, self._clock, lambda: observer.running("nginx", fresh=True))

    @property
    def dumps(self) -> Dumps:
        """Dumps of its database."""
        from ..drivers.deployment.dumps import ServerDumps
        from ..drivers.deployment.postgres_tools import tools_of

        database = self._database
        return self._once(
            "dumps",
            lambda: ServerDumps(
                self._engine,
                lambda: tools_of(database.access(), self._observer, database.parameters),
                database.access,
                database.connect,
            ),
        )

    @property
    def rollout(self) -> Rollout:
        """Its containers during a change of release."""
        from ..drivers.runtimes.compose.rollout import ComposeRollout

        return self._once("rollout", lambda: ComposeRollout(self._observer, self._runtime.lifecycle))

    @property
    def certificates(self) -> Certificates:
        """Its TLS certificate."""
        from ..drivers.deployment.certificates import DeploymentCertificates

        observer = self._observer
        return DeploymentCertificates(
            self._engine,
            self._clock,
            lambda: observer.present("nginx", fresh=True),
            lambda: observer.running("certbot", fresh=True),
            self._routes.doors,
        )

    @property
    def tunnels(self) -> Tunnels:
        """Tunnels on its host."""
        from ..drivers.deployment.tunnels import CloudflareTunnels

        return CloudflareTunnels(self._engine, self._routes.forwards)

    @property
    def inspection(self) -> Inspection:
        """Its inspection, for a diagnosis."""
        from ..drivers.objects.choice import facts_of
        from ..drivers.runtimes.compose.inspection import ComposeInspection

        observer = self._observer
        return self._once(
            "inspection",
            lambda: ComposeInspection(observer, self._clock, lambda: facts_of(observer.environment("app"))),
        )

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the volumes that its containers use."""
        return self._observer.volumes()

    def memory(self) -> MemoryRoom:
        """Return the memory of the host, and how much of it workers use."""
        from ..drivers.deployment.memory import memory_room

        return memory_room(self._engine, self._observer, self._setting)

    def cache_latency_ms(self) -> float | None:
        """Ask the cache for its version; return the latency in milliseconds, None without memcached."""
        from ..drivers.deployment.cache import latency_ms

        return latency_ms(self._observer.containers("memcached"), self._routes.forwards)

    def legs(self) -> Mapping[str, Api]:
        """Return the API by each existing route: `public`, `nginx`, `app`."""
        return self._routes.legs()

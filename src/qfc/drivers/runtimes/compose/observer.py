"""What a deployment runs and should run. One snapshot is shared by all callers within a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from ....errors import CommandError, ConfigError, NotFoundError
from ....stack.model import Disk, Service
from ...docker import snapshot as snapshots
from ...docker.containers import ENV_FILES, Container
from ...docker.engine import Engine
from ...docker.restarts import RestartHistory
from ...docker.snapshot import Snapshot, Use
from ...queue_depth import depth_query
from . import deployment as deployments
from . import program
from .deployment import ComposeConfig, ComposeProject
from .plan import ComposePlan, PlanStore, read_config
from .program import Compose
from .services import services

#: Seconds for which a snapshot counts as new: one command uses several of its parts.
FRESH_S = 1.0


class Observer:
    """Observes one deployment. Safe for threads."""

    def __init__(self, settings: ComposeConfig, engine: Engine) -> None:
        self.settings, self.engine = settings, engine
        self._plans = PlanStore(settings.home / "plan.json")
        self._restarts = RestartHistory(settings.home / "restarts.json")
        self._lock = threading.RLock()
        self._last: tuple[float, Snapshot] | None = None
        self._plan: ComposePlan | None = None
        self._planned_files: Mapping[str, str] = {}
        # One lock for everything: a cached_property of Python 3.11 has another one, and two can wait for each other.
        self._deployment: ComposeProject | None = None
        self._compose: Compose | None = None
        self._env_files: tuple[PurePosixPath, ...] | None = None

    @property
    def deployment(self) -> ComposeProject:
        """Folder and project. Raises ConfigError, NotFoundError."""
        with self._lock:
            if self._deployment is None:
                self._deployment = self._find_deployment()
            return self._deployment

    def _find_deployment(self) -> ComposeProject:
        folder = self.settings.folder
        if folder is None or self.settings.project is not None:
            return deployments.find(self.settings, self.engine)
        seen = {one.project for one in self.snapshot().containers}
        return ComposeProject(folder, seen.pop()) if len(seen) == 1 else deployments.find(self.settings, self.engine)

    @property
    def compose(self) -> Compose:
        """The host's Compose, for this project and its files of variables. Raises UnreachableError."""
        with self._lock:
            if self._compose is None:
                self._compose = self._find_compose()
            return self._compose

    def _find_compose(self) -> Compose:
        known = self._plan.version if self._plan else ""
        version = known or program.find(self.engine, self.deployment.project).version
        return Compose(version, self.deployment.project, tuple(map(str, self.env_files)))

    @property
    def env_files(self) -> tuple[PurePosixPath, ...]:
        """Return the files of variables that Compose was given for the newest container; none for the usual `.env`."""
        with self._lock:
            if self._env_files is None:
                self._env_files = self._find_env_files()
            return self._env_files

    def _find_env_files(self) -> tuple[PurePosixPath, ...]:
        own = [one for one in self.snapshot().containers if not one.is_one_off]
        newest = max(own, key=lambda one: one.created_at, default=None)
        named = newest.labels.get(ENV_FILES, "") if newest else ""
        paths = tuple(PurePosixPath(path) for path in named.split(",") if path)
        return () if paths == (self.deployment.folder / deployments.ENV_FILE,) else paths

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        """Return a snapshot of the deployment's containers. Raises UnreachableError and ConfigError."""
        with self._lock:
            if self._last is None or fresh or time.monotonic() - self._last[0] > FRESH_S:
                seen = snapshots.parse(self.engine.query(self._command()).stdout)
                self._require_one_project(seen)
                # Timed at its arrival: over a slow connection it takes longer than it counts as new.
                self._last = (time.monotonic(), seen)
            return self._last[1]

    def plan(self, *, fresh: bool = False) -> ComposePlan:
        """Return what should run. A fresh plan includes the environments. Raises CommandError for invalid files.

        A monitor observes for weeks: once a file has changed since the plan was made, it is made again.
        """
        with self._lock:
            if fresh:
                self._plan = self._ask_for_plan()
                self._planned_files = self.snapshot(fresh=True).files
                self._plans.remember(self._plan, self._planned_files)
            files = (self._last[1] if self._last else self.snapshot()).files
            if self._plan is None or files != self._planned_files:
                self._plan = self._plans.recall(files) or self._ask_for_plan()
                self._planned_files = files
                self._plans.remember(self._plan, files)
            return self._plan

    def plan_of(self, files: Sequence[str]) -> ComposePlan:
        """Return what would run with other Compose files; nothing of it is kept. Raises CommandError."""
        return self._ask_for_plan(files)

    def forget_plan(self) -> None:
        """Make the plan again on the next use: the files have changed."""
        with self._lock:
            self._plan = None
            self._last = None

    def services(self, *, fresh: bool = False) -> tuple[Service, ...]:
        """Return every service of the deployment; if its files are invalid, those of its containers."""
        seen = self.snapshot(fresh=fresh)
        try:
            plan = self.plan()
        except CommandError:
            if not seen.containers:
                raise
            plan = ComposePlan({})
        kills = [(one, seen.uses.get(one.pid or 0, Use()).oom_kills) for one in seen.containers]
        return services(seen, plan, self._restarts.update(kills))

    def containers(self, service: str, *, fresh: bool = False) -> tuple[Container, ...]:
        """Return the containers of a service, sorted by number."""
        found = [one for one in self.snapshot(fresh=fresh).containers if one.service == service and not one.is_one_off]
        return tuple(sorted(found, key=lambda one: one.number))

    def running(self, service: str, *, fresh: bool = False) -> Container:
        """Return a running container of a service. Raises NotFoundError."""
        for container in self.containers(service, fresh=fresh):
            if container.status == "running":
                return container
        raise NotFoundError(f"{service} does not run.", hint=f"Type: qfc services restart --service {service}")

    def present(self, service: str, *, fresh: bool = False) -> Container:
        """Return a container of a service, preferably a running one. Raises NotFoundError."""
        found = sorted(self.containers(service, fresh=fresh), key=lambda one: not one.is_running)
        return found[0] if found else self.running(service)

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the volumes that the containers use."""
        return tuple(sorted({name for one in self.snapshot().containers for name in one.volumes}))

    def certificate(self) -> str:
        """Return the certificate that nginx is configured to serve, as PEM."""
        nginx = self.running("nginx")
        path = nginx.environment.get("QFIELDCLOUD_TLS_CERT", "")
        return self.engine.query(["docker", "exec", nginx.id, "cat", path]).stdout

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service: that of a container, else that of a fresh plan. It contains secrets."""
        for container in self.containers(service):
            return container.environment
        return self.plan(fresh=True).environment.get(service, {})

    def disk(self) -> Disk:
        """Return the space of the deployment's file system with the smallest free share."""
        disks = self.snapshot().disks
        if not disks:
            raise NotFoundError(f"The disk space of {self.engine.machine.name} cannot be measured.")
        return min(disks, key=lambda one: one.free_bytes / max(one.total_bytes, 1))

    def _command(self) -> list[str]:
        """Return the command that takes a snapshot: of the project if it is known, else of the folder."""
        folder, project = self.settings.folder, self.settings.project
        if folder is None:
            found = self.deployment
            folder, project = found.folder, found.project
        label = snapshots.by_project(project) if project else snapshots.by_folder(folder)
        return snapshots.command(label, folder, depth_query=depth_query())

    def _require_one_project(self, seen: Snapshot) -> None:
        projects = sorted({one.project for one in seen.containers})
        if len(projects) > 1:
            raise ConfigError(
                [f"Several Compose projects run from {self.settings.folder}: {', '.join(projects)}."],
                hint=f"Choose one: qfc init {self.settings.name} --project NAME",
            )

    def _ask_for_plan(self, files: Sequence[str] = ()) -> ComposePlan:
        folder, compose = self.deployment.folder, self.compose
        done = self.engine.run(compose.config(files), folder=folder, timeout_s=60)
        return read_config(done.stdout, version=compose.version)

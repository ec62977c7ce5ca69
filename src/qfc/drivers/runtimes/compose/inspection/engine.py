"""The engine that runs a deployment's containers, and its neighbours on it."""

from __future__ import annotations

import json

from .....errors import UnreachableError
from .....stack.model import EngineFacts, Neighbour
from .....stack.ports.diagnosis import EngineInspection
from ....docker.containers import PROJECT, SERVICE, WORKING_DIR, Container
from ..lifecycle import WORKER
from ..observer import Observer
from .containers import inspected

#: The socket by which an official worker reaches the engine, in whatever folder of its container.
ENGINE_SOCKET = "docker.sock"
ENVIRONMENT = "ENVIRONMENT"


class ComposeEngine(EngineInspection):
    """The engine of one deployment."""

    def __init__(self, observer: Observer) -> None:
        self._observer, self._engine = observer, observer.engine

    def facts(self) -> EngineFacts:
        said = json.loads(self._engine.query(["docker", "info", "--format", "{{json .}}"]).stdout)
        try:
            compose = self._observer.compose.version
        except UnreachableError:
            compose = ""
        return EngineFacts(said["ServerVersion"], said["Architecture"], said["DockerRootDir"], compose)

    def networks(self) -> tuple[str, ...]:
        return tuple(self._engine.query(["docker", "network", "ls", "--format", "{{.Name}}"]).stdout.split())

    def subnets(self, network: str) -> tuple[str, ...]:
        wanted = "{{range .IPAM.Config}}{{.Subnet}} {{end}}"
        argv = ["docker", "network", "inspect", "--format", wanted, network]
        return tuple(self._engine.query(argv, check=False).stdout.split())

    def volumes(self) -> tuple[str, ...]:
        label = f"label={PROJECT}={self._observer.deployment.project}"
        labelled = self._engine.query(["docker", "volume", "ls", "-q", "--filter", label]).stdout.split()
        used = (name for one in self._observer.snapshot().containers for name in one.volumes)
        return tuple(sorted({*labelled, *used}))

    def other_deployments(self) -> tuple[Neighbour, ...]:
        mine = [one for one in self._observer.containers(WORKER) if _uses_engine(one)]
        labels = {one.environment.get(ENVIRONMENT, "") for one in mine}
        if not labels:
            return ()
        others = [one for one in inspected(self._engine, "--filter", f"label={SERVICE}={WORKER}") if _uses_engine(one)]
        project = self._observer.deployment.project
        found = {
            (one.project, one.labels.get(WORKING_DIR, ""))
            for one in others
            if one.project != project and one.environment.get(ENVIRONMENT, "") in labels
        }
        return tuple(Neighbour(name, folder) for name, folder in sorted(found))


def _uses_engine(worker: Container) -> bool:
    """Return whether a worker starts containers for its jobs; the node's own workers do not."""
    return any(one.endswith(ENGINE_SOCKET) for one in worker.mounts) or "DOCKER_HOST" in worker.environment

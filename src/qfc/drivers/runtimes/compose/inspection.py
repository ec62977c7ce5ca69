"""The closer look of a diagnosis at a deployment under Docker Compose. What a look has seen is not asked for again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from ....errors import NotFoundError, RefusedError, UnreachableError
from ....stack.model import (
    ContainerFacts,
    DiskPart,
    EngineFacts,
    Inodes,
    MailServer,
    Neighbour,
    Reached,
    StoreFacts,
    TemporaryFolder,
    Vantage,
)
from ....stack.ports import Clock
from ...docker.containers import PROJECT, SERVICE, WORKING_DIR, Container, container
from ...docker.engine import within
from ...docker.footprint import log_parts
from ...docker.job_folders import JobFolders
from ...docker.reaching import Reaching
from .lifecycle import WORKER
from .observer import JOB_LABEL, Observer

#: By this an official worker reaches the engine, whatever folder of its container it is in.
ENGINE_SOCKET = "docker.sock"
NETWORK, ENVIRONMENT = "QFIELDCLOUD_DEFAULT_NETWORK", "ENVIRONMENT"
# A container that goes away meanwhile makes inspect fail for it and print the others.
_INSPECT = """
ids=$(docker ps --no-trunc -q "$@") || exit
[ -z "$ids" ] || docker inspect --type container --format '{{json .}}' $ids
"""


class ComposeInspection:
    """Looks closer at one deployment. `stores` gives the stores that the application's settings name."""

    def __init__(self, observer: Observer, clock: Clock, stores: Callable[[], Sequence[StoreFacts]]) -> None:
        self._observer, self._clock, self._stores = observer, clock, stores
        self._engine = observer.engine
        self._reaching = Reaching(self._engine, observer.running)
        self._folders = JobFolders(self._engine, lambda: observer.containers(WORKER))

    def containers(self) -> tuple[ContainerFacts, ...]:
        """Return all containers of the deployment, those of single commands and of jobs too."""
        return tuple(_facts(one, is_own=True) for one in self._observer.snapshot().containers) + tuple(
            _facts(one, is_own=False) for one in self._of_jobs()
        )

    def orphans(self) -> tuple[ContainerFacts, ...]:
        """Return the containers of services that the files do not have any more."""
        planned = self._observer.plan().services
        own = [one for one in self._observer.snapshot().containers if not one.is_one_off]
        strange = [one for one in own if one.service not in planned]
        known = self._named() if strange else frozenset[str]()
        return tuple(_facts(one, is_own=True) for one in strange if one.service not in known)

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service. It holds secrets."""
        return self._observer.environment(service)

    def networks(self) -> tuple[str, ...]:
        """Return the names of the engine's networks."""
        return tuple(self._engine.query(["docker", "network", "ls", "--format", "{{.Name}}"]).stdout.split())

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the deployment's volumes, used or not."""
        label = f"label={PROJECT}={self._observer.deployment.project}"
        labelled = self._engine.query(["docker", "volume", "ls", "-q", "--filter", label]).stdout.split()
        used = (name for one in self._observer.snapshot().containers for name in one.volumes)
        return tuple(sorted({*labelled, *used}))

    def engine(self) -> EngineFacts:
        """Return what the engine is."""
        said = json.loads(self._engine.query(["docker", "info", "--format", "{{json .}}"]).stdout)
        try:
            compose = self._observer.compose.version
        except UnreachableError:
            compose = ""
        return EngineFacts(said["ServerVersion"], said["Architecture"], said["DockerRootDir"], compose)

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return the stores of files that the settings name, the usual one first."""
        return tuple(self._stores())

    def other_deployments(self) -> tuple[Neighbour, ...]:
        """Return deployments whose running workers mark their containers with the same label as those of this one."""
        mine = [one for one in self._observer.containers(WORKER) if _uses_engine(one)]
        labels = {one.environment.get(ENVIRONMENT, "") for one in mine}
        if not labels:
            return ()
        others = [one for one in self._inspect("--filter", f"label={SERVICE}={WORKER}") if _uses_engine(one)]
        project = self._observer.deployment.project
        found = {
            (one.project, one.labels.get(WORKING_DIR, ""))
            for one in others
            if one.project != project and one.environment.get(ENVIRONMENT, "") in labels
        }
        return tuple(Neighbour(name, folder) for name, folder in sorted(found))

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        """Return the folders that jobs left where workers share files with the host."""
        return self._folders.all(self._of_jobs())

    def logs(self) -> tuple[DiskPart, ...]:
        """Return the logs of containers; what may not be measured has no bytes."""
        return tuple(log_parts(self._engine, self._observer.snapshot().containers))

    def inodes(self) -> tuple[Inodes, ...]:
        """Return how many files the file systems of the deployment can hold."""
        places = (str(self._observer.deployment.folder), self.engine().root, "/")
        printed = self._engine.query(["df", "-Pi", *places], check=False).stdout
        return tuple(dict.fromkeys(_inodes(printed.splitlines()[1:])))

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Send a GET without credentials from there."""
        return self._reaching.reach(vantage, url)

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return the addresses to which a name leads there."""
        return self._reaching.resolves(name, vantage)

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        """Greet a mail server from the application."""
        return self._reaching.mail_server(host, port, encrypted=encrypted)

    def clock_offset_s(self) -> float:
        """Return by how many seconds the host's clock is ahead; right to a second and half the way there and back."""
        before = self._clock.now().timestamp()
        there = float(self._engine.query(["date", "+%s"]).stdout)
        return there - (before + self._clock.now().timestamp()) / 2

    def keep_running(self, service: str) -> None:
        """Let the engine start the service's containers again whenever they end."""
        ids = [one.id for one in self._observer.containers(service, fresh=True)]
        if not ids:
            raise NotFoundError(f"{service} has no container.", hint="Type: qfc up")
        self._engine.run(["docker", "update", "--restart", "unless-stopped", *ids])
        self._observer.snapshot(fresh=True)

    def remove_containers(self, ids: Sequence[str]) -> None:
        """Remove containers of the deployment; volumes stay."""
        strange = set(ids) - {one.id for one in self.containers()}
        if strange:
            raise RefusedError(f"No container of the deployment: {', '.join(sorted(strange))}.")
        if ids:
            self._engine.run(["docker", "rm", "--force", *ids])
        self._observer.snapshot(fresh=True)

    def remove_folders(self, paths: Sequence[str]) -> None:
        """Remove folders that jobs left, with all that is in them."""
        self._folders.remove(paths, self.temporary_folders())

    def _named(self) -> frozenset[str]:
        """Return the names of all services of the files, those of other profiles too."""
        argv = within(self._observer.deployment.folder, self._observer.compose.names())
        return frozenset(self._engine.query(argv).stdout.split())

    def _of_jobs(self) -> list[Container]:
        """Return the containers that the deployment's workers made for jobs: they are on its network."""
        seen = self._observer.snapshot().containers
        networks = {name for one in seen for name in (*one.addresses, one.network)}
        networks |= {one.environment[NETWORK] for one in seen if one.service == WORKER and NETWORK in one.environment}
        found = self._inspect("-a", "--filter", f"label={JOB_LABEL}")
        return [one for one in found if networks & {*one.addresses, one.network}]

    def _inspect(self, *filters: str) -> list[Container]:
        printed = self._engine.query(["sh", "-c", _INSPECT, "sh", *filters], check=False).stdout
        return [container(json.loads(line)) for line in printed.splitlines() if line.startswith("{")]


def _facts(one: Container, *, is_own: bool) -> ContainerFacts:
    return ContainerFacts(
        id=one.id,
        name=one.name,
        service=one.service,
        state=one.status,
        exit_code=one.exit_code,
        oom_killed=one.oom_killed,
        error=one.error,
        restart_policy=one.restart_policy,
        image=one.image,
        finished_at=one.finished_at,
        job_id="" if is_own else one.labels.get(JOB_LABEL, ""),
        is_own=is_own,
        is_one_off=one.is_one_off,
        networks=tuple(one.addresses) or ((one.network,) if one.network else ()),
        mounts=tuple(one.mounts),
    )


def _uses_engine(worker: Container) -> bool:
    """Tell whether a worker starts containers for its jobs: the node's own do not."""
    return any(one.endswith(ENGINE_SOCKET) for one in worker.mounts) or "DOCKER_HOST" in worker.environment


def _inodes(lines: Iterable[str]) -> list[Inodes]:
    """Read lines of `df -Pi`; file systems without a limit say 0 or a dash."""
    parts = (line.split(maxsplit=5) for line in lines)
    fitting = (one for one in parts if len(one) == 6 and one[1].isdigit() and one[3].isdigit() and int(one[1]))
    return [Inodes(int(one[3]), int(one[1]), one[5]) for one in fitting]

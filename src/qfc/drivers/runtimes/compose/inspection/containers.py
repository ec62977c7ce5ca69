"""All containers of a deployment: those of its services, and those that its workers created for jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .....errors import NotFoundError, RefusedError
from .....stack.model import ContainerFacts
from .....stack.ports.diagnosis import ContainerInspection
from ....docker.containers import JOB_LABEL, Container, PublishedPort, container
from ....docker.engine import Engine, within
from ..lifecycle import WORKER
from ..observer import Observer

NETWORK = "QFIELDCLOUD_DEFAULT_NETWORK"
# If a container vanishes meanwhile, inspect fails for it and prints the others.
_INSPECT = """
ids=$(docker ps --no-trunc -q "$@") || exit
[ -z "$ids" ] || docker inspect --type container --format '{{json .}}' $ids
"""


class ComposeContainers(ContainerInspection):
    """The containers of one deployment."""

    def __init__(self, observer: Observer) -> None:
        self._observer, self._engine = observer, observer.engine

    def all(self) -> tuple[ContainerFacts, ...]:
        own = self._observer.snapshot().containers
        made = of_jobs(self._observer)
        return tuple(_facts(one, is_own=True) for one in own) + tuple(_facts(one, is_own=False) for one in made)

    def orphans(self) -> tuple[ContainerFacts, ...]:
        planned = self._observer.plan().services
        own = [one for one in self._observer.snapshot().containers if not one.is_one_off]
        strange = [one for one in own if one.service not in planned]
        known = self._named() if strange else frozenset[str]()
        return tuple(_facts(one, is_own=True) for one in strange if one.service not in known)

    def keep_running(self, service: str) -> None:
        ids = [one.id for one in self._observer.containers(service, fresh=True)]
        if not ids:
            raise NotFoundError(f"{service} has no container.", hint="Type: qfc up")
        self._engine.run(["docker", "update", "--restart", "unless-stopped", *ids])
        self._observer.snapshot(fresh=True)

    def remove(self, ids: Sequence[str]) -> None:
        strange = set(ids) - {one.id for one in self.all()}
        if strange:
            raise RefusedError(f"These are not containers of the deployment: {', '.join(sorted(strange))}.")
        if ids:
            self._engine.run(["docker", "rm", "--force", *ids])
        self._observer.snapshot(fresh=True)

    def _named(self) -> frozenset[str]:
        """Return the names of all services in the files, including those of other profiles."""
        argv = within(self._observer.deployment.folder, self._observer.compose.names())
        return frozenset(self._engine.query(argv).stdout.split())


def of_jobs(observer: Observer) -> list[Container]:
    """Return the containers that the deployment's workers created for jobs: they are on its network."""
    seen = observer.snapshot().containers
    networks = {name for one in seen for name in (*one.addresses, one.network)}
    networks |= {one.environment[NETWORK] for one in seen if one.service == WORKER and NETWORK in one.environment}
    found = inspected(observer.engine, "-a", "--filter", f"label={JOB_LABEL}")
    return [one for one in found if networks & {*one.addresses, one.network}]


def inspected(engine: Engine, *filters: str) -> list[Container]:
    """Return the engine's containers that `docker ps` lists with these filters."""
    printed = engine.query(["sh", "-c", _INSPECT, "sh", *filters], check=False).stdout
    return [container(json.loads(line)) for line in printed.splitlines() if line.startswith("{")]


def _place(port: PublishedPort) -> str:
    host = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip or "0.0.0.0"
    return f"{host}:{port.host_port}"


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
        published=tuple(_place(port) for port in one.ports),
        labels=one.labels,
    )

"""The twin of the inspection: everything is as the test set it; a new one is healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from qfc.errors import NotFoundError, QfcError, RefusedError, UsageError
from qfc.stack.model import (
    ContainerFacts,
    DiskPart,
    EngineFacts,
    Inodes,
    MailServer,
    Neighbour,
    Reached,
    StoreContent,
    StoreFacts,
    TemporaryFolder,
    Vantage,
)
from qfc.stack.ports.diagnosis import (
    ContainerInspection,
    EngineInspection,
    EnvironmentInspection,
    HostInspection,
    NetworkInspection,
    StoreInspection,
)

from .site import SERVICES, Site

ENGINE = EngineFacts("29.0.1", "x86_64", "/var/lib/docker", "2.40.0")
STORE = StoreFacts("default", "s3", "http://minio:9000")
MAIL = MailServer(("STARTTLS", "AUTH"))
#: The variables of .env that services get.
PASSED = ("ENVIRONMENT", "QFIELDCLOUD_DEFAULT_NETWORK")
#: The answer of a store to a request without credentials.
FORBIDDEN = Reached(403, ms=1.0)


class MemoryInspection:
    """A deployment whose state is given. Implements `qfc.stack.ports.Inspection`."""

    def __init__(self, site: Site) -> None:
        self.containers = MemoryContainers(site)
        self.environment = MemoryEnvironment(site)
        self.engine = MemoryEngine(self.environment, [f"{site.project}_default"], [f"{site.project}_postgres_data"])
        self.host = MemoryHostState()
        self.network = MemoryNetwork()
        self.stores = MemoryStores()


class MemoryContainers(ContainerInspection):
    """Containers that are given. `orphaned` has the services that are no longer in the files."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.rows = [self.of(service) for service in SERVICES]
        self.orphaned: tuple[str, ...] = ()

    def of(self, service: str) -> ContainerFacts:
        """Return a container of a service as it should be."""
        return ContainerFacts(
            id=f"id-{service}",
            name=f"{self._site.project}-{service}-1",
            service=service,
            state="running",
            exit_code=0,
            oom_killed=False,
            error="",
            restart_policy="unless-stopped",
            image=self._site.name_of(service),
            networks=(f"{self._site.project}_default",),
        )

    def all(self) -> tuple[ContainerFacts, ...]:
        """Return what was given."""
        return tuple(self.rows)

    def orphans(self) -> tuple[ContainerFacts, ...]:
        """Return the containers of services that were given as orphaned."""
        return tuple(one for one in self.rows if one.service in self.orphaned)

    def keep_running(self, service: str) -> None:
        """Change the policy of a service's containers. Raises NotFoundError."""
        if service not in [one.service for one in self.rows]:
            raise NotFoundError(f"{service} has no container.")
        kept = (replace(one, restart_policy="unless-stopped") if one.service == service else one for one in self.rows)
        self.rows = list(kept)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove containers. Raises RefusedError for a missing one."""
        strange = set(ids) - {one.id for one in self.rows}
        if strange:
            raise RefusedError(f"These are not containers of the deployment: {', '.join(sorted(strange))}.")
        self.rows = [one for one in self.rows if one.id not in ids]


@dataclass
class MemoryEnvironment(EnvironmentInspection):
    """Variables of services: `given` has a service's own ones, `PASSED` names come from `.env`."""

    site: Site
    given: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    known_stores: tuple[StoreFacts, ...] = (STORE,)

    def of(self, service: str) -> Mapping[str, str]:
        """Return what was given, and the variables passed on from `.env`."""
        lines = dict(line.split("=", 1) for line in self.site.env.splitlines() if "=" in line)
        return {**self.given.get(service, {}), **{name: lines[name] for name in PASSED if name in lines}}

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return what was given."""
        return self.known_stores


@dataclass
class MemoryEngine(EngineInspection):
    """An engine that is given. `neighbours` have workers with the label `neighbours_label`."""

    environment: MemoryEnvironment
    network_names: list[str]
    volume_names: list[str]
    known: EngineFacts = ENGINE
    neighbours: tuple[Neighbour, ...] = ()
    neighbours_label: str = "production"
    ranges: tuple[str, ...] = ("172.18.0.0/16",)

    def facts(self) -> EngineFacts:
        """Return what was given."""
        return self.known

    def networks(self) -> tuple[str, ...]:
        """Return what was given."""
        return tuple(self.network_names)

    def subnets(self, network: str) -> tuple[str, ...]:
        """Return what was given, for a network that exists."""
        return self.ranges if network in self.network_names else ()

    def volumes(self) -> tuple[str, ...]:
        """Return what was given."""
        return tuple(self.volume_names)

    def other_deployments(self) -> tuple[Neighbour, ...]:
        """Return those that were given, if the workers have their label."""
        label = self.environment.of("worker_wrapper").get("ENVIRONMENT")
        return self.neighbours if label == self.neighbours_label else ()


@dataclass
class MemoryHostState(HostInspection):
    """Disks, a clock and folders of jobs that are given."""

    folders: list[TemporaryFolder] = field(default_factory=list[TemporaryFolder])
    log_parts: tuple[DiskPart, ...] = ()
    space: tuple[Inodes, ...] = (Inodes(9 * 10**6, 10**7, "/"),)
    offset_s: float = 0.0

    def logs(self) -> tuple[DiskPart, ...]:
        """Return what was given."""
        return self.log_parts

    def inodes(self) -> tuple[Inodes, ...]:
        """Return what was given."""
        return self.space

    def clock_offset_s(self) -> float:
        """Return what was given."""
        return self.offset_s

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        """Return what was given and not removed."""
        return tuple(self.folders)

    def remove_folders(self, paths: Sequence[str]) -> None:
        """Remove folders. Raises RefusedError for one that is not among those that were given."""
        strange = sorted(set(paths) - {one.path for one in self.folders})
        if strange:
            raise RefusedError(f"The folder {strange[0]} is not a leftover of a job.")
        self.folders = [one for one in self.folders if one.path not in paths]


@dataclass
class MemoryNetwork(NetworkInspection):
    """Servers that answer. `unreached`: unreachable routes with the reason; `nowhere`: names that do not resolve.

    `redirecting`: addresses that answer with a redirect; `answers`: those that answer with a status of their own.
    """

    unreached: dict[tuple[Vantage, str], str] = field(default_factory=dict[tuple[Vantage, str], str])
    nowhere: frozenset[str] = frozenset()
    redirecting: frozenset[str] = frozenset()
    answers: dict[str, int] = field(default_factory=dict[str, int])
    mail: MailServer = MAIL

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Answer like a store, unless that route is unreachable."""
        if "@" in url:
            raise UsageError("An address that contains credentials is not requested.")
        if url in self.redirecting:
            return Reached(302, ms=1.0)
        if url in self.answers:
            return Reached(self.answers[url], ms=1.0)
        error = self.unreached.get((vantage, url))
        return FORBIDDEN if error is None else Reached(None, error)

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return an address, unless the name does not resolve."""
        del vantage
        return () if name in self.nowhere else ("192.0.2.1",)

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        """Return the given greeting, unless the name does not resolve."""
        del port, encrypted
        return MailServer(error=f"no such name: {host}") if host in self.nowhere else self.mail


@dataclass
class MemoryStores(StoreInspection):
    """Stores with the content that was given; `failure` is why nobody can ask them. `days` is the rule that was set."""

    given: tuple[StoreContent, ...] = ()
    failure: QfcError | None = None
    days: int | None = None

    def contents(self) -> tuple[StoreContent, ...]:
        """Return what was given."""
        if self.failure:
            raise self.failure
        return self.given

    def expire(self, *, days: int) -> None:
        """Take the rule."""
        self.days = days
        self.given = tuple(replace(one, keeps_deleted=False) for one in self.given)

"""The parts of a deployment of containers: images, the revision of its files, dumps, certificates, the tunnel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Image:
    """An image of the deployment. `services` are those that should run it now; `in_use`: a container uses it.

    `unique_bytes` is the space that its removal would free; `release` is the release in its label or tag.
    """

    id: str
    names: tuple[str, ...]
    services: tuple[str, ...]
    created_at: datetime
    size_bytes: int
    unique_bytes: int | None = None
    release: str | None = None
    in_use: bool = False

    @property
    def name(self) -> str:
        """Its first name, else the first characters of its id."""
        return self.names[0] if self.names else self.id.removeprefix("sha256:")[:12]


@dataclass(frozen=True)
class Revision:
    """A state of the deployment's files: a commit, and its tag, branch or description."""

    commit: str
    name: str

    def __str__(self) -> str:
        short = self.commit[:10]
        return short if self.name == self.commit or not self.name else f"{self.name} ({short})"


@dataclass(frozen=True)
class SourceState:
    """The state of the folder under git: its revision, its branch if it is on one, and its changed files."""

    revision: Revision
    branch: str | None
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Dump:
    """A dump of the database, as verified by reading it back: its size, and the number of tables with their rows."""

    path: str
    size_bytes: int
    tables: int
    server_version: str


@dataclass(frozen=True)
class MemoryRoom:
    """Memory of the host, in bytes, and how much of it one worker with its job may use.

    `others_bytes` is the present use of everything except the workers and their jobs.
    """

    total_bytes: int
    others_bytes: int
    worker_bytes: int

    @property
    def most_workers(self) -> int:
        """How many workers fit into the memory."""
        return max((self.total_bytes - self.others_bytes) // max(self.worker_bytes, 1), 0)


@dataclass(frozen=True)
class Certificate:
    """A TLS certificate. `names` are the host names that it is valid for.

    `chain` counts the certificates in its file, including itself. `trusted` is None where trust was not tested;
    `problem` says why it is not trusted.
    """

    subject: str
    names: tuple[str, ...]
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    chain: int = 1
    trusted: bool | None = None
    problem: str = ""

    @property
    def is_self_signed(self) -> bool:
        """Whether its issuer is its subject."""
        return self.subject == self.issuer


@dataclass(frozen=True)
class TunnelRoute:
    """A rule of a tunnel: requests for a host name go to a service. An empty name means all other requests."""

    hostname: str
    service: str


@dataclass(frozen=True)
class Tunnel:
    """A cloudflared. `connections` is None where it does not report them; `metrics` is the address that was asked.

    `wanted`: it is to run whenever its machine runs.
    """

    kind: str
    name: str
    running: bool
    since: datetime | None = None
    connections: int | None = None
    metrics: str | None = None
    config: str | None = None
    routes: tuple[TunnelRoute, ...] = ()
    problem: str = ""
    wanted: bool = True


@dataclass(frozen=True)
class DiskPart:
    """Something that uses disk space: its kind, name and bytes; None where these cannot be measured.

    `reclaimable_bytes` is the part that `services prune` would free.
    """

    kind: str
    name: str
    bytes: int | None
    reclaimable_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True)
class ComposeFacts:
    """A deployment as Compose defines it: image names and replicas by service, and the services that are built.

    `volumes` are the named volumes of a service, `needs` the services that it depends on.
    """

    images: dict[str, str] = field(default_factory=dict[str, str])
    built: tuple[str, ...] = ()
    replicas: dict[str, int] = field(default_factory=dict[str, int])
    volumes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

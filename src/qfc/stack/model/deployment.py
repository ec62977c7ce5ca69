"""What a deployment of containers is made of: images, the revision of its files, dumps, certificates, the tunnel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Image:
    """An image of the deployment. `services` are those that should run it now; `in_use`: a container was made of it.

    `unique_bytes` is what its removal would free; `release` what its label or tag says of the release.
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
        """Its first name, else the beginning of its id."""
        return self.names[0] if self.names else self.id.removeprefix("sha256:")[:12]


@dataclass(frozen=True)
class Revision:
    """A state of the deployment's files: a commit, and the tag, branch or description by which people know it."""

    commit: str
    name: str

    def __str__(self) -> str:
        short = self.commit[:10]
        return short if self.name == self.commit or not self.name else f"{self.name} ({short})"


@dataclass(frozen=True)
class SourceState:
    """The folder under git: where it stands, the branch if it is on one, and files changed against it."""

    revision: Revision
    branch: str | None
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Dump:
    """A dump of the database, as it was read back: its size, and how many tables have their rows in it."""

    path: str
    size_bytes: int
    tables: int
    server_version: str


@dataclass(frozen=True)
class MemoryRoom:
    """Memory of the host, in bytes, and how much of it one worker with its job may take.

    `others_bytes` is what everything but the workers and their jobs takes now.
    """

    total_bytes: int
    others_bytes: int
    worker_bytes: int

    @property
    def most_workers(self) -> int:
        """How many workers fit."""
        return max((self.total_bytes - self.others_bytes) // max(self.worker_bytes, 1), 0)


@dataclass(frozen=True)
class Certificate:
    """A TLS certificate. `names` are those that it is for; `chain` counts the certificates that come with it."""

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
        """Whether nobody else vouches for it."""
        return self.subject == self.issuer


@dataclass(frozen=True)
class TunnelRoute:
    """A rule of a tunnel: requests for a host name go to a service. No name means all others."""

    hostname: str
    service: str


@dataclass(frozen=True)
class Tunnel:
    """A cloudflared, as it runs. `connections` is None when it does not tell; `metrics` is where it was asked."""

    kind: str
    name: str
    running: bool
    since: datetime | None = None
    connections: int | None = None
    metrics: str | None = None
    config: str | None = None
    routes: tuple[TunnelRoute, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class DiskPart:
    """Something that takes space: what kind of thing, its name, its bytes; None where they cannot be told.

    `reclaimable_bytes` is what `services prune` would free of it.
    """

    kind: str
    name: str
    bytes: int | None
    reclaimable_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True)
class ComposeFacts:
    """What Compose says that a deployment should be: image names and replicas by service."""

    images: dict[str, str] = field(default_factory=dict[str, str])
    built: tuple[str, ...] = ()
    replicas: dict[str, int] = field(default_factory=dict[str, int])

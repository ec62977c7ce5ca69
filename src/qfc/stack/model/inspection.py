"""A diagnosis's view of a deployment's host: containers, the engine, folders, connections between containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Vantage(StrEnum):
    """Where a request starts: on the host itself, or inside a service's container."""

    HOST = "host"
    APP = "app"
    NGINX = "nginx"


@dataclass(frozen=True)
class ContainerFacts:
    """A container of the deployment, or one that its workers created for a job; the latter has a `job_id`.

    `error` is the engine's message when it could not start it. `networks` are those that it is on, or would be on;
    `mounts` are its folders that come from outside, `published` its ports on the host (0.0.0.0:8012). `labels` are its
    own ones and those of its image.
    """

    id: str
    name: str
    service: str
    state: str
    exit_code: int
    oom_killed: bool
    error: str
    restart_policy: str
    image: str
    finished_at: datetime | None = None
    job_id: str = ""
    is_own: bool = True
    is_one_off: bool = False
    networks: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_running(self) -> bool:
        """Whether its process exists."""
        return self.state in ("running", "paused")


@dataclass(frozen=True)
class EngineFacts:
    """The host's Docker engine. `root` is the folder of its files; `compose` is empty without Compose."""

    version: str
    architecture: str
    root: str
    compose: str

    @property
    def compose_major(self) -> int | None:
        """The major version of Compose."""
        first = self.compose.partition(".")[0]
        return int(first) if first.isdigit() else None


@dataclass(frozen=True)
class StoreFacts:
    """A file store in the settings. `endpoint` contains no credentials; it is empty for a public cloud's default."""

    name: str
    kind: str
    endpoint: str


@dataclass(frozen=True)
class StoredBytes:
    """What a store holds for a project: bytes of its files, and of versions that were deleted and are still there."""

    project_id: str
    live: int
    deleted: int


@dataclass(frozen=True)
class StoreContent:
    """What an S3 store holds. `keeps_deleted`: nothing removes deleted versions. `is_whole` is false for a part."""

    store: str
    keeps_deleted: bool
    is_whole: bool
    projects: tuple[StoredBytes, ...]

    @property
    def live(self) -> int:
        """Bytes of files."""
        return sum(one.live for one in self.projects)

    @property
    def deleted(self) -> int:
        """Bytes of deleted versions."""
        return sum(one.deleted for one in self.projects)


@dataclass(frozen=True)
class Neighbour:
    """Another deployment on the same engine."""

    project: str
    folder: str


@dataclass(frozen=True)
class TemporaryFolder:
    """A job's folder that was left on the host. `job_id` is empty where the job is not known."""

    path: str
    age_s: float
    job_id: str = ""


@dataclass(frozen=True)
class Inodes:
    """Free and total inodes of a file system; `name` is its mount point."""

    free: int
    total: int
    name: str


@dataclass(frozen=True)
class MailServer:
    """The greeting of a mail server: its extensions (STARTTLS, AUTH, …), or why it does not answer."""

    extensions: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Reached:
    """The result of a request: an HTTP status, or why there was no answer. `ms` is None where it was not measured."""

    status: int | None
    error: str = ""
    ms: float | None = None

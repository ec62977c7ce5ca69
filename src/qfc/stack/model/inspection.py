"""What a diagnosis sees of a deployment's host: containers, the engine, folders, ways between containers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Vantage(StrEnum):
    """From where something is reached: the host itself, or inside a service's container."""

    HOST = "host"
    APP = "app"
    NGINX = "nginx"


@dataclass(frozen=True)
class ContainerFacts:
    """A container of the deployment, or one that its workers made for a job: that one has a `job_id`.

    `error` is what the engine said when it could not start it. `networks` are those that it is on, or would be;
    `mounts` its folders that come from elsewhere.
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

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.state in ("running", "paused")


@dataclass(frozen=True)
class EngineFacts:
    """The engine of the host. `root` is the folder of its files; `compose` is empty where there is no Compose."""

    version: str
    architecture: str
    root: str
    compose: str

    @property
    def compose_major(self) -> int | None:
        """The first number of Compose's version."""
        first = self.compose.partition(".")[0]
        return int(first) if first.isdigit() else None


@dataclass(frozen=True)
class StoreFacts:
    """A store of files that the settings name. `endpoint` has no credentials; it is empty for the public cloud's."""

    name: str
    kind: str
    endpoint: str


@dataclass(frozen=True)
class Neighbour:
    """Another deployment on the same engine."""

    project: str
    folder: str


@dataclass(frozen=True)
class TemporaryFolder:
    """A job's folder that was left on the host. `job_id` is empty where nothing tells whose it was."""

    path: str
    age_s: float
    job_id: str = ""


@dataclass(frozen=True)
class Inodes:
    """How many more files a file system can hold; `name` is where it is mounted."""

    free: int
    total: int
    name: str


@dataclass(frozen=True)
class MailServer:
    """How a mail server greets: what it can do, in its own words (STARTTLS, AUTH, …), or why it does not answer."""

    extensions: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Reached:
    """What came of a request: an HTTP status, or why there was no answer. `ms` is None where nobody measured it."""

    status: int | None
    error: str = ""
    ms: float | None = None

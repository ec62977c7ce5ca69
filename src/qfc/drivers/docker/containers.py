"""A container as `docker inspect` describes it, as far as the suite needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

#: The label of the containers that official workers start for jobs.
JOB_LABEL = "job_id"
COMPOSE = "com.docker.compose."
PROJECT = f"{COMPOSE}project"
SERVICE = f"{COMPOSE}service"
WORKING_DIR = f"{COMPOSE}project.working_dir"
#: The files of variables that Compose was given (`--env-file`), joined by commas; missing where it was given none.
ENV_FILES = f"{COMPOSE}project.environment_file"
#: The engine writes this in place of a missing time.
NO_MOMENT = "0001-01-01"


@dataclass(frozen=True)
class PublishedPort:
    """A port of the container that is published on the host."""

    container_port: int
    host_ip: str
    host_port: int


@dataclass(frozen=True)
class Container:
    """A container at one moment. `environment` may contain secrets and is never part of its `repr`.

    `addresses` are its addresses by network name; a stopped container has none. `mounts` maps its folders to the
    host's. `network` is the one that it was created in, `error` the reason why it could not be started.
    """

    id: str
    name: str
    image: str
    image_id: str
    status: str
    pid: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int
    oom_killed: bool
    restart_count: int
    restart_policy: str
    health: str | None
    tty: bool
    stop_timeout_s: int | None
    log_path: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[str, ...] = ()
    mounts: Mapping[str, str] = field(default_factory=dict[str, str])
    network: str = ""
    error: str = ""

    @property
    def service(self) -> str:
        """Name of its Compose service, empty without one."""
        return self.labels.get(SERVICE, "")

    @property
    def project(self) -> str:
        """Name of its Compose project, empty without one."""
        return self.labels.get(PROJECT, "")

    @property
    def number(self) -> int:
        """Its number among the containers of its service, from 1."""
        text = self.labels.get(f"{COMPOSE}container-number", "1")
        return int(text) if text.isdigit() else 1

    @property
    def is_of_job(self) -> bool:
        """Whether a worker started it for a job. It bears the labels of its image, which Compose built."""
        return JOB_LABEL in self.labels and f"{COMPOSE}container-number" not in self.labels

    @property
    def config_hash(self) -> str:
        """Hash of the service's configuration when Compose created the container."""
        return self.labels.get(f"{COMPOSE}config-hash", "")

    @property
    def is_one_off(self) -> bool:
        """Whether `compose run` created it."""
        return self.labels.get(f"{COMPOSE}oneoff", "").lower() == "true"

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.status in ("running", "paused")

    @property
    def address(self) -> str | None:
        """An address at which its host reaches it."""
        return next(iter(self.addresses.values()), None)


def container(document: Mapping[str, Any]) -> Container:
    """Read one object of `docker inspect`."""
    state, config, host = document["State"], document["Config"], document["HostConfig"]
    health = cast("dict[str, str]", state.get("Health") or {})
    mounts = cast("list[dict[str, str]]", document.get("Mounts") or [])
    return Container(
        id=document["Id"],
        name=document["Name"].lstrip("/"),
        image=config["Image"],
        image_id=document["Image"],
        status=state["Status"],
        pid=state["Pid"] or None,
        created_at=_known(document["Created"]),
        started_at=moment(state["StartedAt"]),
        finished_at=moment(state["FinishedAt"]),
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restart_count=document["RestartCount"],
        restart_policy=host["RestartPolicy"]["Name"],
        health=health.get("Status"),
        tty=bool(config.get("Tty")),
        stop_timeout_s=config.get("StopTimeout"),
        log_path=document.get("LogPath") or "",
        labels=config.get("Labels") or {},
        environment=_environment(config.get("Env") or []),
        addresses=_addresses(document["NetworkSettings"]),
        ports=tuple(_ports(document["NetworkSettings"])),
        volumes=tuple(mount["Name"] for mount in mounts if mount.get("Type") == "volume"),
        mounts={mount["Destination"]: mount["Source"] for mount in mounts if mount.get("Source")},
        network=host.get("NetworkMode") or "",
        error=state.get("Error") or "",
    )


def moment(text: str) -> datetime | None:
    """Read a time of the engine, which has nanoseconds; None where it is missing."""
    if not text or text.startswith(NO_MOMENT):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def _known(text: str) -> datetime:
    return moment(text) or datetime.fromtimestamp(0, UTC)


def _environment(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def _addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    networks = cast("dict[str, dict[str, str]]", settings.get("Networks") or {})
    return {name: network["IPAddress"] for name, network in networks.items() if network.get("IPAddress")}


def _ports(settings: Mapping[str, Any]) -> list[PublishedPort]:
    found: list[PublishedPort] = []
    for inner, bindings in cast("dict[str, list[dict[str, str]] | None]", settings.get("Ports") or {}).items():
        number = int(inner.partition("/")[0])
        found += [PublishedPort(number, one["HostIp"], int(one["HostPort"])) for one in bindings or []]
    return found

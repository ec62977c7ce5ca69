"""The state of the twin of a deployment, which survives an operator's process."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any

from qfc.stack.images import full_name
from qfc.stack.model import Revision

from .directory import MemoryDirectory
from .machine import START
from .queue import MemoryQueue

APP, WORKER = "app", "worker_wrapper"
SERVICES = ("db", APP, WORKER)
BUILT = (APP, WORKER)
FOLDER = PurePath("/memory/deployment")

#: Rows of the database: of users and projects, and of the queue.
Rows = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Release:
    """A commit: its files, its migrations in their order, and the steps that fail.

    `fails` may name: build, migrate (half-way, after the first new migration), start.
    """

    revision: Revision
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    migrations: tuple[str, ...] = ()
    fails: frozenset[str] = frozenset()
    made_at: datetime = START


@dataclass(frozen=True)
class BuiltImage:
    """An image: of a service, of a release."""

    service: str
    commit: str
    made_at: datetime


@dataclass
class Site:
    """A deployment's host. Releases are known by their commits; the first one is checked out, built and runs.

    `unready` services never become ready. `extra` has the names of images whose services only build them. `registry`
    has the names of images that can be pulled.
    """

    releases: Mapping[str, Release]
    directory: MemoryDirectory
    queue: MemoryQueue
    project: str = "memory"
    commit: str = ""
    branch: str | None = None
    changed: tuple[str, ...] = ()
    env: str = "QFIELDCLOUD_WORKER_REPLICAS=2\n"
    env_copies: tuple[str, ...] = ()
    images: dict[str, BuiltImage] = field(default_factory=dict[str, BuiltImage])
    names: dict[str, str] = field(default_factory=dict[str, str])
    containers: dict[str, str] = field(default_factory=dict[str, str])
    workers: int = 0
    files: dict[PurePath, str] = field(default_factory=dict[PurePath, str])
    dumps: dict[PurePath, Rows] = field(default_factory=dict[PurePath, Rows])
    held: tuple[str, tuple[str, ...]] | None = None
    unready: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict[str, str])
    registry: tuple[str, ...] = ()
    #: Files that COMPOSE_FILE may name, but that do not exist.
    missing_files: tuple[str, ...] = ()
    #: Services with their volumes, by the file of COMPOSE_FILE that alone defines them.
    defined_by: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict[str, dict[str, tuple[str, ...]]])

    def __post_init__(self) -> None:
        self.commit = self.commit or next(iter(self.releases))
        self.directory.migrations = self.release.migrations
        for service in SERVICES:
            self.build(service, START)
        self.containers = {service: self.names[self.name_of(service)] for service in SERVICES}
        self.workers = self.wanted_workers

    @property
    def env_before(self) -> str:
        """The text of .env before the last change."""
        return self.env_copies[-1]

    @property
    def services(self) -> tuple[str, ...]:
        """All services in the files."""
        return (*SERVICES, *self.extra)

    @property
    def built(self) -> tuple[str, ...]:
        """Those whose images are built here."""
        return (*BUILT, *self.extra)

    @property
    def release(self) -> Release:
        """The release whose files are checked out."""
        return self.releases[self.commit]

    @property
    def running(self) -> Release | None:
        """The release of the running application; None if it is not running."""
        image = self.containers.get(APP)
        return self.releases[self.images[image].commit] if image else None

    @property
    def wanted_workers(self) -> int:
        """The number of workers in .env."""
        return int(dict(line.split("=", 1) for line in self.env.splitlines() if "=" in line)[
            "QFIELDCLOUD_WORKER_REPLICAS"
        ])  # fmt: skip

    @property
    def answers(self) -> bool:
        """Whether the API answers: its application is running, and the tables match its migrations."""
        running = self.running
        return running is not None and "start" not in running.fails

    def name_of(self, service: str) -> str:
        """Return the name of a service's image."""
        if service in self.extra:
            return full_name(self.extra[service])
        return f"{self.project}-{service}:latest" if service in BUILT else f"{service}:15"

    def build(self, service: str, at: datetime) -> None:
        """Build a service's image from the current files; the same files give the same image."""
        commit = self.commit if service in self.built else ""
        image_id = f"sha256:{service}-{commit}"
        self.images.setdefault(image_id, BuiltImage(service, commit or self.commit, at))
        self.names[self.name_of(service)] = image_id

    def fetch(self, name: str, at: datetime) -> None:
        """Pull an image from the registry."""
        image_id = f"sha256:{name}"
        self.images[image_id] = BuiltImage("", self.commit, at)
        self.names[full_name(name)] = image_id

    def rows(self) -> Rows:
        """Return a copy of all rows of the database."""
        queue = {name: value for name, value in vars(self.queue).items() if name != "clock"}
        return copy.deepcopy((vars(self.directory), queue))

    def put_rows(self, rows: Rows) -> None:
        """Replace the rows of the database."""
        directory, queue = copy.deepcopy(rows)
        vars(self.directory).update(directory)
        vars(self.queue).update(queue)

"""Problems that the database shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FileTrouble(StrEnum):
    """What can be wrong with a file of a project, judged by its name and size.

    `TINY`: a raster or a database of less than 16 bytes; `RESERVED`: some devices cannot store the name; `HIDDEN`: a
    part of the name begins with a dot; `SECOND_PROJECT`: one of several project files; `IN_DATASETS`: a project file
    among shared datasets.
    """

    TINY = "tiny"
    RESERVED = "reserved"
    HIDDEN = "hidden"
    SECOND_PROJECT = "second_project"
    IN_DATASETS = "in_datasets"


@dataclass(frozen=True)
class FoundFile:
    """A file of a project (`owner/name`). `size_bytes` is the size of its newest version, 0 without a version."""

    project: str
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Miscount:
    """A project whose row counts other bytes (`counted_bytes`) than all versions of its files use (`stored_bytes`)."""

    project_id: str
    project: str
    stored_bytes: int
    counted_bytes: int


@dataclass(frozen=True)
class OldVersions:
    """Superseded versions of an account's files: their number and bytes."""

    owner: str
    versions: int
    bytes: int


@dataclass(frozen=True)
class ProjectCount:
    """A count of something in a project (`owner/name`)."""

    project: str
    count: int


@dataclass(frozen=True)
class LongJobs:
    """Slow jobs of one type in a project: 95 of 100 end within `p95_s` seconds."""

    project: str
    type: str
    jobs: int
    p95_s: float


@dataclass(frozen=True)
class CronRun:
    """The last start of one of the application's periodic tasks, and the start of its last successful run."""

    code: str
    last_start: datetime
    last_success: datetime | None


@dataclass(frozen=True)
class StuckSession:
    """A transaction that blocks others. `program` is its own application name.

    `what` is `idle` (it does nothing), `waiting` (it waits for a lock) or `prepared` (nothing will end it).
    """

    what: str
    program: str
    seconds: float


@dataclass(frozen=True)
class PlanLimits:
    """The limits of a plan, and how many accounts have it. None: the release has no such limit; -1: no limit."""

    code: str
    is_default: bool
    initial_status: str | None
    storage_bytes: int
    has_external_databases: bool | None
    max_members: int | None
    max_collaborators: int | None
    accounts: int


@dataclass(frozen=True)
class PlacesTaken:
    """An organization or private project that has reached its limit of `what` (members or collaborators).

    `plan` is the plan of its account.
    """

    name: str
    what: str
    taken: int
    most: int
    plan: str


class PlanChange(StrEnum):
    """A change to a plan: new accounts are active, external databases are allowed, or a limit is removed."""

    ACTIVE = "active"
    EXTERNAL_DATABASES = "external_databases"
    MEMBERS = "members"
    COLLABORATORS = "collaborators"

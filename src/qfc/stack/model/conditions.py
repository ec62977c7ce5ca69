"""What a database tells of problems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FileTrouble(StrEnum):
    """What can be wrong with a file of a project, as far as its name and its size tell.

    `TINY`: a raster or a database of less than 16 bytes; `RESERVED`: some device cannot store the name; `HIDDEN`: a
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
    """A file of a project (`owner/name`). `size_bytes` is that of its newest version, 0 where there is none."""

    project: str
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Miscount:
    """A project whose files take other bytes, in all their versions, than its own row says."""

    project_id: str
    project: str
    stored_bytes: int
    counted_bytes: int


@dataclass(frozen=True)
class OldVersions:
    """Versions of an account's files that are not the newest ones."""

    owner: str
    versions: int
    bytes: int


@dataclass(frozen=True)
class ProjectCount:
    """How many of something a project (`owner/name`) has."""

    project: str
    count: int


@dataclass(frozen=True)
class LongJobs:
    """Jobs of a type that take a project long: 95 of 100 end within `p95_s` seconds."""

    project: str
    type: str
    jobs: int
    p95_s: float


@dataclass(frozen=True)
class CronRun:
    """When one of the application's own periodic tasks was begun last, and when it began the last time it went well."""

    code: str
    last_start: datetime
    last_success: datetime | None


@dataclass(frozen=True)
class StuckSession:
    """A transaction that holds up others. `program` is what it calls itself.

    `what`: `idle` ones do nothing, `waiting` ones want a lock, `prepared` ones are ended by nobody.
    """

    what: str
    program: str
    seconds: float


@dataclass(frozen=True)
class PlanLimits:
    """What a plan allows, and how many accounts have it. None where the release has no such limit, -1 without limit."""

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
    """An organization or a private project (`what`: members, collaborators) to which nobody can be added any more.

    `plan` is that of its account.
    """

    name: str
    what: str
    taken: int
    most: int
    plan: str


class PlanChange(StrEnum):
    """What a plan is made to allow: accounts that are active at once, databases elsewhere, places without limit."""

    ACTIVE = "active"
    EXTERNAL_DATABASES = "external_databases"
    MEMBERS = "members"
    COLLABORATORS = "collaborators"

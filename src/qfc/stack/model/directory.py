"""Users, plans, projects, and the database that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class User:
    """A row of `core_user`, with the account's used storage and its quota. Sizes in bytes."""

    username: str
    email: str
    type: str
    is_superuser: bool
    is_active: bool
    last_login: datetime | None
    storage_used_bytes: int
    storage_quota_bytes: int | None


@dataclass(frozen=True)
class Subscription:
    """An account's present plan, and the storage added to it. Sizes in bytes; `status` is the server's own word.

    `added_bytes` is storage beyond the plan's, in units of `unit_bytes` where the server sells it in units.
    """

    plan: str
    status: str
    plan_bytes: int
    added_bytes: int
    unit_bytes: int | None
    has_external_databases: bool | None = None

    @property
    def is_active(self) -> bool:
        """Whether the account may do what its plan allows."""
        return self.status in ("active_paid", "active_past_due")


@dataclass(frozen=True)
class Plan:
    """A plan that accounts of a type may have."""

    code: str
    type: str
    storage_bytes: int
    is_default: bool


@dataclass(frozen=True)
class Project:
    """A row of `core_project` with sums over its files. `status` is ok, busy or failed.

    `files` is None where the release stores no file names in its database. `size_bytes` counts all versions.
    """

    id: str
    name: str
    owner: str
    status: str
    files: int | None
    size_bytes: int
    data_last_updated_at: datetime | None
    data_last_packaged_at: datetime | None
    problem: str | None = None
    locked_at: datetime | None = None


@dataclass(frozen=True)
class DatabaseStatus:
    """The database of a stack. `unapplied_migrations` are known to the application, but not applied."""

    version: str
    size_bytes: int
    connections: int
    max_connections: int
    tables: tuple[tuple[str, int | None, int], ...] = field(default=())  # name, rows (estimate), bytes
    unapplied_migrations: tuple[str, ...] | None = None

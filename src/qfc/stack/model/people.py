"""People, projects, and the database that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class User:
    """A row of `core_user`, with what its files take and may take. Sizes in bytes."""

    username: str
    email: str
    type: str
    is_superuser: bool
    is_active: bool
    last_login: datetime | None
    storage_used_bytes: int
    storage_quota_bytes: int | None


@dataclass(frozen=True)
class Project:
    """A row of `core_project` with sums over its files. `status` is ok, busy or failed.

    `files` is None where the release keeps no file names in its database. `size_bytes` counts all versions.
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
    """The database of a stack. `lag` of migrations: names known to the application and not applied."""

    version: str
    size_bytes: int
    connections: int
    max_connections: int
    tables: tuple[tuple[str, int | None, int], ...] = field(default=())  # name, rows (estimate), bytes
    unapplied_migrations: tuple[str, ...] | None = None

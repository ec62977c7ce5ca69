"""A stack's queue to test with: the same people, projects, jobs and deltas in every driver and in every schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypedDict

import psycopg

from qfc.drivers.memory import MemoryClock, MemoryDirectory, MemoryLabRows, MemoryQueue
from qfc.drivers.postgres import Connect, PostgresDirectory, PostgresJobStore
from qfc.drivers.postgres.lab import PostgresLabRows
from qfc.stack.ports import Directory, QueueStore

RELEASES = Path(__file__).parent / "releases"
#: Official releases of which there are tables, the oldest first; each begins with those of the one before it.
OFFICIAL = ("2024_09", "2025_02", "2025_11", "2026_06")
NOW = datetime.now(UTC).replace(microsecond=0)


class World(Protocol):
    """Makes rows. Times are given as minutes before now; ids are returned."""

    store: QueueStore
    directory: Directory
    #: Workers of this server hold leases and leave deltas alone that are done; None where nothing is known of them.
    has_leases: bool
    #: What a broken-off job has changed can be seen: files have versions, and projects say which layers they have.
    tells_effects: bool

    def person(self, name: str) -> None: ...
    def subscribe(self, name: str) -> None: ...
    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str: ...
    def job(
        self,
        project: str,
        status: str = "pending",
        *,
        type: str = "package",
        made: float = 10,
        started: float | None = None,
        ended: float | None = None,
        feedback: dict[str, Any] | None = None,
        output: str | None = None,
    ) -> str: ...
    def delta(self, project: str, status: str = "pending", *, job: str | None = None, made: float = 10) -> str: ...
    def part(self, job: str, delta: str, status: str) -> None: ...
    def part_status(self, job: str, delta: str) -> str: ...
    def close(self) -> None: ...


class DatabaseWorld:
    """Rows in a real PostgreSQL, made as the fault lab makes them, with whatever columns the schema has."""

    def __init__(self, connect: Connect) -> None:
        self._connection: psycopg.Connection[Any] = connect()
        self._connection.autocommit = True
        self.rows = PostgresLabRows(connect)
        self.store: PostgresJobStore = PostgresJobStore(connect)
        self.directory: PostgresDirectory = PostgresDirectory(connect)
        self.has_leases = self._has("core_job", "lease_token")
        versions = self._has("filestorage_fileversion", "id")
        tables = ("core_project", "project_project")
        self.tells_effects = versions and any(self._has(table, "project_details") for table in tables)
        if not self.execute("select 1 from core_user where username = 'alice'"):
            self.person("alice")

    def close(self) -> None:
        """Close every connection."""
        self.rows.close()
        self.store.close()
        self.directory.close()
        self._connection.close()

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """Run any statement; return its rows."""
        cursor = self._connection.execute(statement, parameters)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return cursor.fetchall() if cursor.description else []

    def person(self, name: str) -> None:
        """Make a person without an account."""
        self.rows.user(name)

    def subscribe(self, name: str) -> None:
        """Give a person an account, and a subscription to the plan `community`, as the application does."""
        self.rows.subscribe(name, plan="community")

    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str:
        """Make a project; one without details counts as failed."""
        since = None if locked is None else before(locked)
        read = None if details is None else json.loads(details)
        return self.rows.project(
            owner, name, made_at=NOW, locked_at=since, project_details=read, file_storage_bytes=1000
        )

    def job(
        self,
        project: str,
        status: str = "pending",
        *,
        type: str = "package",
        made: float = 10,
        started: float | None = None,
        ended: float | None = None,
        feedback: dict[str, Any] | None = None,
        output: str | None = None,
    ) -> str:
        """Make a job."""
        return self.rows.job(
            project, status, type=type, feedback=feedback, output=output, **moments(made, started, ended)
        )

    def delta(self, project: str, status: str = "pending", *, job: str | None = None, made: float = 10) -> str:
        """Make a delta, as a part of a job when one is given."""
        feedback = {"msg": "it went wrong"} if status == "error" else None
        return self.rows.delta(project, status, job=job, made_at=before(made), feedback=feedback)

    def part(self, job: str, delta: str, status: str) -> None:
        """Make a delta a part of a job."""
        self.insert("core_applyjobdelta", apply_job_id=job, delta_id=delta, status=status)

    def part_status(self, job: str, delta: str) -> str:
        """Return what a job's own record of a delta says."""
        statement = "select status from core_applyjobdelta where apply_job_id = %(job)s and delta_id = %(delta)s"
        return str(self.execute(statement, {"job": job, "delta": delta})[0][0])

    def user_id(self, name: str) -> int:
        """Return the id of an account."""
        return int(self.execute("select id from core_user where username = %(name)s", {"name": name})[0][0])

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row; values of columns that this schema lacks are left out."""
        self.rows.insert(table, **values)

    def _has(self, table: str, column: str) -> bool:
        statement = "select 1 from information_schema.columns where table_name = %(table)s and column_name = %(column)s"
        return bool(self.execute(statement, {"table": table, "column": column}))


def before(minutes: float) -> datetime:
    """Return the moment that many minutes ago."""
    return NOW - timedelta(minutes=minutes)


class Moments(TypedDict):
    """When a job was made, began and ended."""

    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def moments(made: float, started: float | None, ended: float | None) -> Moments:
    """Return moments that are given as minutes before now."""
    began, over = (None if minutes is None else before(minutes) for minutes in (started, ended))
    return {"made_at": before(made), "started_at": began, "ended_at": over}


def official_schema(name: str) -> str:
    """Return the statements that make the tables of an official release."""
    releases = OFFICIAL[: OFFICIAL.index(name) + 1]
    return "\n".join((RELEASES / f"{release}.sql").read_text(encoding="utf-8") for release in releases)


class MemoryWorld:
    """Rows in the memory twins, made as the fault lab makes them."""

    def __init__(self, store: MemoryQueue | None = None, directory: MemoryDirectory | None = None) -> None:
        self.store: MemoryQueue = store or MemoryQueue(MemoryClock(NOW))
        self.directory: MemoryDirectory = directory or MemoryDirectory()
        self.rows = MemoryLabRows(self.store, self.directory)
        self.has_leases = self.tells_effects = True
        self.person("alice")

    def close(self) -> None:
        """Nothing is open."""

    def person(self, name: str) -> None:
        """Make a person without an account."""
        self.rows.user(name)

    def subscribe(self, name: str) -> None:
        """Give a person a subscription to the plan `community`."""
        self.rows.subscribe(name, plan="community")

    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str:
        """Make a project."""
        del details
        since = None if locked is None else before(locked)
        return self.rows.project(owner, name, made_at=NOW, locked_at=since, file_storage_bytes=1000)

    def job(
        self,
        project: str,
        status: str = "pending",
        *,
        type: str = "package",
        made: float = 10,
        started: float | None = None,
        ended: float | None = None,
        feedback: dict[str, Any] | None = None,
        output: str | None = None,
    ) -> str:
        """Make a job."""
        return self.rows.job(
            project, status, type=type, feedback=feedback, output=output, **moments(made, started, ended)
        )

    def delta(self, project: str, status: str = "pending", *, job: str | None = None, made: float = 10) -> str:
        """Make a delta, as a part of a job when one is given."""
        feedback = {"msg": "it went wrong"} if status == "error" else None
        return self.rows.delta(project, status, job=job, made_at=before(made), feedback=feedback)

    def part(self, job: str, delta: str, status: str) -> None:
        """Make a delta a part of a job."""
        self.store.parts[job, delta] = status

    def part_status(self, job: str, delta: str) -> str:
        """Return what a job's own record of a delta says."""
        return self.store.parts[job, delta]

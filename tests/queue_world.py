"""A stack's queue for tests: the same users, projects, jobs and deltas in every driver and in every schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row, tuple_row

from qfc.drivers.postgres import Connect, PostgresConditions, PostgresDirectory, PostgresJobStore
from qfc.drivers.postgres.connection import Transaction
from qfc.drivers.postgres.lab import PostgresLabRows
from qfc.drivers.postgres.lab_rows import (
    make_delta,
    make_job,
    make_project,
    make_user,
    remove_projects,
    subscribe,
    user_id,
)
from qfc.drivers.postgres.lab_tables import Tables
from qfc.drivers.postgres.schema import resolve
from qfc.stack.model import Delta, Job, JobStatus, Plan, Project, Subscription, User
from qfc.stack.ports import DatabaseQueue, Directory
from recorded import RECORDED, schema_of_record
from twins import MemoryClock, MemoryDirectory, MemoryQueue

RELEASES = Path(__file__).parent / "releases"
#: Official releases with recorded tables, the oldest first; each starts with the tables of the previous one.
OFFICIAL = ("2024_09", "2025_02", "2025_11", "2026_06", "2026_08")
_moment = datetime.now(UTC).replace(microsecond=0)


class World(Protocol):
    """Creates rows and returns their ids. Times are in minutes before now."""

    store: DatabaseQueue
    directory: Directory
    #: Whether this server's workers hold leases and skip deltas that are done; None if nothing is known about them.
    has_leases: bool
    #: Whether changes of an interrupted job are visible: files have versions, and projects list their layers.
    tells_effects: bool

    def now(self) -> datetime: ...
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
        by: str = "alice",
    ) -> str: ...
    def delta(
        self,
        project: str,
        status: str = "pending",
        *,
        job: str | None = None,
        made: float = 10,
        by: str = "alice",
        feedback: dict[str, Any] | None = None,
    ) -> str: ...
    def part(self, job: str, delta: str, status: str) -> None: ...
    def part_status(self, job: str, delta: str) -> str: ...
    def delete_project(self, project: str) -> None: ...
    def close(self) -> None: ...


class DatabaseWorld:
    """Rows in a real PostgreSQL, written with the columns that the schema has, as the fault lab writes them."""

    def __init__(self, connect: Connect) -> None:
        self._connection: psycopg.Connection[Any] = connect()
        self._connection.autocommit = True
        self._connection.row_factory = dict_row  # pyright: ignore[reportAttributeAccessIssue]
        self.tables = Tables(Transaction(self._connection, resolve(self._connection)))
        self.store: PostgresJobStore = PostgresJobStore(connect)
        self.directory: PostgresDirectory = PostgresDirectory(connect)
        self.conditions: PostgresConditions = PostgresConditions(connect)
        self.lab: PostgresLabRows = PostgresLabRows(connect)
        self.has_leases = self.tables.has_leases
        self.project_table = self.tables.name("project")
        self.tells_effects = self.has_table("file_version") and self.has_column("project", "project_details")
        if not self.tables.ids("user", username="alice"):
            self.person("alice")

    def close(self) -> None:
        """Close every connection."""
        self.forget()
        self._connection.close()

    def forget(self) -> None:
        """Close the connections of the drivers: the next ones see what a new session sees."""
        for port in (self.store, self.directory, self.conditions, self.lab):
            port.close()

    def now(self) -> datetime:
        """Return the database's current time: `moment()` plus the duration of the test so far."""
        return datetime.now(UTC)

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """Run any statement; return its rows."""
        cursor = self._connection.cursor(row_factory=tuple_row)
        cursor.execute(statement, parameters)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return cursor.fetchall() if cursor.description else []

    def person(self, name: str) -> None:
        """Make a person."""
        make_user(self.tables, name)

    def subscribe(self, name: str) -> None:
        """Give a person an account, and a subscription to the plan `community`, as the application does."""
        subscribe(self.tables, self.user_id(name), plan="community")

    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str:
        """Make a project; one without details counts as failed."""
        locked_at = None if locked is None else before(locked)
        return make_project(
            self.tables,
            self.user_id(owner),
            name,
            made_at=moment(),
            project_details=details,
            file_storage_bytes=1000,
            locked_at=locked_at,
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
        by: str = "alice",
    ) -> str:
        """Make a job."""
        return make_job(
            self.tables,
            project,
            status,
            author=self.user_id(by),
            made_at=before(made),
            type=type,
            started_at=None if started is None else before(started),
            ended_at=None if ended is None else before(ended),
            feedback=feedback,
            output=output,
        )

    def delta(
        self,
        project: str,
        status: str = "pending",
        *,
        job: str | None = None,
        made: float = 10,
        by: str = "alice",
        feedback: dict[str, Any] | None = None,
    ) -> str:
        """Make a delta, as a part of a job when one is given."""
        told = feedback or ({"msg": "it went wrong"} if status == "error" else None)
        author = self.user_id(by)
        return make_delta(self.tables, project, status, author=author, made_at=before(made), job=job, feedback=told)

    def part(self, job: str, delta: str, status: str) -> None:
        """Make a delta a part of a job."""
        self.insert("apply_job_delta", apply_job_id=job, delta_id=delta, status=status)

    def part_status(self, job: str, delta: str) -> str:
        """Return what a job's own record of a delta says."""
        (row,) = self.tables.select("apply_job_delta", {"apply_job_id": job, "delta_id": delta}, ["status"])
        return str(row["status"])

    def delete_project(self, project: str) -> None:
        """Delete a project with all that belongs to it, as the application does."""
        remove_projects(self.tables, [UUID(project)])

    def has_table(self, table: str) -> bool:
        """Return whether this schema has a table."""
        return bool(self.tables.columns(table))

    def has_column(self, table: str, column: str) -> bool:
        """Return whether this schema has a column."""
        return column in self.tables.columns(table)

    def user_id(self, name: str) -> int:
        """Return the id of an account."""
        return user_id(self.tables, name)

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row; values of columns that this schema lacks are left out."""
        self.tables.insert(table, **values)


def moment() -> datetime:
    """Return the moment at which the current test began: hours of tests must not make rows old."""
    return _moment


def begin_moment() -> None:
    """Note that a test begins."""
    global _moment
    _moment = datetime.now(UTC).replace(microsecond=0)


def before(minutes: float) -> datetime:
    """Return the moment that many minutes before the current test began."""
    return moment() - timedelta(minutes=minutes)


def official_schema(name: str) -> str:
    """Return the statements that create the tables of an official release, written or recorded."""
    if name in RECORDED:
        return schema_of_record(name)
    releases = OFFICIAL[: OFFICIAL.index(name) + 1]
    return "\n".join((RELEASES / f"{release}.sql").read_text(encoding="utf-8") for release in releases)


class MemoryWorld:
    """Rows in the memory twins."""

    def __init__(self, store: MemoryQueue | None = None, directory: MemoryDirectory | None = None) -> None:
        self.store: MemoryQueue = store or MemoryQueue(MemoryClock(moment()))
        self.directory: MemoryDirectory = directory or MemoryDirectory()
        self.has_leases = self.tells_effects = True
        self.person("alice")

    def close(self) -> None:
        """Nothing is open."""

    def now(self) -> datetime:
        """Return the time of the queue's clock."""
        return moment()

    def person(self, name: str) -> None:
        """Make a person."""
        self.directory.user_rows[name] = User(name, f"{name}@example.com", "person", False, True, None, 0, None)

    def subscribe(self, name: str) -> None:
        """Give a person a subscription to the plan `community`."""
        self.directory.plan_rows = (Plan("community", "person", 100 * 10**6, True),)
        self.directory.subscriptions[name] = Subscription("community", "active_paid", 100 * 10**6, 0, None, True)
        user = self.directory.user_rows[name]
        self.directory.user_rows[name] = replace(user, storage_quota_bytes=100 * 10**6)

    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str:
        """Make a project."""
        del details
        project = str(uuid4())
        since = None if locked is None else before(locked)
        self.directory.project_rows[project] = Project(project, name, owner, "ok", 0, 1000, None, None, locked_at=since)
        if since is not None:
            self.store.locks[project] = since
        return project

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
        by: str = "alice",
    ) -> str:
        """Make a job."""
        job = str(uuid4())
        row = self.directory.project_rows[project]
        self.store.job_rows[job] = Job(
            id=job,
            type=type,
            status=JobStatus(status),
            project_id=project,
            project=f"{row.owner}/{row.name}",
            created_by=by,
            created_at=before(made),
            started_at=None if started is None else before(started),
            finished_at=None if ended is None else before(ended),
            attempts=0,
            feedback=feedback,
            output=output,
        )
        return job

    def delta(
        self,
        project: str,
        status: str = "pending",
        *,
        job: str | None = None,
        made: float = 10,
        by: str = "alice",
        feedback: dict[str, Any] | None = None,
    ) -> str:
        """Make a delta, as a part of a job when one is given."""
        delta = str(uuid4())
        row = self.directory.project_rows[project]
        self.store.delta_rows[delta] = Delta(
            id=delta,
            deltafile_id=str(uuid4()),
            project_id=project,
            project=f"{row.owner}/{row.name}",
            status=status,
            method="create",
            layer_id="trees_1",
            created_by=by,
            created_at=before(made),
            updated_at=before(made),
            feedback=feedback or ({"msg": "it went wrong"} if status == "error" else None),
            content={"method": "create", "sourceLayerId": "trees_1", "uuid": delta},
        )
        if job is not None:
            self.part(job, delta, status)
        return delta

    def part(self, job: str, delta: str, status: str) -> None:
        """Make a delta a part of a job."""
        self.store.parts[job, delta] = status

    def part_status(self, job: str, delta: str) -> str:
        """Return what a job's own record of a delta says."""
        return self.store.parts[job, delta]

    def delete_project(self, project: str) -> None:
        """Delete a project with all that belongs to it."""
        store = self.store
        del self.directory.project_rows[project]
        store.locks.pop(project, None)
        store.job_rows = {name: row for name, row in store.job_rows.items() if row.project_id != project}
        store.delta_rows = {name: row for name, row in store.delta_rows.items() if row.project_id != project}
        store.parts = {key: status for key, status in store.parts.items() if key[0] in store.job_rows}

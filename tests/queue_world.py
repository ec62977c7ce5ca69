"""A stack's queue to test with: the same people, projects, jobs and deltas in every driver and in every schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import psycopg
from psycopg import sql

from qfc.drivers.postgres import Connect, PostgresConditions, PostgresDirectory, PostgresJobStore
from qfc.stack.model import Delta, Job, JobStatus, Plan, Project, Subscription, User
from qfc.stack.ports import Conditions, DatabaseQueue, Directory
from twins import MemoryClock, MemoryConditions, MemoryDirectory, MemoryQueue

RELEASES = Path(__file__).parent / "releases"
#: Official releases of which there are tables, the oldest first; each begins with those of the one before it.
OFFICIAL = ("2024_09", "2025_02", "2025_11", "2026_06")
NOW = datetime.now(UTC).replace(microsecond=0)


class World(Protocol):
    """Makes rows. Times are given as minutes before now; ids are returned."""

    store: DatabaseQueue
    directory: Directory
    conditions: Conditions
    #: Workers of this server hold leases and leave deltas alone that are done; None where nothing is known of them.
    has_leases: bool
    #: What a broken-off job has changed can be seen: files have versions, and projects say which layers they have.
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
    """Rows in a real PostgreSQL, written with whatever columns the schema has."""

    def __init__(self, connect: Connect) -> None:
        self._connection: psycopg.Connection[Any] = connect()
        self._connection.autocommit = True
        self.store: PostgresJobStore = PostgresJobStore(connect)
        self.directory: PostgresDirectory = PostgresDirectory(connect)
        self.conditions: PostgresConditions = PostgresConditions(connect)
        self.columns = self._read_columns()
        self.has_leases = "lease_token" in self.columns["core_job"]
        self.project_table = "project_project" if "project_project" in self.columns else "core_project"
        versions = self.execute("select 1 from pg_class where relname = 'filestorage_fileversion'")
        self.tells_effects = bool(versions) and "project_details" in self.columns[self.project_table]
        if not self.execute("select 1 from core_user where username = 'alice'"):
            self.person("alice")

    def close(self) -> None:
        """Close every connection."""
        self.store.close()
        self.directory.close()
        self.conditions.close()
        self._connection.close()

    def now(self) -> datetime:
        """Return what the database takes for now: later than `NOW` by what the tests have taken so far."""
        return datetime.now(UTC)

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """Run any statement; return its rows."""
        cursor = self._connection.execute(statement, parameters)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return cursor.fetchall() if cursor.description else []

    def person(self, name: str) -> None:
        """Make a person."""
        self.insert(
            "core_user",
            password="",
            is_superuser=False,
            username=name,
            first_name="",
            last_name="",
            email=f"{name}@example.com",
            is_staff=False,
            is_active=True,
            date_joined=NOW,
            type=1,
        )

    def subscribe(self, name: str) -> None:
        """Give a person an account, and a subscription to the plan `community`, as the application does."""
        user = self.user_id(name)
        self.insert("core_useraccount", user_id=user, db_limit_mb=25, bio="", is_email_public=False, location="",
                    twitter="", company="", is_geodb_enabled=False, avatar_uri="", timezone="UTC")  # fmt: skip
        (plan,) = self.execute("select id from subscription_plan where code = 'community'")
        self.insert("subscription_subscription", uuid=str(uuid4()), account_id=user, plan_id=plan[0],
                    status="active_paid", created_by_id=user, active_since=before(60), created_at=NOW,
                    updated_at=NOW)  # fmt: skip

    def project(
        self, name: str, *, owner: str = "alice", locked: float | None = None, details: str | None = "{}"
    ) -> str:
        """Make a project; one without details counts as failed."""
        project = str(uuid4())
        self.insert(
            self.project_table,
            id=project,
            name=name,
            description="",
            created_at=NOW,
            updated_at=NOW,
            owner_id=self.user_id(owner),
            overwrite_conflicts=True,
            is_public=False,
            project_filename="survey.qgs",
            the_qgis_file_name="survey.qgs",
            project_details=details,
            thumbnail_uri="",
            repackaging_cache_expire=timedelta(hours=1),
            file_storage_bytes=1000,
            packaging_offliner="pythonmini",
            has_restricted_projectfiles=False,
            locked_at=None if locked is None else before(locked),
        )
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
        """Make a job; an official server leaves the end of a failed one to the container."""
        job = str(uuid4())
        end = "finished_at" if self.has_leases or status != "failed" else "docker_finished_at"
        self.insert(
            "core_job",
            id=job,
            created_at=before(made),
            updated_at=before(made),
            project_id=project,
            type=type,
            status=status,
            created_by_id=self.user_id(by),
            triggered_by_id=self.user_id(by),
            feedback=None if feedback is None else json.dumps(feedback),
            output=output,
            started_at=None if started is None else before(started),
            container_id="",
            **{end: None if ended is None else before(ended)},
        )
        if type == "delta_apply":
            self.insert("core_applyjob", job_ptr_id=job, overwrite_conflicts=True)
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
        told = feedback or ({"msg": "it went wrong"} if status == "error" else None)
        self.insert(
            "core_delta",
            id=delta,
            deltafile_id=str(uuid4()),
            client_id=str(uuid4()),
            content=json.dumps({"method": "create", "sourceLayerId": "trees_1", "uuid": delta}),
            created_at=before(made),
            updated_at=before(made),
            project_id=project,
            created_by_id=self.user_id(by),
            last_status=status,
            last_feedback=None if told is None else json.dumps(told),
        )
        if job is not None:
            self.part(job, delta, status)
        return delta

    def part(self, job: str, delta: str, status: str) -> None:
        """Make a delta a part of a job."""
        self.insert("core_applyjobdelta", apply_job_id=job, delta_id=delta, status=status)

    def part_status(self, job: str, delta: str) -> str:
        """Return what a job's own record of a delta says."""
        statement = "select status from core_applyjobdelta where apply_job_id = %(job)s and delta_id = %(delta)s"
        return str(self.execute(statement, {"job": job, "delta": delta})[0][0])

    def delete_project(self, project: str) -> None:
        """Delete a project with all that belongs to it, as the application does."""
        own = "(select id from core_job where project_id = %(project)s)"
        given = {"project": project}
        self.execute(f"delete from core_applyjobdelta where apply_job_id in {own}", given)
        self.execute(f"delete from core_applyjob where job_ptr_id in {own}", given)
        if "filestorage_file" in self.columns:
            files = "(select id from filestorage_file where project_id = %(project)s)"
            self.execute(f"delete from filestorage_fileversion where file_id in {files}", given)
            self.execute("delete from filestorage_file where project_id = %(project)s", given)
        for table in ("core_job", "core_delta"):
            self.execute(f"delete from {table} where project_id = %(project)s", given)
        self.execute(f"delete from {self.project_table} where id = %(project)s", given)

    def has_column(self, table: str, column: str) -> bool:
        """Tell whether this schema has a column."""
        return column in self.columns[table]

    def user_id(self, name: str) -> int:
        """Return the id of an account."""
        return int(self.execute("select id from core_user where username = %(name)s", {"name": name})[0][0])

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row; values of columns that this schema lacks are left out."""
        known = {name: value for name, value in values.items() if name in self.columns[table]}
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, known)),
            sql.SQL(", ").join(map(sql.Placeholder, known)),
        )
        self._connection.execute(statement, known)

    def _read_columns(self) -> dict[str, set[str]]:
        rows = self.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        )
        columns: dict[str, set[str]] = {}
        for table, column in rows:
            columns.setdefault(table, set()).add(column)
        return columns


def before(minutes: float) -> datetime:
    """Return the moment that many minutes ago."""
    return NOW - timedelta(minutes=minutes)


def official_schema(name: str) -> str:
    """Return the statements that make the tables of an official release."""
    releases = OFFICIAL[: OFFICIAL.index(name) + 1]
    return "\n".join((RELEASES / f"{release}.sql").read_text(encoding="utf-8") for release in releases)


class MemoryWorld:
    """Rows in the memory twins."""

    def __init__(self, store: MemoryQueue | None = None, directory: MemoryDirectory | None = None) -> None:
        self.store: MemoryQueue = store or MemoryQueue(MemoryClock(NOW))
        self.directory: MemoryDirectory = directory or MemoryDirectory()
        self.conditions: MemoryConditions = MemoryConditions(self.store, self.directory)
        self.has_leases = self.tells_effects = True
        self.person("alice")

    def close(self) -> None:
        """Nothing is open."""

    def now(self) -> datetime:
        """Return what the clock of the queue shows."""
        return NOW

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

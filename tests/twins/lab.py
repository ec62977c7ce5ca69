"""The twin of faulty rows: they are put into the twins of queue and people; other tables are lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from qfc.stack.model import Delta, Job, JobStatus, Plan, Project, Subscription, User

from .directory import MemoryDirectory
from .queue import MemoryQueue

Row = dict[str, Any]
DEFAULT_PLAN = Plan("community", "person", 100 * 10**6, True)


@dataclass
class MemoryLabRows:
    """Makes rows in memory. Implements `qfc.stack.ports.LabRows`. `tables` has those that the other twins lack."""

    queue: MemoryQueue
    directory: MemoryDirectory
    tables: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    read_only: bool = False

    def account(self, name: str, *, plan: str = "") -> None:
        """Make the account of a person, with a subscription."""
        self.user(name, "person")
        self.subscribe(name, plan=plan)

    def user(self, name: str, kind: str = "person") -> None:
        """Make a person and nothing that belongs to one."""
        email = f"{name}@example.com"
        self.directory.user_rows[name] = User(name, email, kind, False, True, None, 0, None)

    def organization(self, name: str, *, owner: str, members: Sequence[str] = ()) -> None:
        """Make an organization, with a subscription."""
        self.user(name, "organization")
        self.subscribe(name)
        self.insert("organization", username=name, owner=owner)
        for member in members:
            self.insert("member", organization=name, member=member)

    def plan(self, code: str, **values: object) -> None:
        """Make a plan like the default one; other values are kept in the table of plans."""
        default = self._default_plan()
        megabytes = values.get("storage_mb")
        size = megabytes * 10**6 if isinstance(megabytes, int) else default.storage_bytes
        self.directory.plan_rows += (replace(default, code=code, is_default=False, storage_bytes=size),)
        self.change("plan", {"code": code}, **values)

    def subscribe(self, name: str, *, plan: str = "") -> None:
        """Give an account a subscription."""
        default = self._default_plan()
        chosen = next((one for one in self.directory.plan_rows if one.code == plan), default)
        size = chosen.storage_bytes
        self.directory.subscriptions[name] = Subscription(chosen.code, "active_paid", size, 0, None, True)
        self.directory.user_rows[name] = replace(self.directory.user_rows[name], storage_quota_bytes=size)

    def project(self, owner: str, name: str, *, made_at: datetime, **values: object) -> str:
        """Make a project; one without details, or with a problem, counts as failed."""
        project = str(uuid4())
        failed = values.get("problem") is not None or values.get("project_details", {}) is None
        size, since = values.get("file_storage_bytes", 0), values.get("locked_at")
        self.directory.project_rows[project] = Project(
            project,
            name,
            owner,
            "failed" if failed else "ok",
            0,
            size if isinstance(size, int) else 0,
            made_at,
            None,
            locked_at=since if isinstance(since, datetime) else None,
        )
        if isinstance(since, datetime):
            self.queue.locks[project] = since
        self._count(owner)
        return project

    def job(
        self,
        project: str,
        status: str = "pending",
        *,
        made_at: datetime,
        type: str = "package",
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        feedback: Mapping[str, Any] | None = None,
        output: str | None = None,
        worker: str = "",
    ) -> str:
        """Make a job of the project's owner."""
        job, row = str(uuid4()), self.directory.project_rows[project]
        self.queue.job_rows[job] = Job(
            id=job,
            type=type,
            status=JobStatus(status),
            project_id=project,
            project=f"{row.owner}/{row.name}",
            created_by=row.owner,
            created_at=made_at,
            started_at=started_at,
            finished_at=ended_at,
            worker_id=worker or None,
            attempts=0,
            feedback=None if feedback is None else dict(feedback),
            output=output,
        )
        return job

    def delta(
        self,
        project: str,
        status: str = "pending",
        *,
        made_at: datetime,
        job: str | None = None,
        content: Mapping[str, Any] | None = None,
        feedback: Mapping[str, Any] | None = None,
    ) -> str:
        """Make an edit, as a part of an apply job where one is given."""
        delta, row = str(uuid4()), self.directory.project_rows[project]
        sent = {"method": "create", "sourceLayerId": "trees_1", "uuid": delta, **(content or {})}
        self.queue.delta_rows[delta] = Delta(
            id=delta,
            deltafile_id=str(uuid4()),
            project_id=project,
            project=f"{row.owner}/{row.name}",
            status=status,
            method=str(sent["method"]),
            layer_id=str(sent["sourceLayerId"]),
            created_by=row.owner,
            created_at=made_at,
            updated_at=made_at,
            feedback=None if feedback is None else dict(feedback),
            content=sent,
        )
        if job is not None:
            self.queue.parts[job, delta] = status
        return delta

    def file(self, project: str, name: str, size: int, *, made_at: datetime) -> None:
        """Make the row of a file."""
        self.insert("file", project_id=project, name=name, size=size, created_at=made_at)

    def rows(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> tuple[Row, ...]:
        """Return rows with these values."""
        return tuple({name: row.get(name) for name in columns} for row in self._found(table, where))

    def insert(self, table: str, **values: object) -> None:
        """Insert a row."""
        if table == "migration":
            self.directory.migrations += (f"{values['app']}.{values['name']}",)
        else:
            self.tables.setdefault(table, []).append(values)

    def change(self, table: str, where: Mapping[str, object], **values: object) -> int:
        """Change the rows with these values; return their number."""
        found = self._found(table, where)
        for row in found:
            self._write(table, row, values)
        return len(found)

    def delete(self, table: str, where: Mapping[str, object]) -> int:
        """Delete the rows with these values; return their number."""
        found = self._found(table, where)
        if table == "migration":
            gone = {f"{row['app']}.{row['name']}" for row in found}
            self.directory.migrations = tuple(name for name in self.directory.migrations if name not in gone)
        else:
            self.tables[table] = [row for row in self.tables.get(table, []) if row not in found]
        if table == "plan":
            codes = {row["code"] for row in found}
            self.directory.plan_rows = tuple(one for one in self.directory.plan_rows if one.code not in codes)
        return len(found)

    def remove(self, account: str) -> None:
        """Remove an account with all that belongs to it; harmless when it is not there."""
        projects = {one.id for one in self.directory.project_rows.values() if one.owner == account}
        queue = self.queue
        queue.job_rows = {key: row for key, row in queue.job_rows.items() if row.project_id not in projects}
        queue.delta_rows = {key: row for key, row in queue.delta_rows.items() if row.project_id not in projects}
        queue.parts = {key: status for key, status in queue.parts.items() if key[0] in queue.job_rows}
        for project in projects:
            del self.directory.project_rows[project]
            queue.locks.pop(project, None)
            self.delete("file", {"project_id": project})
        for column in ("organization", "member"):
            self.delete("member", {column: account})
        self.delete("organization", {"username": account})
        self.directory.user_rows.pop(account, None)
        self.directory.subscriptions.pop(account, None)

    def set_read_only(self, on: bool) -> None:
        """Remember it."""
        self.read_only = on

    def _default_plan(self) -> Plan:
        self.directory.plan_rows = self.directory.plan_rows or (DEFAULT_PLAN,)
        return self.directory.plan_rows[0]

    def _count(self, owner: str) -> None:
        used = sum(one.size_bytes for one in self.directory.project_rows.values() if one.owner == owner)
        self.directory.user_rows[owner] = replace(self.directory.user_rows[owner], storage_used_bytes=used)

    def _found(self, table: str, where: Mapping[str, object]) -> list[Row]:
        rows = READERS[table](self) if table in READERS else self.tables.get(table, [])
        return [row for row in rows if all(_fits(row.get(name), value) for name, value in where.items())]

    def _write(self, table: str, row: Row, values: Mapping[str, Any]) -> None:
        users, subscriptions = self.directory.user_rows, self.directory.subscriptions
        match table:
            case "user":
                users[row["username"]] = replace(users[row["username"]], **values)
            case "subscription":
                subscriptions[row["id"]] = replace(subscriptions[row["id"]], **values)
            case _:
                row.update(values)


def _fits(value: object, wanted: object) -> bool:
    return value in wanted if isinstance(wanted, list) else value == wanted


def _users(made: MemoryLabRows) -> list[Row]:
    kinds = {"person": 1, "organization": 2}
    return [
        {"id": one.username, "username": one.username, "is_superuser": one.is_superuser, "is_active": one.is_active,
         "type": kinds.get(one.type)}
        for one in made.directory.user_rows.values()
    ]  # fmt: skip


def _subscriptions(made: MemoryLabRows) -> list[Row]:
    rows = made.directory.subscriptions
    return [{"id": name, "account_id": name, "status": one.status} for name, one in rows.items()]


def _migrations(made: MemoryLabRows) -> list[Row]:
    parted = ((number, *name.partition(".")) for number, name in enumerate(made.directory.migrations))
    return [{"id": number, "app": app, "name": name, "applied": ""} for number, app, _, name in parted]


def _plans(made: MemoryLabRows) -> list[Row]:
    """Return plans with what the model of them leaves out."""
    rows = made.tables.setdefault("plan", [])
    known = {row["code"] for row in rows}
    rows += [
        {"id": one.code, "code": one.code, "is_default": one.is_default, "user_type": 1,
         "initial_subscription_status": "active_paid", "max_organization_members": -1}
        for one in made.directory.plan_rows
        if one.code not in known
    ]  # fmt: skip
    return rows


#: The tables that the other twins have, as rows.
READERS: Mapping[str, Callable[[MemoryLabRows], list[Row]]] = {
    "user": _users,
    "subscription": _subscriptions,
    "migration": _migrations,
    "plan": _plans,
}

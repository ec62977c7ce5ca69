"""Rows as faults leave them, in a stack's database. For the fault lab and for tests; nothing else writes like this."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from psycopg import sql

from qfc.errors import NotFoundError

from .connection import Connect, Database
from .lab_tables import Tables

PERSON, ORGANIZATION = 1, 2
#: What a plan has of its own, and no copy of it.
OWN = ("id", "code", "is_default", "created_at", "updated_at")


class PostgresLabRows:
    """Makes rows in the tables that the database has. Implements `qfc.stack.ports.LabRows`."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def account(self, name: str, *, plan: str = "") -> None:
        """Make the account of a person, with a subscription."""
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            person = make_user(tables, name, PERSON)
            tables.insert("person", user_ptr_id=person, has_accepted_tos=True, has_newsletter_subscription=False,
                          remaining_invitations=0, remaining_trial_organizations=0)  # fmt: skip
            subscribe(tables, person, plan=plan)

    def user(self, name: str) -> None:
        """Make a person and nothing that belongs to one."""
        with self._database.writing() as transaction:
            make_user(Tables(transaction), name, PERSON)

    def subscribe(self, name: str, *, plan: str = "") -> None:
        """Give a person an account and a subscription."""
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            subscribe(tables, user_id(tables, name), plan=plan)

    def organization(self, name: str, *, owner: str, members: Sequence[str] = ()) -> None:
        """Make an organization of people who have accounts, with a subscription."""
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            made, boss, now = make_user(tables, name, ORGANIZATION), user_id(tables, owner), tables.now()
            tables.insert("organization", user_ptr_id=made, organization_owner_id=boss, is_initially_trial=False,
                          created_by_id=boss, created_at=now, updated_at=now)  # fmt: skip
            for member in members:
                tables.insert("member", member_id=user_id(tables, member), organization_id=made, role="member",
                              is_public=False)  # fmt: skip
            subscribe(tables, made, kind=ORGANIZATION)

    def plan(self, code: str, **values: object) -> None:
        """Make a plan like people's default one, with other values."""
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            columns = [name for name in sorted(tables.columns("plan")) if name not in OWN]
            copied = sql.SQL(", ").join(map(sql.Identifier, columns))
            statement = sql.SQL(
                "insert into {plan} (code, is_default, created_at, updated_at, {copied})"
                " select %(code)s, false, now(), now(), {copied} from {plan} where is_default and user_type = %(kind)s"
            ).format(plan=sql.Identifier(tables.name("plan")), copied=copied)
            transaction.connection.execute(statement, {"code": code, "kind": PERSON})
            if values:
                tables.change("plan", {"code": code}, **values)

    def project(self, owner: str, name: str, *, made_at: datetime, **values: object) -> str:
        """Make a project; return its id."""
        project = str(uuid4())
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            healthy = _healthy_project(made_at, user_id(tables, owner))
            tables.insert("project", **{**healthy, "id": project, "name": name, **values})
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
        """Make a job; an official server leaves the end of a failed one to the container."""
        job = str(uuid4())
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            end = "finished_at" if transaction.schema.has_leases or status != "failed" else "docker_finished_at"
            author = _owner(tables, project)
            tables.insert("job", id=job, created_at=made_at, updated_at=made_at, project_id=project, type=type,
                          status=status, created_by_id=author, triggered_by_id=author, output=output,
                          feedback=None if feedback is None else dict(feedback), started_at=started_at,
                          container_id=worker, **{end: ended_at})  # fmt: skip
            if type == "delta_apply":
                tables.insert("apply_job", job_ptr_id=job, overwrite_conflicts=True)
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
        delta = str(uuid4())
        sent = {"method": "create", "sourceLayerId": "trees_1", "uuid": delta, **(content or {})}
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            tables.insert("delta", id=delta, deltafile_id=str(uuid4()), client_id=str(uuid4()), content=sent,
                          created_at=made_at, updated_at=made_at, project_id=project,
                          created_by_id=_owner(tables, project), last_status=status,
                          last_feedback=None if feedback is None else dict(feedback))  # fmt: skip
            if job is not None:
                tables.insert("apply_job_delta", apply_job_id=job, delta_id=delta, status=status)
        return delta

    def file(self, project: str, name: str, size: int, *, made_at: datetime) -> None:
        """Make the row of a project's file of so many bytes, of which there are none."""
        version = str(uuid4())
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            tables.insert("file", project_id=project, name=name, file_type=1, created_at=made_at)
            (file,) = tables.ids("file", project_id=project, name=name)
            tables.insert("file_version", id=version, file_id=file, content=f"projects/{project}/files/{name}",
                          size=size, uploaded_at=made_at, created_at=made_at,
                          md5sum=hashlib.md5(b"", usedforsecurity=False).digest(),
                          sha256sum=hashlib.sha256(b"").digest())  # fmt: skip
            tables.change("file", {"id": file}, latest_version_id=version)

    def rows(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return rows with these values, at most 1000."""
        with self._database.reading() as transaction:
            return tuple(Tables(transaction).select(table, where, columns))

    def insert(self, table: str, **values: object) -> None:
        """Insert a row."""
        with self._database.writing() as transaction:
            Tables(transaction).insert(table, **values)

    def change(self, table: str, where: Mapping[str, object], **values: object) -> int:
        """Change the rows with these values; return their number."""
        with self._database.writing() as transaction:
            return Tables(transaction).change(table, where, **values)

    def delete(self, table: str, where: Mapping[str, object]) -> int:
        """Delete the rows with these values; return their number."""
        with self._database.writing() as transaction:
            return Tables(transaction).delete(table, where)

    def remove(self, account: str) -> None:
        """Remove an account with all that belongs to it; harmless when it is not there."""
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            for found in tables.ids("user", username=account):
                _remove_projects(tables, tables.ids("project", owner_id=found))
                _remove_user(tables, found)

    def set_read_only(self, on: bool) -> None:
        """Let every session that begins from now on only read, or not. This one may write: it says so itself."""
        with self._database.writing() as transaction:
            asked = transaction.connection.execute("select current_database() as name").fetchone()
            database = sql.Identifier(asked["name"] if asked else "")
            what = sql.SQL("set default_transaction_read_only = on" if on else "reset default_transaction_read_only")
            transaction.connection.execute(sql.SQL("alter database {} {}").format(database, what))


def make_user(tables: Tables, name: str, kind: int) -> int:
    """Make the row of a user; return its id."""
    tables.insert("user", password="", is_superuser=False, username=name, first_name="", last_name="",
                  email=f"{name}@example.com", is_staff=False, is_active=True, date_joined=tables.now(),
                  type=kind)  # fmt: skip
    return user_id(tables, name)


def subscribe(tables: Tables, user: int, *, plan: str = "", kind: int = PERSON) -> None:
    """Give a user an account and a subscription: to the plan named, else to the default one."""
    tables.insert("account", user_id=user, db_limit_mb=25, bio="", is_email_public=False, location="", twitter="",
                  company="", is_geodb_enabled=False, avatar_uri="", timezone="UTC")  # fmt: skip
    chosen = tables.ids("plan", code=plan) if plan else tables.ids("plan", is_default=True, user_type=kind)
    if not chosen:
        raise NotFoundError(f"There is no plan {plan or 'by default'}.", hint="Type: qfc users plans")
    now = tables.now()
    tables.insert("subscription", uuid=str(uuid4()), account_id=user, plan_id=chosen[0], status="active_paid",
                  created_by_id=user, active_since=now, created_at=now, updated_at=now)  # fmt: skip


def user_id(tables: Tables, name: str) -> int:
    """Return the id of an account. Raises NotFoundError."""
    found = tables.ids("user", username=name)
    if not found:
        raise NotFoundError(f"There is no account named {name}.", hint="Type: qfc users list")
    return int(found[0])


def _healthy_project(made_at: datetime, owner: int) -> dict[str, object]:
    return {
        "description": "",
        "created_at": made_at,
        "updated_at": made_at,
        "owner_id": owner,
        "overwrite_conflicts": True,
        "is_public": False,
        "project_filename": "survey.qgs",
        "the_qgis_file_name": "survey.qgs",
        "project_details": {},
        "thumbnail_uri": "",
        "repackaging_cache_expire": timedelta(hours=1),
        "file_storage_bytes": 0,
        "packaging_offliner": "pythonmini",
        "has_restricted_projectfiles": False,
    }


def _owner(tables: Tables, project: str) -> int:
    """Return the id of a project's owner. Raises NotFoundError."""
    found = tables.select("project", {"id": project}, ["owner_id"])
    if not found:
        raise NotFoundError(f"There is no project {project}.", hint="Type: qfc projects list")
    return int(found[0]["owner_id"])


def _remove_projects(tables: Tables, projects: list[Any]) -> None:
    jobs = tables.ids("job", project_id=projects)
    deltas, files = tables.ids("delta", project_id=projects), tables.ids("file", project_id=projects)
    tables.delete("apply_job_delta", {"apply_job_id": jobs})
    tables.delete("apply_job_delta", {"delta_id": deltas})
    for child in ("apply_job", "package_job", "processing_job"):
        tables.delete(child, {"job_ptr_id": jobs})
    tables.delete("delta", {"id": deltas})
    if files:
        tables.change("file", {"id": files}, latest_version_id=None)
    tables.delete("file_version", {"file_id": files})
    tables.delete("file", {"id": files})
    tables.delete("job", {"id": jobs})
    tables.delete("secret", {"project_id": projects})
    tables.delete("project", {"id": projects})


def _remove_user(tables: Tables, user: int) -> None:
    # Whoever mended the fault with `users quota` gave the account storage.
    tables.delete("package", {"subscription_id": tables.ids("subscription", account_id=user)})
    tables.delete("subscription", {"account_id": user})
    tables.delete("member", {"organization_id": user})
    tables.delete("member", {"member_id": user})
    tables.delete("token", {"user_id": user})
    tables.delete("account", {"user_id": user})
    for child in ("organization", "person"):
        tables.delete(child, {"user_ptr_id": user})
    tables.delete("user", {"id": user})

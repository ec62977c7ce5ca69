"""Creates faulty rows in a stack's database, for the fault lab and for tests; nothing else writes such rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from ...stack.ports import LabRows
from .connection import Connect, Database
from .lab_rows import (
    ORGANIZATION,
    PERSON,
    make_delta,
    make_file,
    make_job,
    make_project,
    make_user,
    owner_of,
    remove_projects,
    remove_user,
    subscribe,
    user_id,
)
from .lab_tables import Tables

#: The columns of a plan that its copies do not share.
OWN = ("id", "code", "is_default", "created_at", "updated_at")


class PostgresLabRows(LabRows):
    """Creates rows in the existing tables of the database."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def account(self, name: str, *, plan: str = "") -> None:
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            person = make_user(tables, name)
            tables.insert("person", user_ptr_id=person, has_accepted_tos=True, has_newsletter_subscription=False,
                          remaining_invitations=0, remaining_trial_organizations=0)  # fmt: skip
            subscribe(tables, person, plan=plan)

    def organization(self, name: str, *, owner: str, members: Sequence[str] = ()) -> None:
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
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            return make_project(tables, user_id(tables, owner), name, made_at=made_at, **values)

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
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            return make_job(tables, project, status, author=owner_of(tables, project), made_at=made_at, type=type,
                            started_at=started_at, ended_at=ended_at, feedback=feedback, output=output,
                            worker=worker)  # fmt: skip

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
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            return make_delta(tables, project, status, author=owner_of(tables, project), made_at=made_at, job=job,
                              content=content, feedback=feedback)  # fmt: skip

    def file(self, project: str, name: str, size: int, *, made_at: datetime) -> None:
        with self._database.writing() as transaction:
            make_file(Tables(transaction), project, name, size, made_at=made_at)

    def rows(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
        with self._database.reading() as transaction:
            return tuple(Tables(transaction).select(table, where, columns))

    def insert(self, table: str, **values: object) -> None:
        with self._database.writing() as transaction:
            Tables(transaction).insert(table, **values)

    def change(self, table: str, where: Mapping[str, object], **values: object) -> int:
        with self._database.writing() as transaction:
            return Tables(transaction).change(table, where, **values)

    def delete(self, table: str, where: Mapping[str, object]) -> int:
        with self._database.writing() as transaction:
            return Tables(transaction).delete(table, where)

    def remove(self, account: str) -> None:
        with self._database.writing() as transaction:
            tables = Tables(transaction)
            for found in tables.ids("user", username=account):
                remove_projects(tables, tables.ids("project", owner_id=found))
                remove_user(tables, found)

    def set_read_only(self, on: bool) -> None:
        """Make every new session of the database read-only, or writable again. This one stays writable."""
        with self._database.writing() as transaction:
            asked = transaction.connection.execute("select current_database() as name").fetchone()
            database = sql.Identifier(asked["name"] if asked else "")
            what = sql.SQL("set default_transaction_read_only = on" if on else "reset default_transaction_read_only")
            transaction.connection.execute(sql.SQL("alter database {} {}").format(database, what))

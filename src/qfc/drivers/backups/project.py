"""One project of an embedded stack, replaced by that of a restored copy of the database, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from ...errors import NotFoundError, RefusedError
from ...stack.backup_project import ProjectContent
from ...stack.ports import ProjectTarget
from ..postgres.connection import translated
from ..postgres.queries import text
from ..postgres.schema import resolve
from ..postgres.swap import NEW, ConnectTo

_JOBS = "(select id from core_job where project_id = {id})"
#: Every table with rows of a project, and which of its rows `t` these are. What others refer to comes first.
ROWS: Mapping[str, str] = {
    "core_project": "t.id = {id}",
    "core_projectcollaborator": "t.project_id = {id}",
    "core_projectseed": "t.project_id = {id}",
    "core_secret": "t.project_id = {id}",
    "core_delta": "t.project_id = {id}",
    "node_resentdelta": "t.delta_id in (select id from core_delta where project_id = {id})",
    "core_job": "t.project_id = {id}",
    "core_packagejob": f"t.job_ptr_id in {_JOBS}",
    "core_processprojectfilejob": f"t.job_ptr_id in {_JOBS}",
    "core_applyjob": f"t.job_ptr_id in {_JOBS}",
    "core_applyjobdelta": f"t.apply_job_id in {_JOBS}",
    "filestorage_file": "t.project_id = {id}",
    "filestorage_fileversion": "t.file_id in (select id from filestorage_file where project_id = {id})",
}
#: A job that ran when the set was made has no worker any more, and no token that one could have.
VALUES = {
    ("core_job", "lease_token"): "case when t.status in ('queued', 'started') then gen_random_uuid() end",
    ("core_job", "lease_expires_at"): "case when t.status in ('queued', 'started') then now() end",
}
#: The tables of accounts: each has its own part of the same id.
ACCOUNTS = ["core_user", "core_person", "core_organization", "core_team"]
ID_IS_TAKEN = (
    "Another project has an id or a name of {name}: the database was restored to an older state meanwhile, or the "
    "name was given again."
)
Connection = psycopg.Connection[dict[str, Any]]


class EmbeddedProjectTarget(ProjectTarget):
    """The databases of a stack: the one in use, and the copy beside it that a restore has filled."""

    def __init__(self, connect: ConnectTo, database: str) -> None:
        self._connect, self._name = connect, database

    def present(self, project: str) -> ProjectContent | None:
        with translated(), self._open(self._name) as here:
            return _found(here, project)

    def kept(self, wanted: str) -> ProjectContent:
        with translated(), self._open(self._name + NEW) as copy:
            found = _found(copy, wanted)
        if found is None:
            raise NotFoundError(f"The set has no project {wanted}.", hint="An older one may have it: qfc db list")
        return found

    def objects(self, project: str) -> frozenset[str]:
        with translated(), self._open(self._name + NEW) as copy:
            return frozenset(
                row["name"] for row in copy.execute(_filled(copy, "project_restore.objects"), {"id": project})
            )

    def lacking_accounts(self, project: str) -> tuple[str, ...]:
        with translated(), self._open(self._name + NEW) as copy, self._open(self._name) as here:
            named = _accounts(copy, project)
            return tuple(sorted(set(named.values()) - set(_accounts_here(here, named.values()))))

    def replace(self, project: ProjectContent) -> None:
        with translated(), self._open(self._name + NEW) as copy, self._open(self._name) as here:
            here.execute(_filled(here, "project_restore.hold", id=sql.Literal(project.id)))
            for table in reversed(tuple(ROWS)):
                here.execute(_of_table(here, "project_restore.remove", table, project.id))
            people = _people(copy, here, project.id)
            try:
                for table in ROWS:
                    _move(copy, here, table, project.id, people)
                here.commit()
            except errors.UniqueViolation as error:
                raise RefusedError(
                    ID_IS_TAKEN.format(name=project.name),
                    hint="Restore the set into another stack (--into), then: qfc projects export, qfc projects import",
                ) from error

    def _open(self, name: str) -> closing[Connection]:
        connection = self._connect(name)
        connection.row_factory = dict_row  # type: ignore[assignment]
        return closing(connection)  # type: ignore[arg-type]


def _found(connection: Connection, wanted: str) -> ProjectContent | None:
    row = connection.execute(_filled(connection, "project_restore.find"), {"wanted": wanted}).fetchone()
    if row is None:
        return None
    return ProjectContent(row.pop("id"), row.pop("name"), row)


def _move(copy: Connection, here: Connection, table: str, project: str, people: Mapping[int, int]) -> None:
    columns = _columns(copy, table)
    values = sql.SQL(", ").join(_value(table, name, is_account, people) for name, is_account in columns)
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    reading = _of_table(copy, "project_restore.read", table, project, values=values)
    writing = text("project_restore.write").format(table=sql.Identifier(table), columns=names)
    with copy.cursor() as source, here.cursor() as sink, source.copy(reading) as rows, sink.copy(writing) as into:
        for piece in rows:
            into.write(piece)


def _value(table: str, column: str, is_account: bool, people: Mapping[int, int]) -> sql.Composable:
    if (table, column) in VALUES:
        return sql.SQL(VALUES[table, column])  # type: ignore[arg-type]
    name = sql.SQL("t.{}").format(sql.Identifier(column))
    changed = {old: new for old, new in people.items() if old != new}
    if not is_account or not changed:
        return name
    cases = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(sql.Literal(old), sql.Literal(new)) for old, new in changed.items()
    )
    return sql.SQL("case {name} {cases} else {name} end").format(name=name, cases=cases)


def _people(copy: Connection, here: Connection, project: str) -> dict[int, int]:
    """Return the ids of accounts now, by those in the copy: one that was made again has another."""
    named = _accounts(copy, project)
    present = _accounts_here(here, named.values())
    return {old: present[name] for old, name in named.items() if name in present}


def _accounts(copy: Connection, project: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for table, column in _account_columns(copy):
        statement = _of_table(copy, "project_restore.accounts", table, project, column=sql.Identifier(column))
        found |= {row["id"]: row["username"] for row in copy.execute(statement)}
    return found


def _accounts_here(here: Connection, names: Collection[str]) -> dict[str, int]:
    rows = here.execute(_filled(here, "project_restore.accounts_here"), {"names": list(names)})
    return {row["username"]: row["id"] for row in rows}


def _account_columns(copy: Connection) -> Iterator[tuple[str, str]]:
    for table in ROWS:
        yield from ((table, name) for name, is_account in _columns(copy, table) if is_account)


def _columns(connection: Connection, table: str) -> list[tuple[str, bool]]:
    rows = connection.execute(text("project_restore.columns"), {"table": table, "accounts": ACCOUNTS})
    return [(row["name"], row["is_account"]) for row in rows]


def _of_table(connection: Connection, name: str, table: str, project: str, **more: sql.Composable) -> sql.Composed:
    """Return a statement about the project's rows of a table."""
    rows = sql.SQL(ROWS[table]).format(id=sql.Literal(project))  # type: ignore[arg-type]
    return _filled(connection, name, table=sql.Identifier(table), rows=rows, **more)


def _filled(connection: Connection, name: str, **given: sql.Composable) -> sql.Composed:
    """Return a statement with the names of the database, and what we give."""
    return text(name).format(**resolve(connection).placeholders(), **given)

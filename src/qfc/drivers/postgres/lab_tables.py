"""Writes rows of any table, with the columns that it has in the live database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from qfc.errors import RefusedError

from .connection import Row, Transaction

#: Tables that only the lab uses, with the same names in all releases; all others are in the schema.
OTHERS = {
    "account": "core_useraccount",
    "attempt": "axes_accessattempt",
    "cron": "django_cron_cronjoblog",
    "member": "core_organizationmember",
    "migration": "django_migrations",
    "package_job": "core_packagejob",
    "person": "core_person",
    "processing_job": "core_processprojectfilejob",
}

#: The largest number of rows that is returned.
MOST = 1000
#: What stands for nothing in a column of a type that must have a value: releases add such columns.
NOTHING: Mapping[str, object] = {
    "boolean": False,
    "smallint": 0,
    "integer": 0,
    "bigint": 0,
    "text": "",
    "character varying": "",
    "jsonb": {},
    "bytea": b"",
    "interval": timedelta(),
}


class Tables:
    """The tables of one transaction, by our names or their own; values for missing columns are left out."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._columns: dict[str, list[Row]] = {}

    @property
    def has_leases(self) -> bool:
        """Whether workers hold leases: then the node itself records the end of a job."""
        return self._transaction.schema.has_leases

    def name(self, table: str) -> str:
        """Return the name of a table in the database."""
        return self._transaction.schema.names.get(table) or OTHERS.get(table, table)

    def columns(self, table: str) -> frozenset[str]:
        """Return the columns of a table; none if it does not exist."""
        return frozenset(row["name"] for row in self._described(table))

    def is_number(self, table: str, column: str) -> bool:
        """Return whether a column holds whole numbers."""
        return any(row["name"] == column and row["type"] == "integer" for row in self._described(table))

    def insert(self, table: str, **values: object) -> None:
        """Insert a row. Columns of this release that need a value get one that means nothing."""
        known = {**self._required(table), **self._known(table, values)}
        self._run(
            "insert into {} ({}) values ({})",
            self._table(table),
            sql.SQL(", ").join(map(sql.Identifier, known)),
            sql.SQL(", ").join(map(sql.Placeholder, known)),
            given=known,
        )

    def select(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> list[Row]:
        """Return columns of the rows with these values, at most 1000, as JSON values."""
        found = self._select(table, where, columns)[:MOST]
        return [{name: _as_json(value) for name, value in row.items()} for row in found]

    def change(self, table: str, where: Mapping[str, object], **values: object) -> int:
        """Change the rows with these values; return their number."""
        known = self._known(table, values)
        pairs = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"new_{name}")) for name in known]
        if not pairs:
            raise RefusedError(f"{self.name(table)} of this release has no {', '.join(values)}.")
        given = {**where, **{f"new_{name}": value for name, value in known.items()}}
        statement = "with changed as (update {} set {} where {} returning 1) select count(*) as rows from changed"
        found = self._run(statement, self._table(table), sql.SQL(", ").join(pairs), _where(where), given=given)
        return int(found[0]["rows"])

    def delete(self, table: str, where: Mapping[str, object]) -> int:
        """Delete the rows with these values, if the table exists; return their number."""
        if not self.columns(table):
            return 0
        statement = "with gone as (delete from {} where {} returning 1) select count(*) as rows from gone"
        return int(self._run(statement, self._table(table), _where(where), given=where)[0]["rows"])

    def ids(self, table: str, **where: object) -> list[Any]:
        """Return the ids of the rows with these values; none if the table does not exist."""
        return [row["id"] for row in self._select(table, where, ["id"])] if self.columns(table) else []

    def now(self) -> datetime:
        """Return the database's time."""
        (row,) = self._run("select clock_timestamp() as now", given={})
        return row["now"]

    def _described(self, table: str) -> list[Row]:
        name = self.name(table)
        if name not in self._columns:
            self._columns[name] = self._transaction.rows("database.columns", table=name)
        return self._columns[name]

    def _required(self, table: str) -> dict[str, object]:
        required = {row["name"]: row["type"] for row in self._described(table) if row["is_required"]}
        moments = {name: self.now() for name, type in required.items() if type.startswith("timestamp")}
        return {**{name: NOTHING[type] for name, type in required.items() if type in NOTHING}, **moments}

    def _select(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> list[Row]:
        known = [name for name in columns if name in self.columns(table)]
        names = sql.SQL(", ").join(map(sql.Identifier, known))
        statement = "select {} from {} where {}"
        return self._run(statement, names, self._table(table), _where(where), given=where)

    def _known(self, table: str, values: Mapping[str, object]) -> dict[str, object]:
        return {name: value for name, value in values.items() if name in self._existing(table)}

    def _existing(self, table: str) -> frozenset[str]:
        found = self.columns(table)
        if not found:
            raise RefusedError(f"This release has no table {self.name(table)}.", hint="See: qfc lab list")
        return found

    def _table(self, table: str) -> sql.Composable:
        self._existing(table)
        return sql.Identifier(self.name(table))

    def _run(self, statement: str, *parts: sql.Composable, given: Mapping[str, object]) -> list[Row]:
        # All statements are in this file; names are quoted as identifiers, values are parameters.
        written = sql.SQL(cast("Any", statement)).format(*parts)
        cursor = self._transaction.connection.execute(
            written, {name: _as_parameter(value) for name, value in given.items()}
        )
        return cursor.fetchall() if cursor.description else []


def _where(where: Mapping[str, object]) -> sql.Composable:
    """Return the condition that columns have these values; for a list, one of its values."""
    conditions = [
        sql.SQL("{} = any({})" if isinstance(value, list) else "{} = {}").format(
            sql.Identifier(name), sql.Placeholder(name)
        )
        for name, value in where.items()
    ]
    return sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true")


def _as_parameter(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value


def _as_json(value: object) -> object:
    """Return a value that JSON can represent and the database can read back."""
    return str(value) if isinstance(value, (datetime, UUID)) else value

"""Find a table of a SQLite file, and what identifies its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..editing import Identity, LayerSchema, RefusedError, UnidentifiedError
from ..values import Field, FieldKind
from .keys import KEY_NAME, ambiguous, unusable_keys
from .sqlite_dialect import Dialect, GeometryColumn
from .sqlite_types import Column, field_of, quoted, read_columns

#: SQLite's names for the number of a row; a column may take one of them.
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")
_KEY_TYPES = {FieldKind.INTEGER: "integer", FieldKind.TEXT: "text", FieldKind.ANY: "text"}


@dataclass(frozen=True)
class TableSchema:
    """A table that can be edited. `row_number`: the name of the number of its rows; `numbers_itself`: the key is that
    number. `key_is_unique`: the table itself holds that two rows never have the same key.
    """

    table: str
    schema: LayerSchema
    geometry: GeometryColumn | None
    key: Field
    row_number: str
    numbers_itself: bool
    key_is_unique: bool


def describe(
    connection: sqlite3.Connection, dialect: Dialect, name: str | None, number: int | None, key: str | None = None
) -> TableSchema:
    """Return a table by name, by number, or the first one. Raises RefusedError, UnidentifiedError, or SQLite's errors.

    With `key`, that field identifies rows and the primary key is hidden.
    """
    table = _find(connection, dialect, name, number)
    columns = read_columns(connection, table)
    if key is not None:
        columns = [column for column in columns if not column.key_position]
    geometry = dialect.geometry_column(connection, table)
    column = _key_column(table, columns, key or KEY_NAME)
    found = field_of(column)
    return TableSchema(
        table=table,
        schema=LayerSchema(
            fields=_fields(columns, geometry, dialect.json_columns(connection, table)),
            key=found.name,
            geometry=geometry.type if geometry else None,
        ),
        geometry=geometry,
        key=found,
        row_number=_row_number(connection, table),
        numbers_itself=bool(column.key_position) and column.declared_type.upper() == "INTEGER",
        key_is_unique=bool(column.key_position),
    )


def identity(connection: sqlite3.Connection, described: TableSchema) -> Identity:
    """Return the identity of a table's rows. Raises UnidentifiedError if two rows could be mistaken for each other."""
    if not described.numbers_itself:
        _prove(connection, described)
    return Identity(described.key.name, described.schema.writable)


def _find(connection: sqlite3.Connection, dialect: Dialect, name: str | None, number: int | None) -> str:
    if name is None:
        layers = dialect.layers(connection)
        if not layers or not 0 <= (number or 0) < len(layers):
            raise RefusedError("The file has no such layer")
        name = layers[number or 0]
    sql = "SELECT type, name FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')"
    row = connection.execute(sql, (name,)).fetchone()
    if row is None:
        raise RefusedError(f'The file has no table "{name}"')
    if row[0] == "view":
        raise RefusedError(f'"{name}" is a view, whose rows cannot be edited')
    return row[1]


def _key_column(table: str, columns: Iterable[Column], substitute: str) -> Column:
    keys = [column for column in columns if column.key_position]
    if len(keys) > 1:
        names = ", ".join(column.name for column in keys)
        message = f'Composite (multi-column) primary keys cannot be edited: table "{table}" has the key {names}'
        raise UnidentifiedError(message)
    keys = keys or [column for column in columns if column.name.lower() == substitute.lower()]
    if not keys:
        reason = f'The table "{table}" has no primary key and no field "{substitute}"'
        raise UnidentifiedError(f"{reason}, so its features cannot be identified")
    return keys[0]


def _fields(
    columns: Iterable[Column], geometry: GeometryColumn | None, json_columns: frozenset[str]
) -> dict[str, Field]:
    hidden = geometry.name if geometry else None
    return {column.name: field_of(column, column.name in json_columns) for column in columns if column.name != hidden}


def _row_number(connection: sqlite3.Connection, table: str) -> str:
    taken = {column.name.lower() for column in read_columns(connection, table)}
    free = next((name for name in _ROW_NUMBERS if name not in taken), None)
    try:
        connection.execute(f"SELECT {free or 'rowid'} FROM {quoted(table)} LIMIT 0")
    except sqlite3.OperationalError:
        free = None
    if free is None:
        raise UnidentifiedError(f'The rows of the table "{table}" have no numbers')
    return free


def _prove(connection: sqlite3.Connection, described: TableSchema) -> None:
    where = f'the table "{described.table}"'
    wanted = _KEY_TYPES.get(described.key.kind)
    if wanted is None:
        raise UnidentifiedError(f'The key "{described.key.name}" of {where} is {described.key.kind.value}')
    table, key = quoted(described.table), quoted(described.key.name)
    sql = f"SELECT count(*) FROM {table} WHERE typeof({key}) <> ?"
    (unusable,) = connection.execute(sql, (wanted,)).fetchone()
    if unusable:
        raise unusable_keys(where, described.key.name, unusable)
    shared = None if described.key_is_unique else _shared(connection, table, key)
    if shared:
        raise ambiguous(where, described.key.name, str(shared[0]))


def _shared(connection: sqlite3.Connection, table: str, key: str) -> Sequence[object] | None:
    return connection.execute(f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1 LIMIT 1").fetchone()

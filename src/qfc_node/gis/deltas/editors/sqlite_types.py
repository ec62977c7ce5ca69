"""Convert columns of SQLite tables to fields, and values to SQLite's values."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from ..values import INT64, Field, FieldKind, Value

_TYPE = re.compile(r"\s*(?P<name>[A-Za-z_ 0-9]*?)\s*(?:\(.*)?\s*\Z", re.DOTALL)
_GENERATED = (2, 3)
_INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "MEDIUMINT": (-(2**31), 2**31 - 1),
}
_KINDS = {
    "BOOLEAN": FieldKind.BOOLEAN,
    "BOOL": FieldKind.BOOLEAN,
    "DATE": FieldKind.DATE,
    "DATETIME": FieldKind.DATETIME,
    "TIMESTAMP": FieldKind.DATETIME,
    "TIME": FieldKind.TIME,
    "BLOB": FieldKind.BINARY,
    "JSON": FieldKind.JSON,
}
_REALS = ("REAL", "DOUBLE", "FLOAT", "NUMERIC", "DECIMAL")
_TEXTS = ("CHAR", "TEXT", "CLOB", "STRING")


def quoted(name: str) -> str:
    """Return an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Column:
    """A column from `PRAGMA table_xinfo`; `key_position` counts from 1, 0 means not part of the key."""

    name: str
    declared_type: str
    is_required: bool
    has_default: bool
    key_position: int
    is_generated: bool


def read_columns(connection: sqlite3.Connection, table: str) -> list[Column]:
    """Return the columns of a table or view, in order."""
    rows = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    return [
        Column(name, kind or "", bool(required), default is not None, position, hidden in _GENERATED)
        for _, name, kind, required, default, position, hidden in rows
    ]


def field_of(column: Column, is_json: bool = False) -> Field:
    """Return the field for a column, by its declared type. Its width limits nothing: SQLite stores longer texts."""
    found = _TYPE.match(column.declared_type)
    name = found["name"].upper() if found else ""
    kind = FieldKind.JSON if is_json else _kind_of(name)
    return Field(
        column.name,
        kind,
        limits=_INTEGERS.get(name, INT64),
        single_precision=name == "FLOAT",
        takes_null=not (column.is_required and column.has_default),
        is_writable=not column.is_generated,
    )


def _kind_of(name: str) -> FieldKind:
    if name in _KINDS:
        return _KINDS[name]
    if "INT" in name:
        return FieldKind.INTEGER
    if name.startswith(_REALS):
        return FieldKind.REAL
    return FieldKind.TEXT if any(text in name for text in _TEXTS) else FieldKind.ANY


def stored(field: Field, value: Value) -> Value:
    """Return a field's value as SQLite stores it; times with milliseconds, in UTC if they have a zone."""
    if value is None:
        return None
    if field.kind is FieldKind.JSON:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, (date, time)) else value


def _moment(value: datetime) -> str:
    """Return a time as GDAL writes it: only one whose zone is known ends with `Z`."""
    utc = value.astimezone(UTC) if value.tzinfo else value
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}{'Z' if value.tzinfo else ''}"

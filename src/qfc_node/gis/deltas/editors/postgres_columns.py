"""Columns of PostgreSQL: the fields they are, how they are read, and how values are written to them.

The same expressions read a table when it is packaged and when an edit is compared with it, so both see equal values.
They return what every format can hold: whole numbers, finite real numbers, truth values, bytes and texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast

from psycopg import sql
from psycopg.types.json import Jsonb

from ..values import INT64, Field, FieldKind, Value

_INTEGERS = {"int2": (-(2**15), 2**15 - 1), "int4": (-(2**31), 2**31 - 1), "int8": INT64}
_KINDS = {
    "float4": FieldKind.REAL,
    "float8": FieldKind.REAL,
    "numeric": FieldKind.REAL,
    "bool": FieldKind.BOOLEAN,
    "date": FieldKind.DATE,
    "timestamp": FieldKind.DATETIME,
    "timestamptz": FieldKind.DATETIME,
    "time": FieldKind.TIME,
    "timetz": FieldKind.TIME,
    "bytea": FieldKind.BINARY,
    "json": FieldKind.JSON,
    "jsonb": FieldKind.JSON,
    "hstore": FieldKind.JSON,
    **dict.fromkeys(_INTEGERS, FieldKind.INTEGER),
}
_WITH_LENGTH = ("varchar", "bpchar")
#: PostgreSQL includes the four bytes of the length.
_LENGTH_OFFSET = 4
#: JSON knows no infinite numbers, and devices no dates before Christ or after the year 9999.
_FINITE: LiteralString = "CASE WHEN {column} > '-Infinity' AND {column} < 'Infinity' THEN {column} END"
_MOMENT: LiteralString = (
    "CASE WHEN {column} >= '0001-01-01' AND {column} < '10000-01-01' THEN to_char({moment}, %s) END"
)
_CLOCK: LiteralString = 'YYYY-MM-DD"T"HH24:MI:SS.MS'
_READINGS: dict[str, LiteralString] = {
    # As it is written, 0.1, and not as the nearest number of 64 bits.
    "float4": _FINITE.replace("THEN {column}", "THEN {column}::text::float8"),
    "float8": _FINITE,
    "numeric": _FINITE.replace("THEN {column}", "THEN {column}::float8"),
    "date": _MOMENT.replace("{moment}", "{column}").replace("%s", "'YYYY-MM-DD'"),
    "timestamp": _MOMENT.replace("{moment}", "{column}").replace("%s", f"'{_CLOCK}'"),
    "timestamptz": _MOMENT.replace("{moment}", "{column} AT TIME ZONE 'UTC'").replace("%s", f"'{_CLOCK}\"Z\"'"),
    "hstore": "{column}::json::text",
    **dict.fromkeys((*_INTEGERS, "bool", "bytea"), "{column}"),
}
_ARRAY: LiteralString = "to_json({column})::text"
_TEXT: LiteralString = "{column}::text"
#: The types of GeoPackages for kinds of fields; all others are texts.
_DECLARED = {
    FieldKind.REAL: "REAL",
    FieldKind.BOOLEAN: "BOOLEAN",
    FieldKind.DATE: "DATE",
    FieldKind.DATETIME: "DATETIME",
    FieldKind.BINARY: "BLOB",
}
_DECLARED_INTEGERS = {"int2": "SMALLINT", "int4": "MEDIUMINT", "int8": "INTEGER"}


@dataclass(frozen=True)
class PostgresColumn:
    """A column. `type_name` and `modifier` are those of the base type, if the column has a domain.

    `is_generated`: the database alone writes it.
    """

    name: str
    type_name: str
    is_array: bool = False
    modifier: int = -1
    is_required: bool = False
    has_default: bool = False
    is_generated: bool = False

    @property
    def field(self) -> Field:
        """The field, as edits see it."""
        kind = FieldKind.JSON if self.is_array else _KINDS.get(self.type_name, FieldKind.TEXT)
        return Field(
            self.name,
            kind,
            width=self._width,
            limits=_INTEGERS.get(self.type_name, INT64),
            single_precision=self.type_name == "float4",
            takes_null=not (self.is_required and self.has_default),
            is_writable=not self.is_generated,
        )

    @property
    def declared_type(self) -> str:
        """The type of the column in a GeoPackage."""
        kind = self.field.kind
        if kind is FieldKind.INTEGER:
            return _DECLARED_INTEGERS[self.type_name]
        return _DECLARED.get(kind) or (f"TEXT({self._width})" if self._width else "TEXT")

    @property
    def is_document(self) -> bool:
        """Whether the values are lists or maps, which a GeoPackage stores as JSON."""
        return self.field.kind is FieldKind.JSON

    @property
    def reading(self) -> sql.Composed:
        """The expression that reads the column."""
        template = _ARRAY if self.is_array else _READINGS.get(self.type_name, _TEXT)
        return sql.SQL(template).format(column=identifier(self.name))

    def adapted(self, value: Value) -> Value:
        """Return a value of the field as psycopg sends it."""
        if value is None:
            return None
        if self.is_array:
            return array_literal(cast("list[Any]", value)) if isinstance(value, list) else value
        if self.type_name == "hstore":
            return hstore_literal(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        if self.field.kind is FieldKind.JSON:
            return Jsonb(value)
        if self.type_name == "timestamp" and isinstance(value, datetime):
            # The clock time counts: the server would convert a time with a zone to the zone of its session.
            return value.replace(tzinfo=None)
        return value

    @property
    def _width(self) -> int | None:
        has_width = self.type_name in _WITH_LENGTH and not self.is_array and self.modifier > _LENGTH_OFFSET
        return self.modifier - _LENGTH_OFFSET if has_width else None


def identifier(*names: str) -> sql.Identifier:
    """Return a name for a statement with parameters, in which a percent sign has a meaning."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def written(text: str) -> sql.SQL:
    """Return a filter or query as the project's author wrote it, for the database of this author."""
    return sql.SQL(cast("LiteralString", text.replace("%", "%%")))


def array_literal(values: list[Any]) -> str:
    """Return a list as a literal of an array, whatever the type of its elements."""
    return "{" + ",".join(map(_element, values)) + "}"


def hstore_literal(values: Mapping[str, Any]) -> str:
    """Return a map as a literal of hstore."""
    return ",".join(f"{_quoted(name)}=>{_element(value)}" for name, value in values.items())


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return array_literal(cast("list[Any]", value))
    return _quoted(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

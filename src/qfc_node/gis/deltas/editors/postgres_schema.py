"""The schema of a table in PostgreSQL and PostGIS: its columns, key and geometries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from ..editing import LayerSchema, RefusedError
from ..geometry import GeometryType, Kind, Ordinate
from ..values import INT64, Field, FieldKind

_COLUMNS = """
    SELECT a.attname, t.typname, a.atttypmod, a.attnotnull, a.atthasdef OR a.attidentity <> '' AS has_default,
           a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated, t.typcategory
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_TABLE = """
    SELECT c.oid, c.relkind FROM pg_class AS c WHERE c.oid = to_regclass(%s)
"""
_KEY = """
    SELECT a.attname
    FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = %s AND i.indisprimary
"""
_GEOMETRY = """
    SELECT g.type, g.coord_dimension, g.srid
    FROM geometry_columns AS g JOIN pg_class AS c ON c.relname = g.f_table_name
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = g.f_table_schema
    WHERE c.oid = %s AND g.f_geometry_column = %s
"""
_SPATIAL = ("geometry", "geography", "raster", "topogeometry")
_EDITABLE = ("r", "p", "v", "f")
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
    **dict.fromkeys(_INTEGERS, FieldKind.INTEGER),
}
_WITH_LENGTH = ("varchar", "bpchar")
#: PostgreSQL includes the four bytes of the length.
_LENGTH_OFFSET = 4


@dataclass(frozen=True)
class PostgresTable:
    """An editable table. `defaults`: columns with a default value; `arrays`: columns of an array type."""

    schema: LayerSchema
    geometry_column: str | None
    srid: int
    defaults: frozenset[str]
    arrays: frozenset[str]


def describe(connection: Connection[tuple[Any, ...]], name: str, geometry: str | None, key: str) -> PostgresTable:
    """Return the table of that quoted name. `key`: its key according to the project. Raises RefusedError."""
    found = connection.execute(_TABLE, (name,)).fetchone()
    if found is None or found[1] not in _EDITABLE:
        raise RefusedError(f"The database has no editable table {name}")
    oid = found[0]
    columns = connection.execute(_COLUMNS, (oid,)).fetchall()
    fields = {row[0]: _field(*row) for row in columns if row[1] not in _SPATIAL}
    primary = [row[0] for row in connection.execute(_KEY, (oid,)).fetchall()]
    geometry_type, srid = _geometry(connection, oid, geometry) if geometry else (None, 0)
    return PostgresTable(
        LayerSchema(fields, _key(name, fields, _split(key) or primary), geometry_type, key_is_fixed=False),
        geometry,
        srid,
        frozenset(row[0] for row in columns if row[4]),
        frozenset(row[0] for row in columns if row[6] == "A"),
    )


def _field(
    name: str, kind: str, modifier: int, required: bool, has_default: bool, is_generated: bool, category: str
) -> Field:
    plain = FieldKind.JSON if category == "A" else FieldKind.TEXT
    return Field(
        name,
        _KINDS.get(kind, plain),
        width=modifier - _LENGTH_OFFSET if kind in _WITH_LENGTH and modifier > _LENGTH_OFFSET else None,
        limits=_INTEGERS.get(kind, INT64),
        single_precision=kind == "float4",
        takes_null=not (required and has_default),
        is_writable=not is_generated,
    )


def _split(key: str) -> list[str]:
    """Split a key of the form `id`, `"id"` or `"a","b"`."""
    return [part.strip().strip('"') for part in key.split('","' if '","' in key else ",") if part.strip()]


def _key(name: str, fields: dict[str, Field], keys: list[str]) -> str:
    if len(keys) > 1:
        raise RefusedError(f"Composite (multi-column) primary keys cannot be edited: {name} has {', '.join(keys)}")
    keys = [key for key in keys or ["fid"] if key in fields]
    if not keys:
        raise RefusedError(
            f'The table {name} has no primary key and no field "fid", so its features cannot be identified'
        )
    return keys[0]


def _geometry(connection: Connection[tuple[Any, ...]], oid: int, column: str) -> tuple[GeometryType, int]:
    row = connection.execute(_GEOMETRY, (oid, column)).fetchone()
    if row is None:
        raise RefusedError(f'PostGIS has no geometry column "{column}" for this table')
    name, dimension, srid = row
    kind = Kind.__members__.get(name.upper().removesuffix("M"), Kind.GEOMETRY)
    has_m = name.upper().endswith("M") or dimension == 4
    has_z = dimension == 4 or (dimension == 3 and not has_m)
    z, m = (Ordinate.PRESENT if present else Ordinate.ABSENT for present in (has_z, has_m))
    return GeometryType(kind, z, m), srid

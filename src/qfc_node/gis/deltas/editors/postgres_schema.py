"""The schema of a table or query in PostgreSQL and PostGIS: its columns, geometry, key, and what may be edited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg import sql

from ...datasource import DatabaseSource
from ..editing import LayerSchema, RefusedError
from ..geometry import GeometryType, Kind, Ordinate
from .postgres_columns import PostgresColumn, identifier, written
from .postgres_connection import Connection

_TABLE = "SELECT c.oid, c.relkind FROM pg_class AS c WHERE c.oid = to_regclass(%s)"
_COLUMNS = """
    SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef OR a.attidentity <> '',
           a.attgenerated <> '' OR a.attidentity = 'a'
    FROM pg_attribute AS a
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
#: The type of each column by its place; for a domain, the type on which it is based in the end.
_TYPES = """
    WITH RECURSIVE base AS (
        SELECT place, type, modifier
        FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY AS given (type, modifier, place)
        UNION ALL
        SELECT base.place, t.typbasetype, CASE WHEN base.modifier = -1 THEN t.typtypmod ELSE base.modifier END
        FROM base JOIN pg_type AS t ON t.oid = base.type
        WHERE t.typtype = 'd'
    )
    SELECT t.typname, t.typcategory = 'A', base.modifier, n.nspname, format_type(t.oid, base.modifier)
    FROM base JOIN pg_type AS t ON t.oid = base.type JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.typtype <> 'd'
    ORDER BY base.place
"""
_KEYS = """
    SELECT i.indisprimary, array_agg(a.attname ORDER BY a.attnum)
    FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    GROUP BY i.indexrelid, i.indisprimary
"""
#: The numbers of the commands are those of PostgreSQL: 1 << CMD_UPDATE, CMD_INSERT, CMD_DELETE.
_RIGHTS = """
    SELECT has_any_column_privilege(oid, 'INSERT') AND updatable & 8 > 0,
           has_any_column_privilege(oid, 'UPDATE') AND updatable & 4 > 0,
           has_table_privilege(oid, 'DELETE') AND updatable & 16 > 0
    FROM (SELECT %s::oid AS oid, pg_relation_is_updatable(%s, true) AS updatable) AS relation
"""
_GEOMETRY = re.compile(r"geometry|geography")
_CONSTRAINED = re.compile(r"(?:geometry|geography)\((?P<kind>\w+?)(?P<z>Z?)(?P<m>M?)(?:,(?P<srid>\d+))?\)$", re.I)
_HIDDEN = ("geometry", "geography", "raster", "topogeometry", "pcpoint", "pcpatch")
_EDITABLE = ("r", "p", "v", "f")
_READABLE = (*_EDITABLE, "m")
_LOCKABLE = ("r", "p", "f")


@dataclass(frozen=True)
class PostgresGeometry:
    """The geometry column of a layer; `namespace` is the schema of PostGIS.

    `srid`: of the column, else the one that the project names, else that of the rows; 0 without any.
    """

    name: str
    type: GeometryType
    srid: int
    namespace: str
    is_geography: bool


@dataclass(frozen=True)
class Rights:
    """What the login may do with the rows."""

    insert: bool
    update: bool
    delete: bool


@dataclass(frozen=True)
class PostgresTable:
    """A table, view or query.

    `key` names the column that identifies rows, as far as there is one; `key_problem` says why there is none.
    `key_is_proven`: the database itself keeps the values of the key unique.
    """

    name: sql.Composable
    columns: Mapping[str, PostgresColumn]
    geometry: PostgresGeometry | None = None
    key: str | None = None
    key_problem: str = ""
    key_is_proven: bool = False
    rights: Rights = field(default=Rights(False, False, False))
    is_lockable: bool = False

    @property
    def problem(self) -> str:
        """Why nothing can be edited; empty if something can."""
        may_nothing = self.rights == Rights(False, False, False)
        return self.key_problem or ("The login of the project may not change the table" if may_nothing else "")

    @property
    def schema(self) -> LayerSchema:
        """The schema for edits. Raises RefusedError if nothing can be edited."""
        if self.problem or self.key is None:
            raise RefusedError(self.problem)
        fields = {name: column.field for name, column in self.columns.items()}
        return LayerSchema(fields, self.key, self.geometry.type if self.geometry else None, key_is_fixed=False)


def describe(connection: Connection, source: DatabaseSource) -> PostgresTable:
    """Return the table or query that a source names. Raises RefusedError and the errors of psycopg."""
    if source.table.startswith("("):
        return _describe_query(connection, source)
    names = (source.schema, source.table) if source.schema else (source.table,)
    text = sql.Identifier(*names).as_string(connection)
    found = connection.execute(_TABLE, (text,)).fetchone()
    if found is None or found[1] not in _READABLE:
        raise RefusedError(f"The database has no table {text} that this login may see")
    oid, kind = found
    rows = connection.execute(_COLUMNS, (oid,)).fetchall()
    table = _typed(connection, identifier(*names), rows, source)
    rights = _rights(connection, oid) if kind in _EDITABLE else Rights(False, False, False)
    return _identified(connection, replace(table, rights=rights, is_lockable=kind in _LOCKABLE), source, oid)


def with_unique_key(connection: Connection, table: PostgresTable) -> PostgresTable:
    """Return the table, without its key if several rows have the same or none. Raises the errors of psycopg."""
    if table.key is None or table.key_is_proven or table.problem:
        return table
    key = identifier(table.key)
    query = sql.SQL("SELECT 1 FROM {} GROUP BY {} HAVING count(*) > 1 OR {} IS NULL LIMIT 1")
    if connection.execute(query.format(table.name, key, key), ()).fetchone() is None:
        return table
    return replace(table, key=None, key_problem=f'The values of its key "{table.key}" are not unique')


def _describe_query(connection: Connection, source: DatabaseSource) -> PostgresTable:
    # The project's author wrote the query, and the database runs it with the author's own rights.
    name = sql.Composed([written(source.table), sql.SQL(" AS "), sql.Identifier("query")])
    cursor = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(name), ())
    result, description = cursor.pgresult, cursor.description or ()
    rows: list[tuple[Any, ...]] = [
        (column.name, column.type_code, result.fmod(place) if result else -1, False, False, False)
        for place, column in enumerate(description)
    ]
    table = _typed(connection, name, rows, source)
    keys = [key for key in _split(source.key) if key in table.columns]
    return replace(
        table, key=keys[0] if len(keys) == 1 else None, key_problem="The layer is a query, whose rows cannot be edited"
    )


def _typed(
    connection: Connection, name: sql.Composable, rows: list[tuple[Any, ...]], source: DatabaseSource
) -> PostgresTable:
    """Return the table with the types of its columns; columns of spatial types are no fields."""
    types = connection.execute(_TYPES, ([row[1] for row in rows], [row[2] for row in rows])).fetchall()
    columns: dict[str, PostgresColumn] = {}
    geometry: PostgresGeometry | None = None
    for (column, _, _, required, default, generated), (kind, is_array, modifier, namespace, full) in zip(
        rows, types, strict=True
    ):
        if column == source.geometry_column and _GEOMETRY.fullmatch(kind):
            geometry = _geometry(connection, name, source, full, namespace)
        elif kind not in _HIDDEN:
            columns[column] = PostgresColumn(column, kind, is_array, modifier, required, default, generated)
    if source.geometry_column and geometry is None:
        raise RefusedError(f'The table has no geometry column "{source.geometry_column}" of PostGIS')
    return PostgresTable(name, columns, geometry)


def _geometry(
    connection: Connection, table: sql.Composable, source: DatabaseSource, full_type: str, namespace: str
) -> PostgresGeometry:
    name = source.geometry_column or ""
    found = _CONSTRAINED.search(full_type)
    is_geography = "geography" in full_type
    srid = int(found["srid"] or 0) if found else 0
    if not srid:
        srid = 4326 if is_geography else _srid(connection, table, source, namespace)
    if found is None:
        free = GeometryType(Kind.GEOMETRY, Ordinate.FREE, Ordinate.FREE)
        return PostgresGeometry(name, free, srid, namespace, is_geography)
    kind = Kind.__members__.get(found["kind"].upper(), Kind.GEOMETRY)
    z, m = (Ordinate.PRESENT if found[axis] else Ordinate.ABSENT for axis in ("z", "m"))
    return PostgresGeometry(name, GeometryType(kind, z, m), srid, namespace, is_geography)


def _srid(connection: Connection, table: sql.Composable, source: DatabaseSource, namespace: str) -> int:
    named = source.parameters.get("srid", "")
    if named.isdecimal() and int(named):
        return int(named)
    column = identifier(source.geometry_column or "")
    query = sql.SQL("SELECT {}({}) FROM {} WHERE {} IS NOT NULL LIMIT 1")
    row = connection.execute(query.format(identifier(namespace, "st_srid"), column, table, column), ()).fetchone()
    return int(row[0]) if row else 0


def _identified(connection: Connection, table: PostgresTable, source: DatabaseSource, oid: int) -> PostgresTable:
    """Return the table with its key: the one that the project names, else the primary key, else a column `fid`."""
    indexes = connection.execute(_KEYS, (oid,)).fetchall()
    proven = {names[0] for _, names in indexes if len(names) == 1}
    primary = [str(name) for is_primary, names in indexes if is_primary for name in names]
    candidates = [_split(source.key), primary, ["fid"]]
    single = [names[0] for names in candidates if len(names) == 1 and names[0] in table.columns]
    key = next((name for name in single if name in proven), None) or next(iter(single), None)
    if key is not None and len(_split(source.key) or primary) < 2:
        return replace(table, key=key, key_is_proven=key in proven)
    return replace(table, key_problem=_key_problem(table, _split(source.key) or primary))


def _key_problem(table: PostgresTable, keys: list[str]) -> str:
    if len(keys) > 1:
        return f"Composite (multi-column) primary keys cannot be edited: {_shown(table)} has {', '.join(keys)}"
    return f'The table {_shown(table)} has no primary key and no field "fid", so its features cannot be identified'


def _shown(table: PostgresTable) -> str:
    return table.name.as_string(None).replace("%%", "%")


def _rights(connection: Connection, oid: int) -> Rights:
    row = connection.execute(_RIGHTS, (oid, oid)).fetchone()
    return Rights(*row) if row else Rights(False, False, False)


def _split(key: str) -> list[str]:
    """Split a key of the form `id`, `"id"` or `"a","b"`."""
    parts: Iterable[str] = key.split('","' if '","' in key else ",")
    return [part.strip().strip('"') for part in parts if part.strip()]

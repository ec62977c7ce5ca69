"""GeoPackages (OGC 12-128) and GDAL's additions: the functions of their triggers, and their metadata."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from ...geopackage import table_names
from ..geometry import Geometry, GeometryType, Kind, Ordinate
from .bounds import Bounds
from .geopackage_blob import HEAD_LENGTH, read_bounds, write_blob
from .sqlite_dialect import GeometryColumn, TableEdits
from .sqlite_types import quoted

_ORDINATES = {0: Ordinate.ABSENT, 1: Ordinate.PRESENT, 2: Ordinate.FREE}
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ','now')"
_BORDERS = {"min_x": ("MIN", "minx"), "min_y": ("MIN", "miny"), "max_x": ("MAX", "maxx"), "max_y": ("MAX", "maxy")}


class GeoPackage:
    """The rules of GeoPackages."""

    head_length = HEAD_LENGTH

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Register the five functions of the standard's R-tree extension (F.3), which the R-tree triggers need."""
        functions: dict[str, Callable[[object], float | None]] = {
            "ST_IsEmpty": _is_empty,
            "ST_MinX": lambda blob: _border(blob, "xmin"),
            "ST_MaxX": lambda blob: _border(blob, "xmax"),
            "ST_MinY": lambda blob: _border(blob, "ymin"),
            "ST_MaxY": lambda blob: _border(blob, "ymax"),
        }
        for name, function in functions.items():
            connection.create_function(name, 1, function, deterministic=True)

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """Return the tables of features and of attributes."""
        return table_names(connection)

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """Return the column from gpkg_geometry_columns."""
        sql = (
            "SELECT column_name, upper(geometry_type_name), srs_id, z, m FROM gpkg_geometry_columns"
            " WHERE lower(table_name) = lower(?)"
        )
        row = connection.execute(sql, (table,)).fetchone()
        if row is None:
            return None
        name, kind, srid, z, m = row
        kind = Kind.__members__.get(kind, Kind.GEOMETRY)
        index = f"rtree_{table}_{name}"
        return GeometryColumn(
            name,
            GeometryType(kind, _ORDINATES.get(z, Ordinate.FREE), _ORDINATES.get(m, Ordinate.FREE)),
            srid,
            index if has_table(connection, index) else None,
        )

    def json_columns(self, connection: sqlite3.Connection, table: str) -> frozenset[str]:
        """Return the text columns that gpkg_data_columns declares as JSON."""
        if not has_table(connection, "gpkg_data_columns"):
            return frozenset()
        sql = (
            "SELECT column_name FROM gpkg_data_columns"
            " WHERE lower(table_name) = lower(?) AND mime_type = 'application/json'"
        )
        return frozenset(name for (name,) in connection.execute(sql, (table,)))

    def encode(self, geometry: Geometry, column: GeometryColumn) -> bytes:
        """Return a GeoPackage blob."""
        return write_blob(geometry, column.srid)

    def bounds(self, head: object) -> Bounds | None:
        """Return the envelope of the blob."""
        return read_bounds(head)

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """Update gpkg_contents and, if GDAL's triggers are missing, gpkg_ogr_contents."""
        _keep_count(connection, edits)
        connection.execute(
            f"UPDATE gpkg_contents SET last_change = {_NOW} WHERE lower(table_name) = lower(?)", (edits.table,)
        )
        if edits.geometry is not None:
            _keep_extent(connection, edits, edits.geometry)


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a table of that name exists."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
    return connection.execute(sql, (name,)).fetchone() is not None


def _is_empty(blob: object) -> int | None:
    return None if blob is None else int(read_bounds(blob) is None)


def _border(blob: object, side: str) -> float | None:
    bounds = read_bounds(blob)
    return None if bounds is None else getattr(bounds, side)


def _keep_count(connection: sqlite3.Connection, edits: TableEdits) -> None:
    added = 0 if _counts_itself(connection, edits.table, "insert") else edits.inserted
    removed = 0 if _counts_itself(connection, edits.table, "delete") else edits.deleted
    if added == removed or not has_table(connection, "gpkg_ogr_contents"):
        return
    sql = "UPDATE gpkg_ogr_contents SET feature_count = feature_count + ? WHERE lower(table_name) = lower(?)"
    connection.execute(sql, (added - removed, edits.table))


def _counts_itself(connection: sqlite3.Connection, table: str, event: str) -> bool:
    """Whether a trigger counts the features. GDAL removes its triggers while it writes many features."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) AND lower(name) = lower(?)"
    name = f"trigger_{event}_feature_count_{table}"
    return connection.execute(sql, (table, name)).fetchone() is not None


def _keep_extent(connection: sqlite3.Connection, edits: TableEdits, geometry: GeometryColumn) -> None:
    sql = f"SELECT {', '.join(_BORDERS)} FROM gpkg_contents WHERE lower(table_name) = lower(?)"
    row = connection.execute(sql, (edits.table,)).fetchone()
    known = Bounds(*row) if row and None not in row else None
    if geometry.index and known and edits.removed_bounds and edits.removed_bounds.reaches(known):
        _write_extent(connection, edits.table, _measured(connection, edits.table, geometry))
    elif edits.added_bounds is not None:
        _write_extent(connection, edits.table, edits.added_bounds.union(known))


def _measured(connection: sqlite3.Connection, table: str, geometry: GeometryColumn) -> Sequence[float | None]:
    """Return the extent of the table. The index rounds to 32 bits, so its outermost geometries are measured exactly."""
    index, column = quoted(geometry.index or ""), quoted(geometry.name)
    return [
        connection.execute(
            f"SELECT {function}(ST_{border}({column})) FROM {quoted(table)} WHERE rowid IN"
            f" (SELECT id FROM {index} WHERE {border} = (SELECT {function}({border}) FROM {index}))"
        ).fetchone()[0]
        for function, border in _BORDERS.values()
    ]


def _write_extent(connection: sqlite3.Connection, table: str, extent: Sequence[float | None]) -> None:
    sql = f"UPDATE gpkg_contents SET {', '.join(f'{name} = ?' for name in _BORDERS)} WHERE lower(table_name) = lower(?)"
    connection.execute(sql, (*extent, table))

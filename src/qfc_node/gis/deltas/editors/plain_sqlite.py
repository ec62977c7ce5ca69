"""SQLite files without a spatial standard: plain tables, or GDAL's own geometry columns in WKB."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ..editing import RefusedError
from ..geometry import Geometry, GeometryType, Kind, Ordinate, write_wkb
from .bounds import Bounds
from .geopackage import has_table
from .sqlite_dialect import GeometryColumn, TableEdits


class PlainSqlite:
    """The rules of files that follow no spatial standard."""

    head_length = 1

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Do nothing: triggers need no functions."""

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """Return all tables except those of SQLite and GDAL."""
        sql = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN ('geometry_columns', 'spatial_ref_sys')"
        )
        return [name for (name,) in connection.execute(sql)]

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """Return the column from GDAL's geometry_columns, whose types are numbers as in WKB, with 2.5D flags."""
        if not has_table(connection, "geometry_columns"):
            return None
        sql = (
            "SELECT f_geometry_column, geometry_format, geometry_type, coord_dimension, srid"
            " FROM geometry_columns WHERE lower(f_table_name) = lower(?)"
        )
        row = connection.execute(sql, (table,)).fetchone()
        if row is None:
            return None
        name, storage, kind, dimension, srid = row
        if storage != "WKB":
            raise RefusedError(f'The geometries of table "{table}" are stored as {storage}, which is not supported')
        z = Ordinate.PRESENT if dimension == 3 else Ordinate.ABSENT
        return GeometryColumn(name, GeometryType(Kind((kind & 0xFF) % 1000), z, Ordinate.ABSENT), srid or 0, None)

    def json_columns(self, _connection: sqlite3.Connection, _table: str) -> frozenset[str]:
        """Return nothing: such files declare none."""
        return frozenset()

    def encode(self, geometry: Geometry, _column: GeometryColumn) -> bytes:
        """Return well-known binary."""
        return write_wkb(geometry)

    def bounds(self, _head: object) -> Bounds | None:
        """Return None: such files have no index or extent."""
        return None

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """Do nothing: such files have no metadata."""

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
    """The rules of files that keep none."""

    head_length = 1

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Nothing is called."""

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """All tables but those of SQLite and GDAL."""
        sql = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN ('geometry_columns', 'spatial_ref_sys')"
        )
        return [name for (name,) in connection.execute(sql)]

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """The one of GDAL's geometry_columns; the types there are numbers as in WKB, with 2.5D flags."""
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
            raise RefusedError(f'The geometries of table "{table}" are kept as {storage}, which is not written here')
        z = Ordinate.PRESENT if dimension == 3 else Ordinate.ABSENT
        return GeometryColumn(name, GeometryType(Kind((kind & 0xFF) % 1000), z, Ordinate.ABSENT), srid or 0, None)

    def json_columns(self, _connection: sqlite3.Connection, _table: str) -> frozenset[str]:
        """None are declared."""
        return frozenset()

    def encode(self, geometry: Geometry, _column: GeometryColumn) -> bytes:
        """Well-known binary."""
        return write_wkb(geometry)

    def bounds(self, _head: object) -> Bounds | None:
        """Of no use here."""
        return None

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """There are none."""

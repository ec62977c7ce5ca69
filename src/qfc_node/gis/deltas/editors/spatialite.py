"""SpatiaLite databases (version 4 and later), edited without the SpatiaLite library.

Their triggers call three functions of that library. This module checks geometries and writes the index itself, so that
functions that do nothing can replace these. Geometries: https://www.gaia-gis.it/gaia-sins/BLOB-Geometry.html
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence

from ..editing import RefusedError
from ..geometry import Geometry, GeometryType, Kind, Ordinate, write_wkb
from .bounds import ANYWHERE, Bounds, bounds_of
from .geopackage import has_table
from .sqlite_dialect import GeometryColumn, TableEdits

_START, _LITTLE_ENDIAN, _MBR_END, _ENTITY, _END = 0x00, 0x01, 0x7C, b"\x69", 0xFE
_HEADER = struct.Struct("<BBi4dB")
_RTREE = 1


class SpatiaLite:
    """The rules of SpatiaLite."""

    head_length = _HEADER.size

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Register functions that do nothing: geometries fit already, and the R-tree is written after each edit."""
        for name, arguments in (("GeometryConstraints", 3), ("GeometryConstraints", 4), ("RTreeAlign", 3)):
            connection.create_function(name, arguments, _agree)

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """Return the tables with a geometry."""
        return [name for (name,) in connection.execute("SELECT f_table_name FROM geometry_columns")]

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """Return the column from geometry_columns, whose types are numbers as in ISO WKB."""
        sql = (
            "SELECT f_geometry_column, geometry_type, srid, spatial_index_enabled"
            " FROM geometry_columns WHERE lower(f_table_name) = lower(?)"
        )
        row = connection.execute(sql, (table,)).fetchone()
        if row is None:
            return None
        name, code, srid, indexed = row
        dimensions, kind = divmod(code, 1000)
        z = Ordinate.PRESENT if dimensions in (1, 3) else Ordinate.ABSENT
        m = Ordinate.PRESENT if dimensions in (2, 3) else Ordinate.ABSENT
        index = f"idx_{table}_{name}"
        has_index = indexed == _RTREE and has_table(connection, index)
        return GeometryColumn(name, GeometryType(Kind(kind), z, m), srid, index if has_index else None)

    def json_columns(self, _connection: sqlite3.Connection, _table: str) -> frozenset[str]:
        """Return nothing: such files declare none."""
        return frozenset()

    def encode(self, geometry: Geometry, column: GeometryColumn) -> bytes:
        """Return a SpatiaLite blob. Raises RefusedError."""
        bounds = bounds_of(geometry)
        if bounds is None:
            raise RefusedError("SpatiaLite does not support empty geometries")
        if geometry.kind > Kind.GEOMETRYCOLLECTION:
            raise RefusedError(f"SpatiaLite does not support the geometry type {geometry.kind.label}")
        header = _HEADER.pack(_START, _LITTLE_ENDIAN, column.srid, *bounds, _MBR_END)
        return header + _body(geometry) + bytes([_END])

    def bounds(self, head: object) -> Bounds | None:
        """Return the bounds in the blob's header."""
        if not isinstance(head, bytes) or len(head) < _HEADER.size:
            return None
        order = "<" if head[1] == _LITTLE_ENDIAN else ">"
        return Bounds(*struct.unpack_from(f"{order}4d", head, 6)) if head[0] == _START else ANYWHERE

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """Clear the statistics of the table, so that SpatiaLite computes them again."""
        if has_table(connection, "geometry_columns_statistics"):
            sql = (
                "UPDATE geometry_columns_statistics SET last_verified = NULL, row_count = NULL, extent_min_x = NULL,"
                " extent_min_y = NULL, extent_max_x = NULL, extent_max_y = NULL WHERE lower(f_table_name) = lower(?)"
            )
            connection.execute(sql, (edits.table,))


def _agree(*_arguments: object) -> int:
    return 1


def _body(geometry: Geometry) -> bytes:
    """Return the body of a blob: like WKB, but the byte order is in the header, and a mark precedes each member."""
    if geometry.kind <= Kind.POLYGON:
        return write_wkb(geometry)[1:]
    code = geometry.kind + 1000 * geometry.has_z + 2000 * geometry.has_m
    members = b"".join(_ENTITY + _body(part) for part in geometry.parts)
    return struct.pack("<II", code, len(geometry.parts)) + members

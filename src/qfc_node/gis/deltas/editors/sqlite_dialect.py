"""The differences between the kinds of SQLite files with geometries: GeoPackage, SpatiaLite, no standard."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..geometry import Geometry, GeometryType
from .bounds import Bounds


@dataclass(frozen=True)
class GeometryColumn:
    """The geometry column of a table. `index`: its R-tree table, if it has one."""

    name: str
    type: GeometryType
    srid: int
    index: str | None


@dataclass
class TableEdits:
    """The edits of a run to one table, for the file's metadata. Bounds: of all added or removed geometries."""

    table: str
    geometry: GeometryColumn | None
    inserted: int = 0
    deleted: int = 0
    updated: int = 0
    added_bounds: Bounds | None = None
    removed_bounds: Bounds | None = None

    @property
    def any(self) -> bool:
        """Whether there were any edits."""
        return bool(self.inserted or self.deleted or self.updated)

    def note_bounds(self, removed: Bounds | None, added: Bounds | None) -> None:
        """Record the old and the new bounds of a geometry."""
        self.removed_bounds = removed.union(self.removed_bounds) if removed else self.removed_bounds
        self.added_bounds = added.union(self.added_bounds) if added else self.added_bounds


class Dialect(Protocol):
    """The rules of one kind of file."""

    #: Number of bytes at the beginning of a geometry that contain its bounds.
    head_length: int

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Register the SQL functions that the file's triggers call."""
        ...

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """Return the names of the tables with features, in the order of GDAL's numbers."""
        ...

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """Return the geometry column of a table; None without one."""
        ...

    def json_columns(self, connection: sqlite3.Connection, table: str, /) -> frozenset[str]:
        """Return the columns that are declared as JSON."""
        ...

    def encode(self, geometry: Geometry, column: GeometryColumn, /) -> bytes:
        """Return a geometry as the column stores it."""
        ...

    def bounds(self, head: object, /) -> Bounds | None:
        """Return the bounds of a stored geometry from its first `head_length` bytes."""
        ...

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """Update the file's metadata about the table: extent, count, time of the last change."""
        ...

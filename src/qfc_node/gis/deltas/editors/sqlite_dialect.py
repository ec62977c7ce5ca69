"""What the kinds of SQLite files with geometries do differently: GeoPackage, SpatiaLite, none at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..geometry import Geometry, GeometryType
from .bounds import Bounds


@dataclass(frozen=True)
class GeometryColumn:
    """The geometry column of a table. `index`: the R-tree table over it, if there is one."""

    name: str
    type: GeometryType
    srid: int
    index: str | None


@dataclass
class TableEdits:
    """What a run did to one table, for the file's books. Bounds are those of all added or removed geometries."""

    table: str
    geometry: GeometryColumn | None
    inserted: int = 0
    deleted: int = 0
    updated: int = 0
    added_bounds: Bounds | None = None
    removed_bounds: Bounds | None = None

    @property
    def any(self) -> bool:
        """Whether anything was done."""
        return bool(self.inserted or self.deleted or self.updated)

    def note_bounds(self, removed: Bounds | None, added: Bounds | None) -> None:
        """Remember where a geometry was and where it is now."""
        self.removed_bounds = removed.union(self.removed_bounds) if removed else self.removed_bounds
        self.added_bounds = added.union(self.added_bounds) if added else self.added_bounds


class Dialect(Protocol):
    """The rules of one kind of file."""

    #: Bytes at the beginning of a geometry that tell its bounds.
    head_length: int

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Register the SQL functions that the file's triggers call."""
        ...

    def layers(self, connection: sqlite3.Connection) -> Sequence[str]:
        """Names of the tables with features, in the order in which GDAL numbers them."""
        ...

    def geometry_column(self, connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
        """The geometry column of a table."""
        ...

    def json_columns(self, connection: sqlite3.Connection, table: str, /) -> frozenset[str]:
        """Columns declared to hold JSON."""
        ...

    def encode(self, geometry: Geometry, column: GeometryColumn, /) -> bytes:
        """A geometry as the column stores it."""
        ...

    def bounds(self, head: object, /) -> Bounds | None:
        """Bounds of a stored geometry of which the first `head_length` bytes are given."""
        ...

    def keep_books(self, connection: sqlite3.Connection, edits: TableEdits) -> None:
        """Bring up to date what the file says about the table: extent, count, time of the last change."""
        ...

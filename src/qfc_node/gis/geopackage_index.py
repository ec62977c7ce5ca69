"""The R-tree of a copied table: copied from the source if it is reliable, else built from the geometries."""

from __future__ import annotations

import sqlite3
import struct

from . import wkb
from .geopackage import create_index, create_index_triggers, quoted
from .port import GisError
from .wkb import Envelope

_SHADOWS = ("node", "rowid", "parent")
_CELL = struct.Struct(">q4f")


def build_index(
    target: sqlite3.Connection, table: str, key: str, geometry: str, origin: tuple[str, str] | None
) -> None:
    """Index a filled table, record its extent, and add the triggers of the index.

    `origin`: table and geometry column in the attached database `source` from which the rows were copied with their
    numbers; None if they have other numbers there.
    """
    index = create_index(target, table, key, geometry)
    if origin is None or not _take_over(target, table, geometry, index, f"rtree_{origin[0]}_{origin[1]}"):
        _fill(target, table, key, geometry, index)
    extent = _extent(target, index)
    query = "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?"
    target.execute(query, (*(extent or (None, None, None, None)), table))
    create_index_triggers(target, table, key, geometry)


def _take_over(target: sqlite3.Connection, table: str, geometry: str, index: str, origin: str) -> bool:
    """Copy the pages of the source's R-tree, far faster than building one; return False if it does not fit the rows."""
    if target.execute("SELECT 1 FROM source.sqlite_master WHERE name = ?", (origin,)).fetchone() is None:
        return False
    rows = _count(target, f"main.{quoted(table)} WHERE {quoted(geometry)} IS NOT NULL")
    if rows != _count(target, f"source.{quoted(origin + '_rowid')}"):
        return False
    if _page_size(target, "main", index) != _page_size(target, "source", origin):
        return False
    for shadow in _SHADOWS:
        here, there = quoted(f"{index}_{shadow}"), quoted(f"{origin}_{shadow}")
        target.execute(f"DELETE FROM main.{here}")
        target.execute(f"INSERT INTO main.{here} SELECT * FROM source.{there}")
    return True


def _fill(target: sqlite3.Connection, table: str, key: str, geometry: str, index: str) -> None:
    rows = target.execute(
        f"SELECT {quoted(key)}, {quoted(geometry)} FROM main.{quoted(table)} WHERE {quoted(geometry)} IS NOT NULL"
    )
    boxes = ((number, wkb.envelope(blob)) for number, blob in rows.fetchall())
    entries = ((number, box[0], box[2], box[1], box[3]) for number, box in boxes if box)
    target.executemany(f"INSERT INTO {quoted(index)} VALUES (?, ?, ?, ?, ?)", entries)


def _extent(target: sqlite3.Connection, index: str) -> Envelope | None:
    """Return the extent of the R-tree from its root: xmin, xmax, ymin, ymax of each cell as big-endian floats.

    Source: the comment at the head of SQLite's ext/rtree/rtree.c.
    """
    row = target.execute(f"SELECT data FROM {quoted(index + '_node')} WHERE nodeno = 1").fetchone()
    if row is None:
        return None
    try:
        (count,) = struct.unpack_from(">H", row[0], 2)
        cells = [_CELL.unpack_from(row[0], 4 + i * _CELL.size) for i in range(count)]
    except (struct.error, TypeError) as error:
        raise GisError(f"its spatial index is damaged: {error}") from error
    if not cells:
        return None
    _, xmins, xmaxs, ymins, ymaxs = zip(*cells, strict=True)
    return min(xmins), min(ymins), max(xmaxs), max(ymaxs)


def _count(target: sqlite3.Connection, what: str) -> int:
    return int(target.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


def _page_size(target: sqlite3.Connection, schema: str, index: str) -> int | None:
    query = f"SELECT length(data) FROM {schema}.{quoted(index + '_node')} WHERE nodeno = 1"
    row = target.execute(query).fetchone()
    return int(row[0]) if row else None

"""Read features of a layer for drawing: those near the view; if there are too many, every n-th."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path

from .. import gdal_vector, geopackage, wkb
from ..datasource import FileSource
from ..geopackage import Table, quoted
from ..geopackage_copy import accepts_filter, is_query
from ..layers import LayerState
from ..project import Extent
from ..wkb import Shape

#: The most features of a layer that are drawn.
MAX_FEATURES = 2000
_MAX_GEOMETRY_BYTES = 4 * 1024 * 1024

Drawn = tuple[Shape, str]
"""A geometry and the text of the attribute that determines its symbol."""


def read_features(state: LayerState, window: Extent, attribute: str | None, deadline: float) -> list[Drawn]:
    """Return features of a layer that may be visible in `window` (in the layer's coordinate system).

    After `deadline`, a time of `time.monotonic`, no more are read. Raises GisError.
    """
    source = state.layer.source
    if state.path is None or not isinstance(source, FileSource):
        return []
    if state.table:
        return list(_parsed(_from_geopackage(state.path, state.table, source.subset, window, attribute), deadline))
    return list(_parsed(_from_file(state.path, source, window, attribute), deadline))


def _parsed(rows: Iterable[tuple[bytes, str]], deadline: float) -> Iterator[Drawn]:
    for number, (geometry, text) in enumerate(islice(rows, MAX_FEATURES)):
        if number % 64 == 0 and time.monotonic() > deadline:
            return
        if len(geometry) > _MAX_GEOMETRY_BYTES:
            continue
        try:
            yield wkb.parse(geometry), text
        except (ValueError, IndexError):
            continue


def _from_file(path: Path, source: FileSource, window: Extent, attribute: str | None) -> Generator[tuple[bytes, str]]:
    if not gdal_vector.can_open(path):
        return
    with gdal_vector.open_layer(path, source.layer_name, source.layer_id) as layer:
        layer.set_filter(source.subset)
        layer.set_extent(window.xmin, window.ymin, window.xmax, window.ymax)
        yield from layer.features(attribute)


def _from_geopackage(
    path: Path, table: Table, subset: str | None, window: Extent, attribute: str | None
) -> Generator[tuple[bytes, str]]:
    if table.geometry is None:
        return
    with geopackage.open_read_only(path) as connection:
        geometry = quoted(table.geometry.name)
        value = quoted(attribute) if attribute in table.field_names else "''"
        query = f"SELECT {geometry}, {value} FROM {quoted(table.name)} WHERE {geometry} IS NOT NULL"
        if subset and not is_query(subset) and accepts_filter(connection, table, subset) is None:
            query += f" AND ({subset}\n)"
        index = f"rtree_{table.name}_{table.geometry.name}"
        if table.key and _exists(connection, index):
            near = f"SELECT id FROM {quoted(index)} WHERE maxx >= ? AND minx <= ? AND maxy >= ? AND miny <= ?"
            query += f" AND {quoted(table.key)} IN ({near}) AND {quoted(table.key)} % {_step(connection, index)} = 0"
            rows = connection.execute(query, (window.xmin, window.xmax, window.ymin, window.ymax))
        else:
            rows = connection.execute(query)
        for blob, text in rows:
            if stripped := wkb.strip_header(blob) if isinstance(blob, bytes) else None:
                yield stripped, "" if text is None else str(text)


def _exists(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None


def _step(connection: sqlite3.Connection, index: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted(index + '_rowid')}").fetchone()
    return max(1, int(count) // MAX_FEATURES)

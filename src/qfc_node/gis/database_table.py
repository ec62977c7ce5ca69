"""One table of a GeoPackage, filled from PostgreSQL: the server evaluates filters and reads geometries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import sql

from .area import AreaFilter, AreaOfInterest
from .database_geometry import GeometryCopy
from .database_layers import DatabaseLayer
from .deltas.editors.postgres_columns import identifier, written
from .geopackage import create_count_triggers, quoted
from .geopackage_copy import free_name
from .geopackage_index import build_index
from .project import Layer

_CURSOR = "qfc_copy"
_BATCH = 2000
_JSON = "application/json"


class DatabaseTable:
    """A table named `name` in the GeoPackage `target`, for the rows of a table in PostgreSQL."""

    def __init__(self, target: sqlite3.Connection, name: str, origin: DatabaseLayer, layer: Layer) -> None:
        self.name = name
        self._target = target
        self._origin = origin
        self._columns = list(origin.table.columns.values())
        names = [column.name for column in self._columns]
        self.key = free_name("fid", names)
        self._geometry_name = free_name("geom", [*names, self.key])
        self._geometry = GeometryCopy(origin, layer) if origin.table.geometry else None
        self._matches: dict[str, set[int]] = {}

    @property
    def unfit(self) -> int:
        """The number of features that were left out because of their geometry."""
        return self._geometry.unfit if self._geometry else 0

    def fill(self, selection: Sequence[str], filters: Sequence[str], area: AreaOfInterest | None) -> int:
        """Create the table and copy the rows that match any of `selection` (empty: all); return their number.

        Notes which rows match each of `filters`. Raises the errors of psycopg.
        """
        self._matches = {text: set() for text in filters}
        limit = area.in_crs(self._geometry.crs) if area and self._geometry else None
        self._create()
        marks = ", ".join("?" * (1 + bool(self._geometry) + len(self._columns)))
        rows = self._rows(self._query(selection, limit), limit)
        self._target.execute("BEGIN")
        self._target.executemany(f"INSERT INTO {quoted(self.name)} VALUES ({marks})", rows)
        self._target.execute("COMMIT")
        (count,) = self._target.execute(f"SELECT count(*) FROM {quoted(self.name)}").fetchone()
        return int(count)

    def agrees(self, text: str) -> bool:
        """Whether SQLite understands a filter, and selects the rows that PostgreSQL selected."""
        condition = f"SELECT {quoted(self.key)} FROM {quoted(self.name)} WHERE ({text}\n)"
        try:
            return {key for (key,) in self._target.execute(condition)} == self._matches[text]
        except (sqlite3.Error, sqlite3.Warning):
            return False

    def drop(self) -> None:
        """Remove the table."""
        if self._target.in_transaction:
            self._target.execute("COMMIT")
        self._target.execute(f"DROP TABLE IF EXISTS {quoted(self.name)}")

    def register(self, count: int) -> None:
        """Make the table a layer of the GeoPackage."""
        self._target.execute("BEGIN")
        srs_id = self._geometry.register_srs(self._target) if self._geometry else 0
        self._target.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)",
            (self.name, "features" if self._geometry else "attributes", self.name, srs_id),
        )
        if self._geometry:
            self._geometry.register(self._target, self.name, self._geometry_name, srs_id)
            build_index(self._target, self.name, self.key, self._geometry_name, None)
        create_count_triggers(self._target, self.name, count)
        self._target.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, mime_type) VALUES (?, ?, ?)",
            [(self.name, column.name, _JSON) for column in self._columns if column.is_document],
        )
        if self._target.in_transaction:  # scripts that add triggers commit by themselves
            self._target.execute("COMMIT")

    def _create(self) -> None:
        columns = [f"{quoted(self.key)} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
        if self._geometry:
            columns.append(f"{quoted(self._geometry_name)} {self._geometry.type_name}")
        columns += [f"{quoted(column.name)} {column.declared_type}" for column in self._columns]
        self._target.execute(f"CREATE TABLE {quoted(self.name)} ({', '.join(columns)})")

    def _query(self, selection: Sequence[str], limit: AreaFilter | None) -> sql.Composed:
        """Return the query: a flag per filter, geometry and bounds, then the columns, in a stable order."""
        read: list[sql.Composable] = [sql.SQL("{} IS TRUE").format(_condition(text)) for text in self._matches]
        read += self._geometry.readings if self._geometry else []
        read += [column.reading for column in self._columns]
        conditions: list[sql.Composable] = []
        if selection:
            conditions.append(sql.SQL("({})").format(sql.SQL(" OR ").join(map(_condition, selection))))
        if limit and self._geometry:
            conditions.append(self._geometry.near(limit.bounds))
        where = sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
        table = self._origin.table
        order = sql.SQL(" ORDER BY {}").format(identifier(table.key)) if table.key else sql.SQL("")
        return sql.SQL("SELECT {} FROM {} WHERE {}{}").format(sql.SQL(", ").join(read), table.name, where, order)

    def _rows(self, query: sql.Composed, limit: AreaFilter | None) -> Iterator[list[Any]]:
        """Yield the rows as SQLite stores them; each gets the next number."""
        flags, number = len(self._matches), 0
        with self._origin.connection.cursor(name=_CURSOR, binary=True) as cursor:
            cursor.itersize = _BATCH
            for row in cursor.execute(query, ()):
                values = row[flags:]
                if self._geometry:
                    is_kept, blob = self._geometry.blob(values)
                    if not is_kept or (limit and not limit.meets(blob)):
                        continue
                    values = (blob, *values[self._geometry.width :])
                number += 1
                for matching, is_match in zip(self._matches.values(), row[:flags], strict=True):
                    if is_match:
                        matching.add(number)
                yield [number, *values]


def _condition(text: str) -> sql.SQL:
    return written(f"({text}\n)")

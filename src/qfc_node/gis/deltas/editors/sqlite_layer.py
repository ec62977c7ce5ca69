"""Edit one table of a SQLite file with plain SQL, and keep the R-tree of its geometries correct."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import uuid4

from ..editing import Feature, GeometryChange, RefusedError, Unchanged
from ..geometry import Geometry
from ..values import FieldKind, Value, coerce_or_keep
from .bounds import Bounds, bounds_of
from .kept import check_count, check_geometry, check_values
from .keys import ambiguous
from .sqlite_dialect import Dialect, TableEdits
from .sqlite_schema import TableSchema
from .sqlite_types import quoted, stored

#: Larger keys would exhaust the table's counter; no device assigns them.
_LARGEST_GIVEN_KEY = 2**53


class Database(Protocol):
    """The open file. Both raise RefusedError instead of SQLite's errors."""

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for reading the schema."""
        ...

    def execute(self, sql: str, parameters: Sequence[Value]) -> sqlite3.Cursor:
        """Run a statement."""
        ...

    def edit(self) -> AbstractContextManager[None]:
        """Return a context that undoes its statements if one of them fails."""
        ...


class SqliteLayer:
    """A LayerEditor for a table."""

    def __init__(self, database: Database, dialect: Dialect, described: TableSchema) -> None:
        self._database = database
        self._dialect = dialect
        self._described = described
        self._table = quoted(described.table)
        self._geometry = described.geometry
        self._key_field = described.key
        self._numbers_itself = described.numbers_itself
        self._largest_deleted = 0
        self.edits = TableEdits(described.table, described.geometry)
        self.schema = described.schema

    def find(self, key: str) -> Feature | None:
        """Return the row with that key; None without one."""
        value = coerce_or_keep(self._key_field, key)
        if not self._is_key(value):
            return None
        names = list(self.schema.fields)
        selected = ", ".join(map(quoted, names))
        query = f"SELECT {selected} FROM {self._table} WHERE {self._where} LIMIT 2"
        rows = self._database.execute(query, (value,)).fetchall()
        if len(rows) > 1:
            raise ambiguous(f'the table "{self._described.table}"', self._key_field.name, key)
        if not rows:
            return None
        (row,) = rows
        fields = zip(self.schema.fields.values(), row, strict=True)
        return Feature(str(value), {field.name: coerce_or_keep(field, raw) for field, raw in fields})

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a row, with the given key if it is free."""
        values = self._row(attributes, geometry if geometry else Unchanged.GEOMETRY)
        key = self._new_key(values.pop(self._key_field.name, None))
        if key is not None:
            values[self._key_field.name] = key
        with self._database.edit():
            number = self._insert(values)
            self._index(number, geometry)
            self._check_row(number if key is None else key, values)
        self.edits.inserted += 1
        self.edits.note_bounds(None, bounds_of(geometry))
        return str(number if key is None else key)

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Change columns of the row."""
        values = self._row(attributes, geometry)
        key = coerce_or_keep(self._key_field, feature.key)
        number, before = self._place(key, geometry)
        assignments = ", ".join(f"{quoted(name)} = ?" for name in values)
        with self._database.edit():
            sql = f"UPDATE {self._table} SET {assignments} WHERE {self._where}"
            check_count(self._database.execute(sql, (*values.values(), key)).rowcount, "changed")
            if not isinstance(geometry, Unchanged):
                self._index(number, geometry)
            after = self._check_row(values.get(self._key_field.name, key), values)
            check_values(feature, attributes, after.attributes)
        self.edits.updated += 1
        if not isinstance(geometry, Unchanged):
            self.edits.note_bounds(before, bounds_of(geometry))
        return feature.key

    def delete(self, feature: Feature) -> None:
        """Remove the row."""
        key = coerce_or_keep(self._key_field, feature.key)
        number, before = self._place(key, None)
        with self._database.edit():
            sql = f"DELETE FROM {self._table} WHERE {self._where}"
            check_count(self._database.execute(sql, (key,)).rowcount, "deleted")
            self._index(number, None)
            check_count(0 if self._is_taken(key) else 1, "deleted")
        self._largest_deleted = max(self._largest_deleted, key if isinstance(key, int) else 0)
        self.edits.deleted += 1
        self.edits.note_bounds(before, None)

    def _check_row(self, key: Value, written: Mapping[str, Value]) -> Feature:
        """Read a row back; return it. Raises RefusedError if it is missing or has another geometry."""
        after = self.find(str(key))
        if after is None:
            raise RefusedError("A trigger of the source removed the feature")
        if self._geometry is not None and self._geometry.name in written:
            sql = f"SELECT {quoted(self._geometry.name)} IS ? FROM {self._table} WHERE {self._where}"
            check_geometry(bool(self._database.execute(sql, (written[self._geometry.name], key)).fetchone()[0]))
        return after

    def has_missing_geometry(self) -> bool:
        """Whether a row has no geometry."""
        if self._geometry is None:
            return True
        sql = f"SELECT 1 FROM {self._table} WHERE {quoted(self._geometry.name)} IS NULL LIMIT 1"
        return self._database.execute(sql, ()).fetchone() is not None

    @property
    def _where(self) -> str:
        return f"{quoted(self._key_field.name)} = ?"

    def _row(self, attributes: Mapping[str, Value], geometry: GeometryChange) -> dict[str, Value]:
        row = {name: stored(self.schema.fields[name], value) for name, value in attributes.items()}
        if self._geometry is not None and not isinstance(geometry, Unchanged):
            row[self._geometry.name] = self._dialect.encode(geometry, self._geometry) if geometry else None
        return row

    def _is_key(self, value: Value) -> bool:
        return value is not None and (isinstance(value, int) or not self._numbers_itself)

    def _new_key(self, given: Value) -> Value:
        """Return the given key if it is valid and unused; None lets the table number the row."""
        if self._key_field.kind is not FieldKind.INTEGER:
            return str(uuid4()) if given is None else given
        if given is not None and 0 <= given <= _LARGEST_GIVEN_KEY and not self._is_taken(given):
            return given
        return None if self._numbers_itself else self._next_number()

    def _is_taken(self, key: Value) -> bool:
        sql = f"SELECT 1 FROM {self._table} WHERE {self._where}"
        return self._database.execute(sql, (key,)).fetchone() is not None

    def _next_number(self) -> int:
        """Return one more than the largest key, including rows deleted in this run: keys are not used again."""
        sql = f"SELECT coalesce(max({quoted(self._key_field.name)}), 0) FROM {self._table}"
        return 1 + max(self._largest_deleted, self._database.execute(sql, ()).fetchone()[0])

    def _insert(self, values: Mapping[str, Value]) -> int:
        columns = ", ".join(map(quoted, values))
        marks = ", ".join("?" * len(values))
        body = f"({columns}) VALUES ({marks})" if values else "DEFAULT VALUES"
        cursor = self._database.execute(f"INSERT INTO {self._table} {body}", tuple(values.values()))
        check_count(cursor.rowcount, "added")
        return cursor.lastrowid or 0

    def _place(self, key: Value, geometry: GeometryChange) -> tuple[int, Bounds | None]:
        """Return a row's number in the R-tree and the bounds of its geometry; both only if the geometry will change."""
        if self._geometry is None or isinstance(geometry, Unchanged):
            return 0, None
        number = quoted(self._key_field.name) if self._numbers_itself else self._described.row_number
        head = f"substr({quoted(self._geometry.name)}, 1, {self._dialect.head_length})"
        sql = f"SELECT {number}, {head} FROM {self._table} WHERE {self._where}"
        row = self._database.execute(sql, (key,)).fetchone()
        return (row[0], self._dialect.bounds(row[1])) if row else (0, None)

    def _index(self, number: int, geometry: Geometry | None) -> None:
        """Write the R-tree's entry again: the table's triggers may be missing, or of an old and faulty version."""
        if self._geometry is None or self._geometry.index is None:
            return
        index, bounds = quoted(self._geometry.index), bounds_of(geometry)
        execute = self._database.execute
        if bounds is None:
            execute(f"DELETE FROM {index} WHERE rowid = ?", (number,))
        else:
            values = (number, bounds.xmin, bounds.xmax, bounds.ymin, bounds.ymax)
            execute(f"INSERT OR REPLACE INTO {index} VALUES (?, ?, ?, ?, ?)", values)

"""Edit tables of PostgreSQL with PostGIS in one transaction, over the connection that the project describes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ...datasource import DatabaseSource
from ..editing import Feature, GeometryChange, Identity, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry, write_wkb
from ..values import Value, coerce_or_keep
from .kept import check_values
from .postgres_columns import identifier
from .postgres_connection import Connection, said, unreachable
from .postgres_record import AppliedDeltas
from .postgres_schema import PostgresTable, describe

_STATEMENT_TIMEOUT = "60s"
_KEPT = "A rule, trigger or policy of the database kept the feature from being {}"


class PostgresStore:
    """A Store over one connection."""

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self._open = open_connection
        self.connection: Connection = open_connection()
        try:
            self.connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(_STATEMENT_TIMEOUT))
            # A violation must be reported for the delta that causes it.
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self._record = AppliedDeltas(self.connection)
        except psycopg.Error as error:
            self.connection.close()
            raise unreachable(error) from error

    @property
    def forgets(self) -> str:
        """Why the database cannot remember deltas; empty if it can."""
        return self._record.forgets

    def claim(self, delta_id: str) -> str | None:
        """Remember the delta. If it was remembered before, return the key of its feature, else None."""
        return self._record.claim(delta_id)

    def note_key(self, delta_id: str, key: str) -> None:
        """Remember the key of the feature, too."""
        self._record.note_key(delta_id, key)

    def layer_of(self, source: DatabaseSource) -> PostgresLayer:
        """Return the editor of the table that a source names. Raises RefusedError."""
        with self.edit():
            return PostgresLayer(self, describe(self.connection, source))

    def identity(self, name: str | None, number: int | None = None) -> Identity:
        """Return the key of a table without geometries."""
        schema = self.layer(name, number).schema
        return Identity(schema.key, schema.writable)

    def layer(self, name: str | None, number: int | None = None) -> PostgresLayer:  # noqa: ARG002 -- as Store has it
        """Return the editor of a table without geometries."""
        return self.layer_of(DatabaseSource("postgres", table=name or ""))

    @contextmanager
    def edit(self) -> Generator[None]:
        """Set a savepoint around one edit."""
        if self.connection.closed:
            raise RefusedError("The connection to the database was lost; none of its deltas was applied")
        try:
            with self.connection.transaction():
                yield
        except psycopg.Error as error:
            raise RefusedError(f"The database refused the edit: {said(error)}", (said(error),)) from error

    def commit(self) -> frozenset[Path]:
        """Keep the edits. No file changes."""
        try:
            self.connection.commit()
        except psycopg.Error as error:
            if self._is_kept():
                return frozenset()
            raise RefusedError(f"The database refused the edits: {said(error)}", (said(error),)) from error
        self.connection.close()
        return frozenset()

    def _is_kept(self) -> bool:
        """Whether a commit whose answer was lost arrived."""
        try:
            with closing(self._open()) as connection:
                return self._record.is_kept(connection)
        except (RefusedError, psycopg.Error):
            return False

    def discard(self) -> None:
        """Roll back and close."""
        self.connection.close()


class PostgresLayer:
    """A LayerEditor over a table."""

    def __init__(self, store: PostgresStore, table: PostgresTable) -> None:
        self._store = store
        self._table = table
        self.schema: LayerSchema = table.schema
        self._key = table.schema.key

    def find(self, key: str) -> Feature | None:
        """Return the row with that key, locked until the end of the run; None without one."""
        columns = sql.SQL(", ").join(self._table.columns[name].reading for name in self.schema.fields)
        lock = " FOR UPDATE" if self._table.is_lockable and self._table.rights.update else ""
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s LIMIT 2" + lock)
        value = coerce_or_keep(self.schema.fields[self._key], key)
        try:
            rows = self._run(query.format(columns, self._table.name, identifier(self._key)), [value])
        except RefusedError as error:
            if isinstance(error.__cause__, psycopg.errors.DataError | psycopg.errors.UndefinedFunction):
                return None  # no such key can exist
            raise
        if len(rows) > 1:
            raise RefusedError(f'Several features have the key "{key}", so none can be chosen')
        return self._feature(key, rows[0]) if rows else None

    def _feature(self, key: str, row: tuple[Any, ...]) -> Feature:
        pairs = zip(self.schema.fields.items(), row, strict=True)
        return Feature(key, {name: coerce_or_keep(field, raw) for (name, field), raw in pairs})

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a row; the column's default replaces a key that is already used."""
        values = dict(attributes)
        has_default = self._table.columns[self._key].has_default
        if values.get(self._key) is None or (has_default and self.find(str(values[self._key]))):
            values.pop(self._key, None)
        row = self._values(values, geometry if geometry else Unchanged.GEOMETRY)
        return self._key_from(self._run(self._insertion(list(row)), list(row.values())), "added")

    def _insertion(self, names: list[str]) -> sql.Composed:
        key = identifier(self._key)
        if not names:
            return sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING {}").format(self._table.name, key)
        columns = sql.SQL(", ").join(map(identifier, names))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(names))
        return sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(self._table.name, columns, marks, key)

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Change columns of the row."""
        row = self._values(attributes, geometry)
        assign = sql.SQL(", ").join(sql.SQL("{} = %s").format(identifier(name)) for name in row)
        query = sql.SQL("UPDATE {} SET {} WHERE {} = %s RETURNING {}")
        key, names = identifier(self._key), list(attributes)
        read = sql.SQL(", ").join([key, *(self._table.columns[name].reading for name in names)])
        with self._store.edit():
            rows = self._run(query.format(self._table.name, assign, key, read), [*row.values(), self._key_of(feature)])
            changed = self._key_from(rows, "changed")
            after = {
                name: coerce_or_keep(self.schema.fields[name], raw)
                for name, raw in zip(names, rows[0][1:], strict=True)
            }
            check_values(feature, attributes, after)
        return changed

    def delete(self, feature: Feature) -> None:
        """Remove the row."""
        query = sql.SQL("DELETE FROM {} WHERE {} = %s RETURNING {}")
        key = identifier(self._key)
        self._key_from(self._run(query.format(self._table.name, key, key), [self._key_of(feature)]), "deleted")

    def _key_of(self, feature: Feature) -> Value:
        return coerce_or_keep(self.schema.fields[self._key], feature.key)

    def _key_from(self, rows: list[tuple[Any, ...]], done: str) -> str:
        if len(rows) != 1:
            raise RefusedError(_KEPT.format(done))
        return str(rows[0][0])

    def _run(self, query: sql.Composed, values: list[Value]) -> list[tuple[Any, ...]]:
        with self._store.edit():
            return self._store.connection.execute(query, values).fetchall()

    def _values(self, attributes: Mapping[str, Value], geometry: GeometryChange) -> dict[str, Value]:
        row = {name: self._table.columns[name].adapted(value) for name, value in attributes.items()}
        column = self._table.geometry
        if column and not isinstance(geometry, Unchanged):
            # PostGIS reads hexadecimal EWKB wherever a geometry is expected.
            row[column.name] = write_wkb(geometry, column.srid).hex() if geometry else None
        return row

"""Edit tables of PostgreSQL with PostGIS in one transaction, over the connection that the project describes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ...datasource import DatabaseSource
from ..editing import Feature, GeometryChange, Identity, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry, write_wkb
from ..values import FieldKind, Value, coerce_or_keep
from .postgres_schema import PostgresTable, describe

#: Parameters of a QGIS source that libpq knows.
_PARAMETERS = ("service", "host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert")
_CONNECT_SECONDS = 10
_STATEMENT_TIMEOUT = "60s"

Connection = psycopg.Connection[tuple[Any, ...]]


def connection_of(source: DatabaseSource) -> dict[str, str]:
    """Return the connection parameters for libpq. Raises RefusedError for those that only QGIS can resolve."""
    if source.provider != "postgres":
        raise RefusedError(f"Layers of the provider {source.provider} cannot be edited here")
    if source.parameters.get("authcfg"):
        reason = (
            "The connection uses an authentication configuration of QGIS, which only exists on its author's computer"
        )
        raise RefusedError(f"{reason}; use a service (pg_service.conf, as a secret of the project) instead")
    return {name: value for name in _PARAMETERS if (value := source.parameters.get(name))}


class PostgresStore:
    """A Store over one connection."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        try:
            options: dict[str, Any] = {**parameters, "connect_timeout": _CONNECT_SECONDS, "application_name": "qfc"}
            self.connection: Connection = psycopg.connect(**options)
            self.connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(_STATEMENT_TIMEOUT))
            # A violation must be reported for the delta that causes it.
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            raise RefusedError(f"The database cannot be reached: {_said(error)}", (_said(error),)) from error

    def layer_of(self, source: DatabaseSource) -> PostgresLayer:
        """Return the editor of the table that a source names."""
        if source.table.startswith("("):
            raise RefusedError("The layer is a query, whose rows cannot be edited")
        name = sql.Identifier(source.schema, source.table) if source.schema else sql.Identifier(source.table)
        text = name.as_string(self.connection)
        with self.edit():
            table = describe(self.connection, text, source.geometry_column, source.key)
        return PostgresLayer(self, name, table)

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
            raise RefusedError(f"The database refused the edit: {_said(error)}", (_said(error),)) from error

    def commit(self) -> frozenset[Path]:
        """Keep the edits. No file changes."""
        try:
            self.connection.commit()
        except psycopg.Error as error:
            raise RefusedError(f"The database refused the edits: {_said(error)}", (_said(error),)) from error
        self.connection.close()
        return frozenset()

    def discard(self) -> None:
        """Roll back and close."""
        self.connection.close()


class PostgresLayer:
    """A LayerEditor over a table."""

    def __init__(self, store: PostgresStore, name: sql.Identifier, table: PostgresTable) -> None:
        self._store = store
        self._name = name
        self._table = table
        self.schema: LayerSchema = table.schema
        self._key = table.schema.key

    def find(self, key: str) -> Feature | None:
        """Return the row with that key, locked until the end of the run; None without one."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.schema.fields))
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s FOR UPDATE")
        value = coerce_or_keep(self.schema.fields[self._key], key)
        try:
            row = self._run(query.format(columns, self._name, sql.Identifier(self._key)), [value])
        except RefusedError as error:
            if isinstance(error.__cause__, psycopg.errors.DataError | psycopg.errors.UndefinedFunction):
                return None  # no such key can exist
            raise
        if row is None:
            return None
        pairs = zip(self.schema.fields.items(), row, strict=True)
        return Feature(key, {name: coerce_or_keep(field, _plain(raw)) for (name, field), raw in pairs})

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a row; the column's default replaces a key that is already used."""
        values = dict(attributes)
        if values.get(self._key) is None or (self._key in self._table.defaults and self.find(str(values[self._key]))):
            values.pop(self._key, None)
        row = self._values(values, geometry if geometry else Unchanged.GEOMETRY)
        returned = self._run(self._insertion(list(row)), list(row.values()))
        return str(returned[0]) if returned else ""

    def _insertion(self, names: list[str]) -> sql.Composed:
        key = sql.Identifier(self._key)
        if not names:
            return sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING {}").format(self._name, key)
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(names))
        return sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(self._name, columns, marks, key)

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Change columns of the row."""
        row = self._values(attributes, geometry)
        assign = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in row)
        query = sql.SQL("UPDATE {} SET {} WHERE {} = %s RETURNING {}")
        key = sql.Identifier(self._key)
        returned = self._run(query.format(self._name, assign, key, key), [*row.values(), self._key_of(feature)])
        return str(returned[0]) if returned else feature.key

    def delete(self, feature: Feature) -> None:
        """Remove the row."""
        query = sql.SQL("DELETE FROM {} WHERE {} = %s RETURNING {}")
        key = sql.Identifier(self._key)
        if self._run(query.format(self._name, key, key), [self._key_of(feature)]) is None:
            raise RefusedError("A rule or trigger of the database kept the feature from being deleted")

    def _key_of(self, feature: Feature) -> Value:
        return coerce_or_keep(self.schema.fields[self._key], feature.key)

    def _run(self, query: sql.Composed, values: list[Value]) -> tuple[Any, ...] | None:
        with self._store.edit():
            return self._store.connection.execute(query, values).fetchone()

    def _values(self, attributes: Mapping[str, Value], geometry: GeometryChange) -> dict[str, Value]:
        row = {name: self._adapted(name, value) for name, value in attributes.items()}
        if self._table.geometry_column and not isinstance(geometry, Unchanged):
            # PostGIS reads hexadecimal EWKB wherever a geometry is expected.
            ewkb = write_wkb(geometry, self._table.srid).hex() if geometry else None
            row[self._table.geometry_column] = ewkb
        return row

    def _adapted(self, name: str, value: Value) -> Value:
        is_document = self.schema.fields[name].kind is FieldKind.JSON and name not in self._table.arrays
        return Jsonb(value) if is_document and value is not None else value


def _plain(raw: Any) -> Value:
    """Return a value of psycopg as a value that devices know."""
    if isinstance(raw, UUID):
        return str(raw)
    return float(raw) if isinstance(raw, Decimal) else raw


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).strip()

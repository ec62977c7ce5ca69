"""The layers of a project whose data are in PostgreSQL and travel in its package: connect, and describe their tables.

All layers of one login are read in one snapshot. The driver is imported only for projects that have such layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING

from .datasource import DatabaseSource
from .deltas.editing import RefusedError
from .geopackage import Column, Table
from .layers import LayerState, unreached
from .project import Project
from .sync_settings import layer_action

if TYPE_CHECKING:
    from .deltas.editors.postgres_connection import Connection
    from .deltas.editors.postgres_schema import PostgresTable

_LOGIN = "SET idle_in_transaction_session_timeout = 0"


@dataclass(frozen=True)
class DatabaseLayer:
    """The source of a layer, an open connection to its database, and the description of its table."""

    source: DatabaseSource
    connection: Connection
    table: PostgresTable


class DatabaseLayers:
    """The described layers by id. As a context, it closes the connections at the end."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.found: dict[str, DatabaseLayer] = {}
        self._connections: dict[tuple[tuple[str, str], ...], Connection] = {}
        self._broken: dict[tuple[tuple[str, str], ...], RefusedError] = {}

    def __enter__(self) -> DatabaseLayers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for connection in self._connections.values():
            connection.close()

    def inspect(self, states: Mapping[str, LayerState]) -> dict[str, LayerState]:
        """Return the states, with what the databases say about the layers that will be copied."""
        return {layer_id: self._inspected(state) if is_copied(state) else state for layer_id, state in states.items()}

    def reached(self, states: Mapping[str, LayerState]) -> dict[str, LayerState]:
        """Return the states; layers whose table cannot be reached are invalid, whatever the device does with them."""
        return {layer_id: self._inspected(state) if _is_table(state) else state for layer_id, state in states.items()}

    def _inspected(self, state: LayerState) -> LayerState:
        source = state.layer.source
        if not isinstance(source, DatabaseSource):
            return state
        try:
            found = self._describe(source)
        except RefusedError as error:
            return unreached(state, f"{error}.")
        self.found[state.layer.id] = found
        return _with_key(state, found.table)

    def _describe(self, source: DatabaseSource) -> DatabaseLayer:
        from psycopg import Error

        from .deltas.editors.postgres_connection import connection_of, said
        from .deltas.editors.postgres_schema import describe, with_unique_key

        connection = self._connection(connection_of(source))
        try:
            with connection.transaction():
                table = with_unique_key(connection, describe(connection, source))
                return DatabaseLayer(source, connection, table)
        except Error as error:
            raise RefusedError(f"The database refused to describe the layer: {said(error)}") from error

    def _connection(self, parameters: Mapping[str, str]) -> Connection:
        identity = tuple(sorted(parameters.items()))
        if identity in self._broken:
            raise self._broken[identity]
        if identity not in self._connections:
            try:
                self._connections[identity] = self._connected(parameters)
            except RefusedError as error:
                self._broken[identity] = error
                raise
        return self._connections[identity]

    def _connected(self, parameters: Mapping[str, str]) -> Connection:
        from psycopg import Error, IsolationLevel

        from .deltas.editors.postgres_connection import connect, unreachable

        connection = connect(parameters, self._project.databases, self._project.files_root)
        try:
            connection.execute(_LOGIN)
            connection.commit()
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute("SELECT 1")  # begins the transaction, so that later ones are savepoints in it
        except Error as error:
            with suppress(Error):
                connection.close()
            raise unreachable(error) from error
        return connection


def is_copied(state: LayerState) -> bool:
    """Whether the data of a layer are to be copied from PostgreSQL."""
    return _is_table(state) and layer_action(state.layer) == "offline"


def _is_table(state: LayerState) -> bool:
    return state.layer.kind == "vector" and state.layer.provider == "postgres" and state.is_valid


def _with_key(state: LayerState, table: PostgresTable) -> LayerState:
    problem = table.problem[:1].lower() + table.problem[1:]
    key = table.key
    if key and "," in key:
        key, problem = None, f"the name of its key '{key}' contains a comma"
    columns = (
        Column(column.name, column.declared_type, column.is_required, column.has_default or column.is_generated)
        for column in table.columns.values()
    )
    table_of_layer = Table(state.layer.name, None, None, tuple(columns))
    return replace(state, key=key, edit_problem=problem, lacks_key=key is None, table=table_of_layer)


def described(states: Iterable[LayerState], layers: DatabaseLayers) -> list[tuple[LayerState, DatabaseLayer]]:
    """Return the layers among `states` that have a description."""
    return [(state, layers.found[state.layer.id]) for state in states if state.layer.id in layers.found]

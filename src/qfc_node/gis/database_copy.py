"""Copy tables of PostgreSQL into `data.gpkg`: one table for every distinct source of the layers, as for files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import Error

from . import geopackage
from .area import AreaOfInterest
from .database_layers import DatabaseLayer
from .database_table import DatabaseTable
from .deltas.editors.postgres_connection import said
from .geopackage_copy import Copied, free_name
from .layers import LayerState
from .offline_copy import OfflineData, safe_name

Filter = str | None


@dataclass
class _Group:
    """The layers that show the same table with the same geometry, by their filters."""

    origin: DatabaseLayer
    states: dict[Filter, list[LayerState]] = field(default_factory=dict[Filter, list[LayerState]])

    @property
    def filters(self) -> list[str]:
        """The filters of the layers that have one."""
        return [text for text in self.states if text]

    @property
    def selection(self) -> list[str]:
        """The filters that select the rows to copy: rows that match any of them. None selects all rows."""
        return self.filters if None not in self.states else []

    @property
    def all_states(self) -> list[LayerState]:
        """All layers."""
        return [state for states in self.states.values() for state in states]


def copy_databases(
    layers: Iterable[tuple[LayerState, DatabaseLayer]], target: Path, area: AreaOfInterest | None, data: OfflineData
) -> list[str]:
    """Copy the data of the layers into `target`, and note in `data` what was copied. Return notes for users."""
    groups = _groups(layers)
    if not groups:
        return []
    with closing(_opened(target)) as connection:
        copying = _Copying(connection, area, data)
        return [note for group in groups for note in copying.copied(group)]


def _groups(layers: Iterable[tuple[LayerState, DatabaseLayer]]) -> list[_Group]:
    groups: dict[tuple[object, ...], _Group] = {}
    for state, origin in layers:
        source, layer = origin.source, state.layer
        address = (id(origin.connection), source.schema, source.table, source.geometry_column, state.key)
        group = groups.setdefault((*address, layer.geometry_type, layer.crs), _Group(origin))
        group.states.setdefault(source.subset, []).append(state)
    return list(groups.values())


def _opened(target: Path) -> sqlite3.Connection:
    if not target.exists():
        return geopackage.create(target)
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@dataclass(frozen=True)
class _Copying:
    """Copies groups into one GeoPackage, and notes in `data` what was copied."""

    target: sqlite3.Connection
    area: AreaOfInterest | None
    data: OfflineData

    def copied(self, group: _Group) -> list[str]:
        """Copy the table of a group; return notes for users."""
        table = DatabaseTable(self.target, self._free_name(group), group.origin, group.all_states[0].layer)
        try:
            with group.origin.connection.transaction():
                count = table.fill(group.selection, group.filters, self.area)
        except (Error, ValueError) as error:  # a text in no known encoding is a ValueError
            table.drop()
            return self._failed(group, error)
        notes = self._separate(group, _misread(group, table))
        if not group.states:
            table.drop()
            return notes
        self._keep(group, table, count)
        return [*notes, *_left_out(group, table)]

    def _failed(self, group: _Group, error: Exception) -> list[str]:
        if len(group.states) > 1:  # only one filter may be at fault
            return self._separate(group, list(group.states))
        reason = said(error) if isinstance(error, Error) else str(error)
        self.data.failures.update({state.layer.id: reason for state in group.all_states})
        return []

    def _separate(self, group: _Group, filters: Sequence[Filter]) -> list[str]:
        """Copy tables of their own for the layers with these filters."""
        alone = [_Group(group.origin, {text: group.states.pop(text)}) for text in filters]
        return [note for one in alone for note in self.copied(one)]

    def _keep(self, group: _Group, table: DatabaseTable, count: int) -> None:
        table.register(count)
        for text, states in group.states.items():
            copied = Copied(table.name, table.key, count, keeps_filter=text is not None and table.agrees(text))
            self.data.tables.update({state.layer.id: copied for state in states})

    def _free_name(self, group: _Group) -> str:
        taken = [str(name) for (name,) in self.target.execute("SELECT name FROM sqlite_master")]
        source = group.origin.source
        wanted = group.all_states[0].layer.name if source.table.startswith("(") else source.table
        return free_name(safe_name(wanted), taken)


def _misread(group: _Group, table: DatabaseTable) -> list[Filter]:
    """Return the filters that mean something else on a device; a single one is not needed there."""
    return [text for text in group.filters if not table.agrees(text)] if len(group.states) > 1 else []


def _left_out(group: _Group, table: DatabaseTable) -> list[str]:
    if not table.unfit:
        return []
    names = ", ".join(f"'{state.layer.name}'" for state in group.all_states)
    return [f"Layer {names}: {table.unfit} features were left out: their geometry does not fit the layer's type."]

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
        return [note for group in groups for note in _copied(connection, group, area, data)]


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


def _copied(target: sqlite3.Connection, group: _Group, area: AreaOfInterest | None, data: OfflineData) -> list[str]:
    """Copy the table of a group. Layers whose filter means something else on a device get tables of their own."""
    table = DatabaseTable(target, _free_table(target, group), group.origin, group.all_states[0].layer)
    try:
        with group.origin.connection.transaction():
            count = table.fill(group.selection, group.filters, area)
    except (Error, ValueError) as error:  # a text in no known encoding is a ValueError
        table.drop()
        if len(group.states) > 1:  # only one filter may be at fault
            return _separate(target, group, list(group.states), area, data)
        reason = said(error) if isinstance(error, Error) else str(error)
        data.failures.update({state.layer.id: reason for state in group.all_states})
        return []
    alone = [text for text in group.filters if not table.agrees(text)] if len(group.states) > 1 else []
    notes = _separate(target, group, alone, area, data)
    if not group.states:
        table.drop()
        return notes
    table.register(count)
    for text, states in group.states.items():
        copied = Copied(table.name, table.key, count, keeps_filter=text is not None and table.agrees(text))
        data.tables.update({state.layer.id: copied for state in states})
    return [*notes, *_left_out(group, table)]


def _separate(
    target: sqlite3.Connection, group: _Group, filters: Sequence[Filter], area: AreaOfInterest | None, data: OfflineData
) -> list[str]:
    notes: list[str] = []
    for text in filters:
        notes += _copied(target, _Group(group.origin, {text: group.states.pop(text)}), area, data)
    return notes


def _free_table(target: sqlite3.Connection, group: _Group) -> str:
    taken = [str(name) for (name,) in target.execute("SELECT name FROM sqlite_master")]
    source = group.origin.source
    wanted = group.all_states[0].layer.name if source.table.startswith("(") else source.table
    return free_name(safe_name(wanted), taken)


def _left_out(group: _Group, table: DatabaseTable) -> list[str]:
    if not table.unfit:
        return []
    names = ", ".join(f"'{state.layer.name}'" for state in group.all_states)
    return [f"Layer {names}: {table.unfit} features were left out: their geometry does not fit the layer's type."]

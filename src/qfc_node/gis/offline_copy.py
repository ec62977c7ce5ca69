"""Fill `data.gpkg`: one table for every distinct source of the layers that are edited offline."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import delimited_text, gdal_vector, geopackage, sqlite_safety
from .area import AreaError, AreaFilter, AreaOfInterest
from .datasource import FileSource, Source, TextSource
from .deltas.editing import Identity
from .deltas.editors.keys import key_text
from .deltas.values import Field, FieldKind
from .geometry_choice import GeometryChoice, chosen_geometries
from .geopackage import quoted
from .geopackage_copy import Copied, accepts_filter, copy_table, free_name, is_query
from .layers import LayerState
from .port import GisError

_RESERVED = ("gpkg_", "rtree_", "sqlite_")


@dataclass
class SharedSource:
    """A data source and the layers that show it, each with its own filter."""

    path: Path
    table: str
    states: list[LayerState] = field(default_factory=list[LayerState])

    @property
    def subsets(self) -> list[str | None]:
        """The filters of the layers."""
        return [_subset(state) for state in self.states]

    @property
    def filters(self) -> list[str] | None:
        """The filters that select the rows to copy: rows that match any of them. None selects all rows."""
        known = [text for text in self.subsets if text and not is_query(text)]
        return list(dict.fromkeys(known)) if len(known) == len(self.states) else None

    @property
    def identity(self) -> Identity:
        """What identifies the features. The layers differ only in their filters, and so share it."""
        identity = self.states[0].identity
        assert identity is not None  # only layers that can be edited are copied
        return identity

    @property
    def choice(self) -> GeometryChoice | None:
        """The geometries that the layers show; None for all."""
        return chosen_geometries(self.states[0].layer.source)

    @property
    def crs(self) -> str:
        """Coordinate system of the data, according to the project."""
        return self.states[0].layer.crs_definition


@dataclass
class OfflineData:
    """The copied tables by layer id; and the reasons why others could not be copied."""

    tables: dict[str, Copied] = field(default_factory=dict[str, Copied])
    failures: dict[str, str] = field(default_factory=dict[str, str])


def copy_offline(states: Iterable[LayerState], target: Path, area: AreaOfInterest | None) -> OfflineData:
    """Copy the data of the layers into a new GeoPackage `target`; without data to copy, no file is created."""
    data = OfflineData()
    sources = _shared_sources(states)
    if not sources:
        return data
    named = list(zip(sources, _table_names(sources), strict=True))
    with closing(geopackage.create(target)) as connection:
        for source, name in named:
            if source.states[0].table:
                _note(data, source, lambda s=source, n=name: _copy_with_sqlite(connection, s, n, area))
    for source, name in named:
        if not source.states[0].table:
            _note(data, source, lambda s=source, n=name: _copy_with_gdal(target, s, n, area))
    return data


def _note(data: OfflineData, source: SharedSource, copy: Callable[[], Copied]) -> None:
    try:
        copied = copy()
    except AreaError:
        raise
    except (GisError, sqlite3.Error, ValueError) as error:  # a geometry may be no geometry
        data.failures.update({state.layer.id: sqlite_safety.said(error) for state in source.states})
    else:
        data.tables.update({state.layer.id: copied for state in source.states})


def _shared_sources(states: Iterable[LayerState]) -> list[SharedSource]:
    sources: dict[tuple[str, ...], SharedSource] = {}
    for state in states:
        if state.path is not None:
            identity, name = _identity(state, state.path)
            sources.setdefault(identity, SharedSource(state.path, name)).states.append(state)
    return list(sources.values())


def _identity(state: LayerState, path: Path) -> tuple[tuple[str, ...], str]:
    """Return the identity of a source, by which layers share it, and the preferred name of its table."""
    source = state.layer.source
    if isinstance(source, TextSource):
        options = (f"{key}={value}" for key, value in sorted(source.options.items()) if key != "subset")
        return (str(path), *options), path.stem
    name = state.table.name if state.table else _layer_name(source)
    choice = chosen_geometries(source)
    return (str(path), name.lower(), state.layer.crs, choice.single if choice else ""), name or path.stem


def _layer_name(source: Source) -> str:
    if not isinstance(source, FileSource):
        return ""
    return source.layer_name or (f"#{source.layer_id}" if source.layer_id else "")


def _table_names(sources: Sequence[SharedSource]) -> list[str]:
    names: list[str] = []
    for source in sources:
        wanted = source.table.lstrip("#") or source.path.stem
        names.append(free_name(safe_name(wanted), names))
    return names


def safe_name(wanted: str) -> str:
    """Return a name for a table that is not one of GeoPackage's or SQLite's own."""
    return f"layer_{wanted}" if wanted.lower().startswith(_RESERVED) else wanted


def _subset(state: LayerState) -> str | None:
    source = state.layer.source
    return source.subset if isinstance(source, FileSource | TextSource) else None


def _area_filter(source: SharedSource, area: AreaOfInterest | None) -> AreaFilter | None:
    is_spatial = source.states[0].layer.geometry_type != "NoGeometry"
    return area.in_crs(source.crs) if area and is_spatial else None


def _copy_with_sqlite(
    connection: sqlite3.Connection, source: SharedSource, name: str, area: AreaOfInterest | None
) -> Copied:
    table = source.states[0].table
    assert table is not None  # callers ensure it
    _refuse_renamed_query(source, table.name, name)
    filters = source.filters
    if filters:
        with geopackage.open_read_only(source.path) as opened:
            # The filter uses a function that only GDAL has: copy all rows; the layer filters them on the device.
            filters = None if any(accepts_filter(opened, table, text) for text in filters) else filters
    return copy_table(connection, source.path, table, name, filters, _area_filter(source, area), source.choice)


def _refuse_renamed_query(source: SharedSource, old: str, new: str) -> None:
    if old != new and any(is_query(text) for text in source.subsets if text):
        raise GisError(f"its filter is a query on '{old}', but another layer has that name in the package")


def _copy_with_gdal(target: Path, source: SharedSource, name: str, area: AreaOfInterest | None) -> Copied:
    identity = source.identity
    with _opened(source) as opened:
        is_number = identity.key not in opened.fields
        fields = [*opened.fields, *([identity.key] if is_number else [])]
        _check_names(fields)
        key, geometry = free_name("fid", fields), free_name("geom", fields)
        as_field = identity.key if is_number else None
        types = _geometry_type(opened, source.choice)
        gdal_vector.copy_layer(opened, target, name, (key, geometry), source.crs, _where(source), as_field, types)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        if limit := _area_filter(source, area):
            _drop_outside(connection, name, limit)
        copied = _described(connection, name, key, geometry)
        _check_keys(connection, name, identity)
    return copied


def _where(source: SharedSource) -> str | None:
    """Return the condition for the features to copy, in OGR's SQL."""
    filters = source.filters
    any_filter = " OR ".join(f"({text})" for text in filters) if filters else None
    if source.choice is None:
        return any_filter
    return f"{source.choice.filter} AND ({any_filter})" if any_filter else source.choice.filter


def _geometry_type(opened: gdal_vector.VectorLayer, choice: GeometryChoice | None) -> str | None:
    """Return the type of the copy in the words of `ogr2ogr`, as QGIS sees the source; None for the source's own."""
    if choice is None:
        return "PROMOTE_TO_MULTI" if opened.is_multi else None
    has_multi = opened.has(f"OGR_GEOMETRY = '{choice.multi}'")
    return f"{choice.multi if has_multi else choice.single}{choice.dimensions}"


@contextmanager
def _opened(source: SharedSource) -> Generator[gdal_vector.VectorLayer]:
    match source.states[0].layer.source:
        case TextSource() as text:
            options = delimited_text.gdal_options(text)
            with gdal_vector.open_layer(source.path, csv_options=options) as opened:
                yield opened
        case FileSource(layer_name=name, layer_id=index):
            with gdal_vector.open_layer(source.path, name, index) as opened:
                yield opened
        case _:
            raise GisError("its data are not in a file")


def _described(connection: sqlite3.Connection, table: str, key: str, geometry: str) -> Copied:
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()
    columns = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    return Copied(table, key, int(count), tuple(name for name in columns if name not in (key, geometry)))


def _check_names(fields: Sequence[str]) -> None:
    """Check that all fields can keep their names, by which edits will find them. Raises GisError."""
    counts = Counter(name.lower() for name in fields)
    shared = next((name for name in fields if counts[name.lower()] > 1), None)
    if shared is not None:
        raise GisError(
            f"it has several fields called '{shared}' in upper and lower case, which a GeoPackage cannot have"
        )


def _check_keys(connection: sqlite3.Connection, table: str, identity: Identity) -> None:
    """Check that the copy has the keys by which edits will find the features. Raises GisError."""
    if identity.keys is None:
        return
    rows = connection.execute(f"SELECT {quoted(identity.key)} FROM {quoted(table)}")
    field = Field(identity.key, FieldKind.ANY)
    if any(key_text(field, value) not in identity.keys for (value,) in rows):
        raise GisError(f"its key '{identity.key}' has other values in the package")


def _drop_outside(connection: sqlite3.Connection, table: str, area: AreaFilter) -> None:
    described = geopackage.find_table(connection, table)
    if described is None or described.geometry is None:
        return
    connection.create_function("qfc_meets_area", 1, area.meets, deterministic=True)
    geometry = quoted(described.geometry.name)
    connection.execute(f"DELETE FROM {quoted(table)} WHERE NOT qfc_meets_area({geometry})")

"""Copy a table from one GeoPackage to another inside SQLite: the bytes of geometries do not change."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .area import AreaFilter
from .geometry_choice import GeometryChoice
from .geopackage import Table, create_count_triggers, literal, quoted
from .geopackage_index import build_index
from .sqlite_safety import check, file_uri, restrained

_SOURCE = "source"
_DATA_COLUMN = "column_name, name, title, description, mime_type, constraint_name"


@dataclass(frozen=True)
class Copied:
    """A table of the package. `fields`: its columns except key and geometry.

    `keeps_filter`: the layer's filter selects the same rows on a device.
    """

    table: str
    key: str
    feature_count: int
    fields: tuple[str, ...] = ()
    keeps_filter: bool = True


def copy_table(
    target: sqlite3.Connection,
    path: Path,
    source: Table,
    name: str,
    filters: Sequence[str] | None,
    area: AreaFilter | None,
    choice: GeometryChoice | None = None,
) -> Copied:
    """Copy a table of the GeoPackage at `path` into `target` as `name`.

    Rows that match any of `filters` (None: all rows), that meet `area` and whose geometries are those of `choice` are
    copied. Their numbers do not change.
    """
    with _attached(target, path):
        with restrained(target):
            names = _Names(_limited(target, source, choice), name)
        _create_table(target, names)
        with restrained(target):
            _insert_rows(target, names, _conditions(target, source, filters, area, choice))
        count = int(target.execute(f"SELECT count(*) FROM main.{quoted(name)}").fetchone()[0])
        _register(target, names)
        if source.geometry:
            origin = (source.name, source.geometry.name) if source.numbers_itself else None
            build_index(target, name, names.key, names.geometry, origin)
        create_count_triggers(target, name, count)
        _copy_column_metadata(target, names)
    return Copied(name, names.key, count, tuple(source.field_names))


def free_name(wanted: str, taken: Sequence[str]) -> str:
    """Return `wanted`, with `_1`, `_2`, … added if it is among `taken` (ignoring case)."""
    lower = {name.lower() for name in taken}
    names = (wanted if number == 0 else f"{wanted}_{number}" for number in range(len(lower) + 1))
    return next(name for name in names if name.lower() not in lower)


def is_query(subset: str) -> bool:
    """Whether a subset filter is a whole SELECT statement rather than a condition."""
    return subset.lstrip("( \n\t").lower().startswith(("select ", "select\n", "with "))


def accepts_filter(connection: sqlite3.Connection, table: Table, subset: str) -> str | None:
    """Return why SQLite does not accept a filter on a table; None if it does."""
    query = subset if is_query(subset) else f"SELECT 1 FROM {quoted(table.name)} WHERE ({subset}\n)"
    try:
        connection.execute(f"EXPLAIN {query}").close()
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        return str(error)
    return None


class _Names:
    """The names of one copy: a key and a geometry column that no field of the source has."""

    def __init__(self, source: Table, table: str) -> None:
        self.source = source
        self.table = table
        self.key = free_name("fid", source.field_names)
        self.geometry = free_name("geom", [*source.field_names, self.key])


@contextmanager
def _attached(target: sqlite3.Connection, path: Path) -> Generator[None]:
    check(path)
    target.execute(f"ATTACH {literal(file_uri(path))} AS {_SOURCE}")
    try:
        yield
    finally:
        target.execute(f"DETACH {_SOURCE}")


def _create_table(target: sqlite3.Connection, names: _Names) -> None:
    columns = [f"{quoted(names.key)} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
    if names.source.geometry:
        columns.append(f"{quoted(names.geometry)} {names.source.geometry.type_name}")
    if names.source.key:
        columns.append(f"{quoted(names.source.key)} INTEGER")
    columns += [f"{quoted(column.name)} {column.declared_type}" for column in names.source.columns]
    target.execute(f"CREATE TABLE main.{quoted(names.table)} ({', '.join(columns)})")


def _limited(target: sqlite3.Connection, source: Table, choice: GeometryChoice | None) -> Table:
    """Return the description of the source with the geometry type that is chosen from it."""
    if choice is None or source.geometry is None:
        return source
    target.create_function("qfc_is_multi", 1, choice.is_multi, deterministic=True)
    query = f"SELECT 1 FROM {_SOURCE}.{quoted(source.name)} WHERE qfc_is_multi({quoted(source.geometry.name)}) LIMIT 1"
    type_name = choice.multi if target.execute(query).fetchone() else choice.single
    return replace(source, geometry=replace(source.geometry, type_name=type_name))


def _insert_rows(target: sqlite3.Connection, names: _Names, conditions: str) -> None:
    source = names.source
    pairs = [(column.name, quoted(column.name)) for column in source.columns]
    if source.key:
        pairs += [(names.key, quoted(source.key)), (source.key, quoted(source.key))]
    if source.geometry:
        pairs.append((names.geometry, quoted(source.geometry.name)))
    into = ", ".join(quoted(name) for name, _ in pairs)
    values = ", ".join(value for _, value in pairs)
    target.execute(
        f"INSERT INTO main.{quoted(names.table)} ({into})"
        f" SELECT {values} FROM {_SOURCE}.{quoted(source.name)} WHERE {conditions}"
    )


def _conditions(
    target: sqlite3.Connection,
    source: Table,
    filters: Sequence[str] | None,
    area: AreaFilter | None,
    choice: GeometryChoice | None,
) -> str:
    conditions = ["1"]
    if filters:
        conditions.append("(" + " OR ".join(f"({text}\n)" for text in filters) + ")")
    if area and source.geometry:
        target.create_function("qfc_meets_area", 1, area.meets, deterministic=True)
        conditions.append(f"qfc_meets_area({quoted(source.geometry.name)})")
    if choice and source.geometry:
        target.create_function("qfc_is_chosen", 1, choice.includes, deterministic=True)
        conditions.append(f"qfc_is_chosen({quoted(source.geometry.name)})")
    return " AND ".join(conditions)


def _register(target: sqlite3.Connection, names: _Names) -> None:
    geometry = names.source.geometry
    srs_id = _take_over_srs(target, geometry.srs_id) if geometry else 0
    kind = "features" if geometry else "attributes"
    target.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)",
        (names.table, kind, names.table, srs_id),
    )
    if geometry:
        row = (names.table, names.geometry, geometry.type_name, srs_id, geometry.z, geometry.m)
        target.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", row)


def _take_over_srs(target: sqlite3.Connection, srs_id: int) -> int:
    """Copy a coordinate system of the source; return its number in the target, the same one if that is free."""
    query = (
        "SELECT srs_name, srs_id, organization, organization_coordsys_id, definition, description"
        " FROM {}.gpkg_spatial_ref_sys WHERE srs_id = ?"
    )
    theirs = target.execute(query.format(_SOURCE), (srs_id,)).fetchone()
    ours = target.execute(query.format("main"), (srs_id,)).fetchone()
    if theirs is None or (ours and (ours[2:4] == theirs[2:4] or ours[4] == theirs[4])):
        return srs_id if ours else -1
    if ours:
        (highest,) = target.execute("SELECT max(srs_id) FROM main.gpkg_spatial_ref_sys").fetchone()
        srs_id = max(int(highest), 100_000) + 1
    row = (theirs[0], srs_id, *theirs[2:])
    target.execute("INSERT INTO main.gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", row)
    return srs_id


def _copy_column_metadata(target: sqlite3.Connection, names: _Names) -> None:
    """Copy the schema extension's metadata about columns, above all which texts are JSON."""
    for table in ("gpkg_data_columns", "gpkg_data_column_constraints"):
        query = f"SELECT 1 FROM {_SOURCE}.sqlite_master WHERE name = ?"
        if target.execute(query, (table,)).fetchone() is None:
            return
    target.execute(
        f"INSERT OR IGNORE INTO main.gpkg_data_columns (table_name, {_DATA_COLUMN})"
        f" SELECT ?, {_DATA_COLUMN} FROM {_SOURCE}.gpkg_data_columns WHERE lower(table_name) = lower(?)",
        (names.table, names.source.name),
    )
    target.execute(
        f"INSERT OR IGNORE INTO main.gpkg_data_column_constraints SELECT * FROM {_SOURCE}.gpkg_data_column_constraints"
    )

"""Read and create GeoPackages with SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from . import sqlite_safety
from .port import GisError

_GEOMETRY_TYPE = re.compile(r"[A-Za-z_]{1,40}")
_COLUMN_TYPE = re.compile(r"[A-Za-z_][\w ]{0,60}(?:\(\s*\w+(?:\s*,\s*\d+)?\s*\))?")
_CONSTRAINT = re.compile(
    r"\b(?:DEFAULT|NOT|NULL|UNIQUE|CHECK|REFERENCES|GENERATED|AS|COLLATE|PRIMARY|CONSTRAINT|ON)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Column:
    """A column as it is declared. `provider_default`: the database fills it in if no value is given."""

    name: str
    declared_type: str
    not_null: bool = False
    provider_default: bool = False


@dataclass(frozen=True)
class GeometryColumn:
    """The geometry column of a table, from `gpkg_geometry_columns`."""

    name: str
    type_name: str
    srs_id: int
    z: int
    m: int


@dataclass(frozen=True)
class Table:
    """A table or view with features or plain rows. `columns` are all except key and geometry, in order.

    `numbers_itself`: the key is SQLite's number of the row, by which the R-tree identifies features.
    """

    name: str
    key: str | None
    geometry: GeometryColumn | None
    columns: tuple[Column, ...]
    numbers_itself: bool = False

    @property
    def field_names(self) -> list[str]:
        """Names of the fields as QGIS shows them: the key first."""
        return ([self.key] if self.key else []) + [column.name for column in self.columns]


def quoted(name: str) -> str:
    """Return a name for use in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text for use in SQL where parameters are not allowed."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def open_read_only(path: Path) -> Generator[sqlite3.Connection]:
    """Open an untrusted GeoPackage. Raises GisError if it is not one, or reaches outside itself."""
    if not sqlite_safety.is_sqlite(path):
        raise GisError(f"File '{path.name}' is not a GeoPackage.")
    connection = sqlite3.connect(sqlite_safety.file_uri(path), uri=True)
    try:
        sqlite_safety.check(path)
        connection.execute("PRAGMA trusted_schema = OFF")
        sqlite_safety.restrain(connection)
        yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        said = sqlite_safety.said(error)
        raise GisError(f"File '{path.name}' is damaged or not a GeoPackage: {said}.") from error
    finally:
        connection.close()


def find_table(connection: sqlite3.Connection, name: str | None, index: int | None = None) -> Table | None:
    """Return the table of a layer: by name, by its number, else the first one."""
    found = _table_name(connection, name, index)
    return None if found is None else _describe(connection, found)


def create(path: Path) -> sqlite3.Connection:
    """Create a GeoPackage without tables; return the connection to fill it.

    It is filled without a journal: a crash leaves a damaged file, which is never used as a package.
    """
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rwc", uri=True, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(_statements("geopackage.sql"))
    return connection


def create_index(connection: sqlite3.Connection, table: str, key: str, geometry: str) -> str:
    """Add an empty R-tree to a filled table; return its name. `create_index_triggers` adds its triggers."""
    index = f"rtree_{table}_{geometry}"
    connection.execute(_filled(_sections()[0], table, key, geometry, index))
    definition = "http://www.geopackage.org/spec120/#extension_rtree"
    row = (table, geometry, "gpkg_rtree_index", definition, "write-only")
    connection.execute("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", row)
    return index


def create_index_triggers(connection: sqlite3.Connection, table: str, key: str, geometry: str) -> None:
    """Add the triggers that keep the R-tree correct."""
    connection.executescript(_filled(_sections()[1], table, key, geometry, f"rtree_{table}_{geometry}"))


def create_count_triggers(connection: sqlite3.Connection, table: str, count: int) -> None:
    """Record the feature count and add the triggers that keep it correct."""
    connection.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (table, count))
    connection.executescript(_filled(_sections()[2], table, "", "", ""))


def _statements(name: str) -> str:
    return files(__package__ or "qfc_node.gis").joinpath(name).read_text(encoding="utf-8")


def _sections() -> list[str]:
    return _statements("geopackage_index.sql").split("-- split\n")


def _filled(text: str, table: str, key: str, geometry: str, index: str) -> str:
    names = {
        "index": quoted(index),
        "table": quoted(table),
        "geometry": quoted(geometry),
        "key": quoted(key),
        "name": literal(table),
        "count_insert": quoted(f"trigger_insert_feature_count_{table}"),
        "count_delete": quoted(f"trigger_delete_feature_count_{table}"),
    }

    def fill(placeholder: re.Match[str]) -> str:
        word = placeholder[1]
        return names.get(word) or quoted(index + word.removeprefix("index"))

    return re.sub(r":(\w+)", fill, text)


def table_names(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables with features or rows, in the order of GDAL's numbers."""
    query = (
        "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')"
        " ORDER BY data_type DESC, rowid"
    )
    return [name for (name,) in connection.execute(query)]


def raster_names(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables with rasters."""
    query = "SELECT table_name FROM gpkg_contents WHERE data_type IN ('tiles', '2d-gridded-coverage')"
    return [name for (name,) in connection.execute(query)]


def _table_name(connection: sqlite3.Connection, name: str | None, index: int | None) -> str | None:
    if name is None:
        return next(iter(table_names(connection)[index or 0 :]), None)
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?)"
    row = connection.execute(query, (name,)).fetchone()
    return str(row[0]) if row else None


def _describe(connection: sqlite3.Connection, name: str) -> Table:
    geometry = _geometry_column(connection, name)
    columns: list[Column] = []
    keys: list[Column] = []
    for _, column, declared, not_null, default, in_key, hidden in connection.execute(
        f"PRAGMA table_xinfo({quoted(name)})"
    ):
        if hidden == 1 or (geometry and column.lower() == geometry.name.lower()):
            continue
        described = Column(column, _type_name(declared), bool(not_null), default is not None)
        (keys if in_key else columns).append(described)
    declared = keys[0].declared_type.upper() if len(keys) == 1 else ""
    if declared in ("INTEGER", "INT", "MEDIUMINT", "BIGINT"):
        return Table(name, keys[0].name, geometry, tuple(columns), numbers_itself=declared == "INTEGER")
    return Table(name, None, geometry, (*keys, *columns))


def _geometry_column(connection: sqlite3.Connection, table: str) -> GeometryColumn | None:
    query = (
        "SELECT column_name, geometry_type_name, srs_id, z, m FROM gpkg_geometry_columns"
        " WHERE lower(table_name) = lower(?)"
    )
    row = connection.execute(query, (table,)).fetchone()
    if row is None:
        return None
    column, kind, srs_id, z, m = row
    kind = kind if _GEOMETRY_TYPE.fullmatch(str(kind)) else "GEOMETRY"
    return GeometryColumn(str(column), kind, *(number if isinstance(number, int) else 0 for number in (srs_id, z, m)))


def _type_name(declared: str) -> str:
    """Return the type of a column for use in SQL: a quoted one of a stranger's file may be anything."""
    is_type = _COLUMN_TYPE.fullmatch(declared) and not _CONSTRAINT.search(declared)
    return declared if is_type else "TEXT"

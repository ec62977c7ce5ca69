"""Edit one SQLite file (GeoPackage, SpatiaLite, plain) in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..editing import RefusedError
from ..values import Value
from .geopackage import GeoPackage, has_table
from .plain_sqlite import PlainSqlite
from .spatialite import SpatiaLite
from .sqlite_dialect import Dialect
from .sqlite_errors import translate
from .sqlite_layer import SqliteLayer
from .sqlite_types import read_columns
from .working_copy import WorkingCopy

#: After a crash the whole file is discarded, so no write needs a journal or must wait for the disk. Without spilling, a
#: run without changes writes nothing.
_PRAGMAS = ("synchronous=OFF", "cache_spill=OFF", "temp_store=MEMORY", "foreign_keys=ON")


class SqliteStore:
    """A Store over a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._copy = WorkingCopy(path)
        self._path = self._copy.path
        self._layers: dict[str, SqliteLayer] = {}
        self._lost: RefusedError | None = None
        self.connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=512)
        try:
            self._dialect = self._open()
        except (sqlite3.Error, RefusedError) as error:
            self.discard()
            raise translate(error, self._path) if isinstance(error, sqlite3.Error) else error from error

    def _open(self) -> Dialect:
        self.connection.text_factory = _decode_text
        for pragma in _PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        if self._is_write_ahead():
            # Leaving this mode writes to the file, so it is left only when there are edits to keep.
            self.connection.execute("PRAGMA wal_autocheckpoint=0")
        else:
            self.connection.execute("PRAGMA journal_mode=MEMORY")
        self.connection.execute("BEGIN")
        dialect = _dialect_of(self.connection)
        dialect.prepare(self.connection)
        return dialect

    def layer(self, name: str | None, number: int | None = None, key: str | None = None) -> SqliteLayer:
        """Return the editor of a table; without a name, of the table with that number, or of the first.

        `key`: the field that identifies rows, if it is not the primary key.
        """
        table = self._table(name, number)
        if table not in self._layers:
            try:
                self._layers[table] = SqliteLayer(self, self._dialect, table, key)
            except sqlite3.Error as error:
                raise translate(error, self._path) from error
        return self._layers[table]

    def _table(self, name: str | None, number: int | None) -> str:
        if name is None:
            layers = self._dialect.layers(self.connection)
            if not layers or not 0 <= (number or 0) < len(layers):
                raise RefusedError(f"{self._path.name} has no such layer")
            name = layers[number or 0]
        sql = "SELECT type, name FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')"
        row = self.execute(sql, (name,)).fetchone()
        if row is None:
            raise RefusedError(f'{self._path.name} has no table "{name}"')
        if row[0] == "view":
            raise RefusedError(f'"{name}" in {self._path.name} is a view, whose rows cannot be edited')
        return row[1]

    def execute(self, sql: str, parameters: Sequence[Value]) -> sqlite3.Cursor:
        """Run a statement. Raises RefusedError or OSError instead of SQLite's errors."""
        try:
            return self.connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise translate(error, self._path) from error

    @contextmanager
    def edit(self) -> Generator[None]:
        """Set a savepoint around one edit."""
        if self._lost is not None:
            raise self._lost
        self.connection.execute("SAVEPOINT edit")
        try:
            yield
        except BaseException as error:
            self._undo(error)
            raise
        self.connection.execute("RELEASE edit")

    def _undo(self, error: BaseException) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK TO edit")
            self.connection.execute("RELEASE edit")
        else:
            # A trigger of the file may roll back everything, including earlier edits.
            reason = f"A trigger in {self._path.name} rolled back all edits of this run: {error}"
            self._lost = RefusedError(reason, (str(error),))

    def commit(self) -> frozenset[Path]:
        """Write the edits; leave a single file without a journal."""
        edited = [layer.edits for layer in self._layers.values() if layer.edits.any]
        if not edited:
            self.discard()
            return frozenset()
        if self._lost is not None:
            raise self._lost
        try:
            for edits in edited:
                self._dialect.keep_books(self.connection, edits)
            self.connection.execute("COMMIT")
            self.connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise translate(error, self._path) from error
        self.connection.close()
        return self._copy.keep()

    def discard(self) -> None:
        """Roll back and close."""
        with suppress(sqlite3.ProgrammingError):  # already closed
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            self.connection.close()
        self._copy.discard()

    def _is_write_ahead(self) -> bool:
        return self.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def _decode_text(data: bytes) -> str:
    """Decode a text. Files may contain text that is not UTF-8; it is only compared, never written back."""
    return data.decode("utf-8", "surrogateescape")


def _dialect_of(connection: sqlite3.Connection) -> Dialect:
    if has_table(connection, "gpkg_contents"):
        return GeoPackage()
    described = {column.name for column in read_columns(connection, "geometry_columns")}
    if described and not described & {"geometry_format", "geometry_type"}:
        raise RefusedError("SpatiaLite databases before version 4 cannot be edited; convert the database with QGIS")
    return SpatiaLite() if "spatial_index_enabled" in described else PlainSqlite()

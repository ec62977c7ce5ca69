"""Edit one SQLite file (GeoPackage, SpatiaLite, plain) in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from ...port import GisError
from ...sqlite_safety import ERRORS, check, file_uri, restrain
from ..editing import Identity, RefusedError
from ..values import Value
from .geopackage import GeoPackage, has_table
from .plain_sqlite import PlainSqlite
from .spatialite import SpatiaLite
from .sqlite_dialect import Dialect
from .sqlite_errors import translate
from .sqlite_layer import SqliteLayer
from .sqlite_schema import describe, identity
from .sqlite_types import read_columns
from .working_copy import WorkingCopy

#: After a crash the whole file is discarded, so no write needs a journal or must wait for the disk. Without spilling, a
#: run without changes writes nothing.
_PRAGMAS = ("synchronous=OFF", "cache_spill=OFF", "temp_store=MEMORY", "foreign_keys=ON")


class SqliteStore:
    """A Store over a SQLite file. The file is opened for writing when an editor is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._layers: dict[str, SqliteLayer] = {}
        self._lost: RefusedError | None = None
        self._copy: WorkingCopy | None = None

    def identity(self, name: str | None, number: int | None = None) -> Identity:
        """Return what identifies the rows of a table."""
        self._check(self._path)
        connection = sqlite3.connect(file_uri(self._path), uri=True)
        try:
            restrain(connection)
            connection.text_factory = _decode_text
            return identity(connection, describe(connection, _dialect_of(connection), name, number))
        except ERRORS as error:
            raise translate(error, self._path) from error
        finally:
            connection.close()

    def layer(self, name: str | None, number: int | None = None, key: str | None = None) -> SqliteLayer:
        """Return the editor of a table; without a name, of the table with that number, or of the first.

        `key`: the field that identifies rows, if it is not the primary key.
        """
        try:
            described = describe(self.connection, self._dialect, name, number, key)
        except ERRORS as error:
            raise translate(error, self._path) from error
        return self._layers.setdefault(described.table, SqliteLayer(self, self._dialect, described))

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection for the edits of this run, in a transaction."""
        return self._connection

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        self._copy = WorkingCopy(self._path)
        try:
            self._check(self._copy.path)
        except (RefusedError, OSError):
            self._copy.discard()
            raise
        connection = sqlite3.connect(self._copy.path, isolation_level=None, cached_statements=512)
        try:
            return _begun(connection)
        except ERRORS as error:
            connection.close()
            self._copy.discard()
            raise translate(error, self._path) from error

    def _check(self, path: Path) -> None:
        try:
            check(path)
        except GisError as error:
            raise RefusedError(str(error)) from error
        except ERRORS as error:
            raise translate(error, self._path) from error

    @cached_property
    def _dialect(self) -> Dialect:
        dialect = _dialect_of(self.connection)
        dialect.prepare(self.connection)
        return dialect

    def execute(self, sql: str, parameters: Sequence[Value]) -> sqlite3.Cursor:
        """Run a statement. Raises RefusedError or OSError instead of SQLite's errors."""
        try:
            return self.connection.execute(sql, parameters)
        except ERRORS as error:
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
        except ERRORS as error:
            raise translate(error, self._path) from error
        self.connection.close()
        return self._copy.keep() if self._copy else frozenset()

    def discard(self) -> None:
        """Roll back and close."""
        if self._copy is None:
            return
        with suppress(sqlite3.ProgrammingError, RefusedError, OSError):  # already closed, or never opened
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            self.connection.close()
        self._copy.discard()


def _begun(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection in a transaction, set up for the edits of one run."""
    restrain(connection)
    connection.text_factory = _decode_text
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        # Leaving this mode writes to the file, so it is left only when there are edits to keep.
        connection.execute("PRAGMA wal_autocheckpoint=0")
    else:
        connection.execute("PRAGMA journal_mode=MEMORY")
    connection.execute("BEGIN")
    return connection


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

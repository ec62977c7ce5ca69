"""SQLite files of strangers: what must not be in them, and what their filters, views and triggers must not do.

SQLite itself runs what a file says: virtual tables read other files, a journal names another file to delete, and views
and triggers call functions. `check` looks into a file before anything else opens it, GDAL included; `restrain` limits
a connection of ours.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from .defence import Layer, is_on
from .port import GisError

MAGIC = b"SQLite format 3\0"
#: Virtual tables whose data are in the file itself: indexes of SQLite, and the views that SpatiaLite has of its own.
VIRTUAL_TABLES = frozenset({"rtree", "rtree_i32", "geopoly", "fts3", "fts4", "fts5", "fts5vocab"}) | {
    *("virtualspatialindex", "virtualelementary", "virtualknn", "virtualknn2"),
}
#: Functions of SQLite, SpatiaLite and GDAL that read or write files, load code, call a service or describe the server.
_FUNCTIONS = re.compile(
    r"load_extension|fts3_tokenizer|readfile|writefile|lsdir|fsdir|zipfile|eval|sqlite_(?:log|compileoption_\w+)"
    r"|blob(?:from|to)file|(?:import|export)(?:shp|dbf|dxf\w*|geojson\w*|kml|wfs|xls|zip\w+|tiger\w+)|xb_(?:load|store)xml"
    r"|gdal_get_\w*pixel_value|ogr_(?:geocode\w*|datasource_load_layers|getconfigoption)|pragma_\w+",
    re.IGNORECASE,
)
_CALL = re.compile(r"""\b(?:(?P<before>INTO|TABLE|ON|REFERENCES)\s+)?["`\[]?(?P<name>\w+)["`\]]?\s*\(""", re.IGNORECASE)
_TABLES = re.compile(r"pragma_\w+|sqlite_dbpage|sqlite_stmt|dbstat|fsdir|lsdir|zipfile", re.IGNORECASE)
#: SQLite writes the beginning of every statement in this way itself.
_STATEMENT = re.compile(r"CREATE (?P<kind>TABLE|VIEW|TRIGGER|INDEX|UNIQUE INDEX|VIRTUAL TABLE)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_NAME = r"""(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|'(?:[^']|'')*'|\w+)"""
_VIRTUAL = re.compile(rf"CREATE VIRTUAL TABLE\s+{_NAME}\s*USING\s+(?P<module>{_NAME})", re.IGNORECASE)
#: The end of a journal that belongs to a transaction over several files, which it names.
_JOURNAL_OF_MANY = bytes.fromhex("d9d505f920a163d7")
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 256 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1024 * 1024,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 40,
    sqlite3.SQLITE_LIMIT_ATTACHED: 1,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 50,
}
_PRAGMAS = frozenset({"table_info", "table_xinfo", "index_list", "index_info"}) | {
    *("journal_mode", "wal_autocheckpoint", "synchronous", "cache_spill", "cache_size", "temp_store", "foreign_keys"),
    "trusted_schema",
}
_WRITES = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
_FORBIDDEN = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE)
_SHADOW = re.compile(r".*_(?:node|parent|rowid|data|idx|content|docsize|config|segments|segdir|stat)", re.IGNORECASE)


def file_uri(path: Path) -> str:
    """Return the URI of a database that is only read, and that nobody writes meanwhile.

    Without a journal or log with changes beside it, SQLite may treat the file as immutable and creates no files itself.
    """
    waiting = any(_size(companion) for companion in _companions(path))
    return f"file:{quote(str(path))}?mode=ro" + ("" if waiting else "&immutable=1")


#: The errors of SQLite: Python cannot read the message of one that quotes bytes of the file which are not UTF-8.
ERRORS = (sqlite3.Error, UnicodeDecodeError)


def said(error: Exception) -> str:
    """Return the message of one of `ERRORS`."""
    return _decode(error.object) if isinstance(error, UnicodeDecodeError) else str(error)


def is_sqlite(path: Path) -> bool:
    """Whether the file begins as one of SQLite."""
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def check(path: Path) -> None:
    """Check that nothing in a file reaches outside it. Raises GisError, and SQLite's errors if it cannot be read."""
    if is_on(Layer.SCHEMA):
        _check(path, tuple(map(_state, (path, *_companions(path)))))


@lru_cache(maxsize=512)
def _check(path: Path, _states: tuple[tuple[int, int, int], ...]) -> None:
    for companion in _companions(path):
        if _names_other_files(companion):
            raise GisError(f"File '{companion.name}' is a journal that names other files; upload the data without it.")
    for name, statement in _statements(path):
        if problem := _problem(statement):
            raise GisError(f"File '{path.name}' cannot be used: '{name[:80]}' {problem}.")


def _statements(path: Path) -> list[tuple[str, str]]:
    """Return name and statement of everything in a file's schema."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(file_uri(path), uri=True)) as connection:
        connection.text_factory = _decode
        connection.execute("PRAGMA trusted_schema = OFF")
        return [(str(name), str(sql)) for name, sql in connection.execute(query)]


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _problem(statement: str) -> str:
    """Return what is wrong with a statement of a schema; empty if nothing is."""
    found = _STATEMENT.match(statement)
    if found is None:
        return "was not made by SQLite"
    if found["kind"].upper() == "VIRTUAL TABLE":
        virtual = _VIRTUAL.match(statement)
        module = virtual["module"].strip("\"`[]'") if virtual else "unknown"
        return "" if module.lower() in VIRTUAL_TABLES else f"is a virtual table of the kind {module[:40]}"
    called = next((name for name in _called(statement) if _FUNCTIONS.fullmatch(name)), "")
    if not called and found["kind"].upper() in ("VIEW", "TRIGGER"):
        called = next((word for word in _WORD.findall(statement) if _TABLES.fullmatch(word)), "")
    return f"uses '{called}'" if called else ""


def _called(statement: str) -> list[str]:
    return [call["name"] for call in _CALL.finditer(statement) if not call["before"]]


def restrain(connection: sqlite3.Connection) -> None:
    """Limit what a connection does with a stranger's file: no other file, no code, no limits of the server.

    Callers set `trusted_schema` off where no trigger needs functions of ours.
    """
    if not is_on(Layer.STATEMENTS):
        return
    for category, limit in _LIMITS.items():
        connection.setlimit(category, limit)
    if hasattr(connection, "setconfig"):  # since Python 3.12
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined]
    connection.set_authorizer(_authorize)


@contextmanager
def restrained(connection: sqlite3.Connection) -> Generator[None]:
    """Limit a connection of ours while it runs filters, views and functions of a stranger's file."""
    if is_on(Layer.STATEMENTS):
        connection.set_authorizer(_authorize)
    try:
        yield
    finally:
        connection.set_authorizer(None)


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, inner: str | None) -> int:
    """Decide about one part of a statement. `inner`: the trigger or view that contains it."""
    if action in _FORBIDDEN:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and _FUNCTIONS.fullmatch(second or ""):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (inner or (first or "").lower() not in _PRAGMAS):
        return sqlite3.SQLITE_DENY
    if action in _WRITES and inner and _SHADOW.fullmatch(first or ""):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and _TABLES.fullmatch(first or ""):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _state(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does."""
    if not path.exists():
        return 0, 0, 0
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _names_other_files(journal: Path) -> bool:
    if _size(journal) < len(_JOURNAL_OF_MANY) or not journal.name.endswith("-journal"):
        return False
    with journal.open("rb") as stream:
        stream.seek(-len(_JOURNAL_OF_MANY), 2)
        return stream.read() == _JOURNAL_OF_MANY

"""SQLite's errors: either faults of the file, or of the machine, after which the same edit may succeed later."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from qfc_node.gis.deltas.editing import RefusedError
from qfc_node.gis.deltas.editors.sqlite_errors import translate

#: A file system that is always full.
NO_ROOM = Path("/sys/trees.gpkg")


def error(code: int) -> sqlite3.Error:
    found = sqlite3.OperationalError("in SQLite's words")
    found.sqlite_errorcode = code
    return found


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT_UNIQUE])
def test_what_the_file_refuses_is_refused(tmp_path: Path, code: int) -> None:
    assert isinstance(translate(error(code), tmp_path / "trees.gpkg"), RefusedError)


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY_DBMOVED]
)
def test_trouble_of_the_machine_may_pass(tmp_path: Path, code: int) -> None:
    assert isinstance(translate(error(code), tmp_path / "trees.gpkg"), OSError)


def test_full_is_the_disk_where_it_has_no_room_and_else_the_table(tmp_path: Path) -> None:
    assert isinstance(translate(error(sqlite3.SQLITE_FULL), NO_ROOM), OSError)
    assert isinstance(translate(error(sqlite3.SQLITE_FULL), tmp_path / "trees.gpkg"), RefusedError)

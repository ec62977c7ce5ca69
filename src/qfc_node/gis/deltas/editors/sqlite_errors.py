"""Distinguish SQLite's errors: the file refuses an edit, or the machine has a fault."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from ...sqlite_safety import said
from ..editing import RefusedError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TROUBLE = {
    sqlite3.SQLITE_NOMEM: errno.ENOMEM,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_CANTOPEN: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
}
#: Free bytes above which the disk is not full: SQLite also reports "full" when a table has used all its numbers.
_ROOM = 16 * 2**20


def translate(error: Exception, path: Path) -> RefusedError | OSError:
    """Return the error to raise instead: OSError if the edit may succeed once the machine works again."""
    text = said(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return RefusedError(f"The file {path.name} is damaged or not a database; upload an intact one", (text,))
    if code in _TROUBLE and not (code == sqlite3.SQLITE_FULL and shutil.disk_usage(path.parent).free > _ROOM):
        return OSError(_TROUBLE[code], f"{path.name}: {text}")
    return RefusedError(f"The layer's source refused the edit: {text}", (text,))

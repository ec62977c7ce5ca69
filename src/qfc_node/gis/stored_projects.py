"""Projects that QGIS has stored inside a GeoPackage: they repeat the addresses of layers, with their passwords."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from . import geopackage, qgs_xml, sqlite_safety
from .passwords import contains_password
from .port import GisError
from .project_archive import read_project_xml

_TABLE = "qgis_projects"
_ZIPPED = b"PK"


def has_password(path: Path) -> bool:
    """Whether a stored project contains a password, or cannot be looked into."""
    try:
        with geopackage.open_read_only(path) as connection:
            if not _has_projects(connection):
                return False
            contents = connection.execute(f"SELECT content FROM {_TABLE}")
            return not all(_is_clean(content) for (content,) in contents)
    except (GisError, sqlite3.Error):
        return sqlite_safety.is_sqlite(path)


def write_without(path: Path, target: Path) -> None:
    """Copy a GeoPackage without stored projects, and without their bytes in its free pages. Raises GisError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for end in ("", "-wal"):
        if (part := path.with_name(f"{path.name}{end}")).is_file():
            shutil.copyfile(part, target.with_name(f"{target.name}{end}"))
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as connection:
            for pragma in ("journal_mode = DELETE", "secure_delete = ON", "trusted_schema = OFF"):
                connection.execute(f"PRAGMA {pragma}")
            sqlite_safety.restrain(connection)
            connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")  # unlike deleting rows, it runs no trigger of the file
    except sqlite3.Error as error:
        raise GisError(f"The projects stored in '{path.name}' cannot be removed from the copy: {error}.") from error


def _has_projects(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND lower(name) = ?"
    return bool(connection.execute(query, (_TABLE,)).fetchone()[0])


def _is_clean(content: Any) -> bool:
    """Whether a project holds no password. QGIS stores the bytes of a .qgz, in hexadecimal digits."""
    text = content.decode("ascii", "replace") if isinstance(content, bytes) else str(content)
    try:
        data = bytes.fromhex(text)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / ("stored.qgz" if data.startswith(_ZIPPED) else "stored.qgs")
            file.write_bytes(data)
            return not contains_password(qgs_xml.parse(read_project_xml(file), file.name))
    except (GisError, ValueError):
        return False

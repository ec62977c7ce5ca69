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


def with_passwords(path: Path) -> list[str]:
    """Return the names of the stored projects that contain a password, or that cannot be looked into."""
    try:
        with geopackage.open_read_only(path) as connection:
            if not _has_projects(connection):
                return []
            rows = connection.execute(f"SELECT name, content FROM {_TABLE}").fetchall()
    except (GisError, sqlite3.Error):  # whoever opens its layers says so
        return []
    return [str(name) for name, content in rows if not _is_clean(content)]


def write_without(path: Path, target: Path, names: list[str]) -> None:
    """Copy a GeoPackage without these projects, and without their bytes in its free pages. Raises sqlite3.Error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for end in ("", "-wal"):
        if (part := path.with_name(f"{path.name}{end}")).is_file():
            shutil.copyfile(part, target.with_name(f"{target.name}{end}"))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        for pragma in ("journal_mode = DELETE", "secure_delete = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        sqlite_safety.restrain(connection)
        connection.executemany(f"DELETE FROM {_TABLE} WHERE name = ?", [(name,) for name in names])


def _has_projects(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
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

"""Check that an uploaded project file is one of QGIS, before it becomes the project's newest version.

Only the beginning is read, up to the root element: the job that reads the project reports what is wrong further on.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from .errors import InvalidProjectFileError

CHUNK = 16 * 1024
#: A comment before the root element may be long, but not endless.
MAX_HEAD_BYTES = 1024**2


def check_project_file(name: str, path: Path) -> None:
    """Check a .qgs or .qgz. Raises InvalidProjectFileError."""
    try:
        if name.lower().endswith(".qgz"):
            _check_zipped(path)
        else:
            with path.open("rb") as source:
                _check_root(source)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InvalidProjectFileError(f"The zip archive cannot be read: {error}.") from error


def _check_zipped(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        projects = [info for info in archive.infolist() if info.filename.lower().endswith(".qgs")]
        if not projects:
            raise InvalidProjectFileError("The archive contains no .qgs file.")
        with archive.open(projects[0]) as source:
            _check_root(source)


class _FoundError(Exception):
    """The root element was reached: parsing ends here."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _check_root(source: IO[bytes]) -> None:
    name = _root_of(source)
    if name != "qgis":
        raise InvalidProjectFileError(f"A QGIS project begins with the element <qgis>, not with <{name[:60]}>.")


def _root_of(source: IO[bytes]) -> str:
    def found(name: str, attributes: Any) -> None:
        del attributes
        raise _FoundError(name)

    parser = expat.ParserCreate()
    parser.StartElementHandler = found
    try:
        for _ in range(MAX_HEAD_BYTES // CHUNK):
            chunk = source.read(CHUNK)
            parser.Parse(chunk, not chunk)
            if not chunk:
                break
    except _FoundError as root:
        return root.name
    except (expat.ExpatError, ValueError) as error:
        raise InvalidProjectFileError(f"The file is not XML: {error}.") from error
    raise InvalidProjectFileError("The file has no XML element.")

"""Data inside zip files, which QGIS and GDAL address as `/vsizip/data.zip/trees.shp`."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from . import drawings, gdal_vector, references, sqlite_safety
from .port import GisError
from .project_archive import MAX_EMBEDDED_BYTES, MAX_MEMBERS, is_bomb

#: Suffixes of members that are unpacked and looked at before GDAL reads them.
_DATABASES = (".gpkg", ".sqlite", ".sqlite3", ".db")
_LOOKED_AT = (*_DATABASES, ".tab", ".idm", ".dxf", ".prj", ".cpg", ".csvt")
#: The errors of zip files that are damaged, encrypted, or packed in a way that Python does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)


def member_of(path: Path, wanted: str) -> str:
    """Return the name of the file in a zip file; without `wanted`, of its only file with data. Raises GisError."""
    names = [info.filename for info in _listed(path) if not info.filename.endswith("/")]
    found = [name for name in names if name == wanted or (not wanted and gdal_vector.can_open(Path(name)))]
    found = [name for name in found if name.lower().endswith(".shp")] or found
    if len(found) != 1:
        raise GisError(f"File '{wanted or 'with one layer'}' not found in '{path.name}'.")
    return found[0]


def gdal_path(path: Path, member: str) -> Path:
    """Return the address of a file inside a zip file for GDAL, which follows what it names. Raises GisError."""
    for info in siblings(path, member):
        if info.filename.lower().endswith(_LOOKED_AT):
            _look_at(path, info)
    return Path(f"/vsizip/{{{path}}}/{member}")


def siblings(path: Path, member: str) -> list[zipfile.ZipInfo]:
    """Return the member and those beside it of the same name, such as .shp, .dbf and .prj. Raises GisError."""
    wanted = PurePosixPath(member)
    found = [
        info
        for info in _listed(path)
        if PurePosixPath(info.filename).parent == wanted.parent
        and PurePosixPath(info.filename).name.lower().startswith(f"{wanted.stem.lower()}.")
    ]
    if sum(info.file_size for info in found) > MAX_EMBEDDED_BYTES or any(map(is_bomb, found)):
        raise GisError(f"'{member}' in '{path.name}' is too large to be unpacked.")
    return found


def _look_at(path: Path, info: zipfile.ZipInfo) -> None:
    """Unpack a member for a moment, and check that it names nothing outside itself. Raises GisError."""
    with tempfile.TemporaryDirectory(prefix=".looking-", dir=path.parent) as folder:
        unpacked = Path(folder) / PurePosixPath(info.filename).name
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked.write_bytes(archive.read(info))
            if unpacked.suffix.lower() in _DATABASES:
                sqlite_safety.check(unpacked)
        except (*UNREADABLE, *sqlite_safety.ERRORS) as error:
            said = sqlite_safety.said(error)
            raise GisError(f"'{info.filename}' in '{path.name}' cannot be read: {said}.") from error
        references.check_table(unpacked)
        references.check_family(unpacked)
        drawings.check(unpacked)


def _listed(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise GisError(f"File '{path.name}' is not a zip file: {error}.") from error
    names = [info.filename for info in members]
    if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
        raise GisError(f"File '{path.name}' has too many members, or several of the same name.")
    unsafe = next((name for name in names if ".." in PurePosixPath(name).parts or name.startswith(("/", "\\"))), None)
    if unsafe is not None:
        raise GisError(f"File '{path.name}' contains a file with the unsafe name '{unsafe[:80]}'.")
    return members

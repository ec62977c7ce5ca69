"""Data inside zip files, which QGIS and GDAL address as `/vsizip/data.zip/trees.shp`."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from . import gdal_vector
from .port import GisError
from .project_archive import MAX_EMBEDDED_BYTES


def member_of(path: Path, wanted: str) -> str:
    """Return the name of the file in a zip file; without `wanted`, of its only file with data. Raises GisError."""
    names = [info.filename for info in _listed(path) if not info.is_dir()]
    found = [name for name in names if name == wanted or (not wanted and gdal_vector.can_open(Path(name)))]
    found = [name for name in found if name.lower().endswith(".shp")] or found
    if len(found) != 1:
        raise GisError(f"File '{wanted or 'with one layer'}' not found in '{path.name}'.")
    return found[0]


def gdal_path(path: Path, member: str) -> Path:
    """Return the address of a file inside a zip file for GDAL."""
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
    if sum(info.file_size for info in found) > MAX_EMBEDDED_BYTES:
        raise GisError(f"'{member}' in '{path.name}' is too large to be unpacked.")
    return found


def _listed(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise GisError(f"File '{path.name}' is not a zip file: {error}.") from error

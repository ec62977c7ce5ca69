"""Read the project XML from an untrusted .qgs or .qgz.

A .qgz is a zip file with exactly one .qgs, possibly an auxiliary database (.qgd), and files embedded in the project.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from .port import InvalidProjectFileError, MissingFileError

#: Most bytes of project XML that are read; the largest known projects have about a tenth of this.
MAX_PROJECT_BYTES = 128 * 1024 * 1024
#: Most bytes of embedded files that are unpacked.
MAX_EMBEDDED_BYTES = 512 * 1024 * 1024
MAX_MEMBERS = 10_000
#: XML compresses about 1:20; the limit of deflate is about 1:1030, and only zip bombs come near it.
_MAX_RATIO = 300
_SMALL = 1024 * 1024


def read_project_xml(path: Path) -> bytes:
    """Return the XML of a project file. Raises InvalidProjectFileError or MissingFileError."""
    if not path.is_file():
        raise MissingFileError(f"Project file '{path.name}' missing.")
    suffix = path.suffix.lower()
    if suffix == ".qgz":
        return _read_zipped(path)
    if suffix != ".qgs":
        raise InvalidProjectFileError(f"'{path.name}' is not a QGIS project: its name ends neither in .qgs nor .qgz.")
    if path.stat().st_size > MAX_PROJECT_BYTES:
        raise _too_large(path.name)
    return path.read_bytes()


def embedded_files(path: Path) -> dict[str, bytes]:
    """Return the other files in a .qgz besides its .qgs, by name (POSIX); none for a .qgs."""
    if path.suffix.lower() != ".qgz":
        return {}
    with _open(path) as archive:
        members = [info for info in _safe_members(archive, path) if not info.filename.lower().endswith(".qgs")]
        if sum(info.file_size for info in members) > MAX_EMBEDDED_BYTES:
            raise _too_large(path.name)
        return {info.filename: _read_member(archive, info, path) for info in members}


def _read_zipped(path: Path) -> bytes:
    with _open(path) as archive:
        members = _safe_members(archive, path)
        projects = [info for info in members if info.filename.lower().endswith(".qgs")]
        if len(projects) != 1:
            found = ", ".join(f"'{info.filename}'" for info in projects) or "none"
            raise InvalidProjectFileError(f"'{path.name}' must contain exactly one .qgs file; found: {found}.")
        return _read_member(archive, projects[0], path)


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        message = f"'{path.name}' is damaged: it cannot be read as a zip file. Save the project again in QGIS."
        raise InvalidProjectFileError(message) from error


def _safe_members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    members = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(members) > MAX_MEMBERS:
        raise _too_large(path.name)
    for info in members:
        _refuse_unsafe_name(info.filename, path)
    return members


def _refuse_unsafe_name(name: str, path: Path) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].endswith((":", "/")):
        raise InvalidProjectFileError(f"'{path.name}' contains a file with the unsafe name '{name}'.")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    if info.file_size > MAX_PROJECT_BYTES or is_bomb(info):
        raise _too_large(path.name)
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        message = f"'{info.filename}' in '{path.name}' is damaged or encrypted. Save the project again in QGIS."
        raise InvalidProjectFileError(message) from error
    if len(content) > info.file_size:
        raise _too_large(path.name)
    return content


def is_bomb(info: zipfile.ZipInfo) -> bool:
    """Whether a member unpacks to far more than data do."""
    return info.file_size > _SMALL and info.file_size / max(info.compress_size, 1) > _MAX_RATIO


def _too_large(name: str) -> InvalidProjectFileError:
    return InvalidProjectFileError(f"'{name}' unpacks to more data than a QGIS project can have; it was not read.")

"""The parts of a set that are archives of files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO

from ...errors import DamagedError, QfcError


def tar_of(files: Mapping[str, bytes], moment: datetime) -> BinaryIO:
    """Return a part that is an archive of files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode, about.mtime = len(data), 0o600, int(moment.timestamp())
            archive.addfile(about, io.BytesIO(data))
    content.seek(0)
    return content


def files_of(content: bytes) -> dict[str, bytes]:
    """Return the files in a part that is an archive. Raises DamagedError."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return {one.name: _bytes_of(archive, one) for one in archive.getmembers() if one.isfile()}
    except tarfile.TarError as error:
        raise DamagedError(f"An archive of the set cannot be read: {error}.") from error


def _bytes_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise QfcError(f"{member.name} is not a file.")
    with file:
        return file.read()

"""Check a zipped project before anything unpacks it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from .errors import ArchiveBombError, InvalidProjectFileError

#: The largest project files seen in the field are tens of megabytes of XML, which zips to about a tenth.
MAX_UNPACKED_BYTES = 1024**3
MAX_RATIO = 200
RATIO_MATTERS_FROM_BYTES = 16 * 1024**2
MAX_MEMBERS = 10_000


def check_archive(path: Path) -> None:
    """Check a zip file by its directory. Raises ArchiveBombError, or InvalidProjectFileError if it is no zip file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidProjectFileError(f"The file is not a readable zip archive: {error}.") from error
    if len(members) > MAX_MEMBERS:
        raise ArchiveBombError(f"The archive has {len(members)} members; at most {MAX_MEMBERS} are accepted.")
    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > RATIO_MATTERS_FROM_BYTES and unpacked / packed > MAX_RATIO):
        raise ArchiveBombError(f"The archive of {packed} bytes would unpack to {unpacked} bytes; it is refused.")

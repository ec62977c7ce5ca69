"""The folder of one job: it holds the project's files and the results, and is removed at the end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..core.attachments import is_in
from ..storage.blobs import BlobStore
from ..storage.errors import StorageError
from .work import SnapshotFile, Work

#: Files with these suffixes are linked, because nothing writes to them. Others are copied: an engine may open them as
#: a database or rewrite them in place.
LINKED_SUFFIXES = frozenset(
    {".tif", ".tiff", ".vrt", ".asc", ".jp2", ".ecw", ".jpg", ".jpeg", ".png", ".webp", ".svg", ".pdf", ".laz", ".las"}
    | {".mp4", ".mov", ".m4a", ".mp3", ".zip", ".qm", ".qml", ".ttf"}
)
COPY_BYTES = 1024 * 1024
#: Access and change time of copies, in nanoseconds: the year 2000, so that even an immediate change is noticed.
LONG_AGO = (946_684_800 * 10**9, 946_684_800 * 10**9)


class JobFolder:
    """Paths inside the folder, and how the project's files get into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = path / "files"
        self.export = path / "export"
        self.result = path / "result.json"
        self.output = path / "output.log"
        self.service_file = path / "pg_service.conf"

    def make(self) -> None:
        """Create the folder, empty."""
        self.remove()
        self.files.mkdir(parents=True)
        self.export.mkdir()

    def remove(self) -> None:
        """Remove the folder with its content."""
        shutil.rmtree(self.path, ignore_errors=True)

    def lay_out_files(self, work: Work, store: BlobStore, attachment_dirs: tuple[str, ...]) -> list[SnapshotFile]:
        """Copy or link the project's files except attachments into the folder; return these files."""
        wanted = [file for file in work.files if not is_in(file.name, attachment_dirs)]
        for file in wanted:
            target = self.files / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            _lay_out(file, target, store)
        return wanted


def _lay_out(file: SnapshotFile, target: Path, store: BlobStore) -> None:
    try:
        _copy_or_link(file, target, store)
    except OSError as error:
        raise StorageError(f"{file.name} cannot be copied into the job's folder: {error.strerror}") from error
    if target.stat().st_size != file.blob.size:
        raise StorageError(f"the store sent {target.stat().st_size} of the {file.blob.size} bytes of {file.name}")


def _copy_or_link(file: SnapshotFile, target: Path, store: BlobStore) -> None:
    source = store.local_path(file.blob.key)
    if source is None:
        with store.open(file.blob.key) as stream, target.open("wb") as out:
            shutil.copyfileobj(stream, out, COPY_BYTES)
        os.utime(target, ns=LONG_AGO)
    elif target.suffix.lower() not in LINKED_SUFFIXES or not _is_linked(source, target):
        shutil.copyfile(source, target)
        os.utime(target, ns=LONG_AGO)


def _is_linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True

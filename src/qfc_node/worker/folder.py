"""The folder of one job: it holds the project's files and the results, and is removed at the end."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..box.work import EXPORT, FILES, OUTPUT, SCRATCH
from ..core.attachments import is_in
from ..storage.blobs import Blob, BlobStore
from ..storage.errors import StorageError
from .work import SnapshotFile, Work

#: Files with these suffixes are linked, because no engine writes to them. Others are copied: an engine may open them as
#: a database or rewrite them in place.
LINKED_SUFFIXES = frozenset(
    {".tif", ".tiff", ".vrt", ".asc", ".jp2", ".ecw", ".jpg", ".jpeg", ".png", ".webp", ".svg", ".pdf", ".laz", ".las"}
    | {".mp4", ".mov", ".m4a", ".mp3", ".zip", ".qm", ".qml", ".ttf"}
)
COPY_BYTES = 1024 * 1024
#: Access and change time of copies, in nanoseconds: the year 2000, so that even an immediate change is noticed.
LONG_AGO = (946_684_800 * 10**9, 946_684_800 * 10**9)
#: `FICLONE`: share the bytes of a file until one of both is changed, on file systems that can.
_CLONE = 0x40049409

Check = Callable[[], None]


def _no_check() -> None:
    pass


class JobFolder:
    """Paths inside the folder, and how the project's files get into it.

    `account`: the number of the job's account, if it has one of its own. Only then is a file ever linked: a job under
    the worker's account could write to a linked file, and so to the store.
    """

    def __init__(self, path: Path, account: int | None = None) -> None:
        self.path = path
        self.files = path / FILES
        self.export = path / EXPORT
        self.output = path / OUTPUT
        self.account = account
        self._laid_out: dict[str, tuple[Blob, tuple[int, int]]] = {}

    def make(self) -> None:
        """Create the folder, empty."""
        self.remove()
        self.files.mkdir(parents=True)
        self.export.mkdir()
        (self.path / SCRATCH).mkdir()

    def remove(self) -> None:
        """Remove the folder with its content."""
        shutil.rmtree(self.path, ignore_errors=True)

    def lay_out_files(
        self, work: Work, store: BlobStore, attachment_dirs: tuple[str, ...], check: Check = _no_check
    ) -> list[SnapshotFile]:
        """Copy or link the project's files except attachments into the folder; return these files."""
        wanted = [file for file in work.files if not is_in(file.name, attachment_dirs)]
        for file in wanted:
            target = self.files / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            self._lay_out(file, target, store, check)
            self._laid_out[file.name] = file.blob, _mark(target)
        return wanted

    def give_away(self) -> None:
        """Make the folder the property of the job's account. Linked files stay the store's, readable for the job."""
        if self.account is None:
            return
        for folder, _, names in os.walk(self.path):
            os.chown(folder, self.account, self.account)
            for name in names:
                self._give(Path(folder, name))

    def unchanged(self, name: str) -> Blob | None:
        """Return the blob of a file of the project, unless the job changed the file."""
        blob, mark = self._laid_out.get(name, (None, None))
        with suppress(OSError):
            return blob if mark == _mark(self.files / name) else None
        return None

    def _give(self, path: Path) -> None:
        status = path.stat()
        if status.st_nlink == 1:
            os.chown(path, self.account or 0, self.account or 0)
        else:
            path.chmod(status.st_mode | 0o444)

    def _lay_out(self, file: SnapshotFile, target: Path, store: BlobStore, check: Check) -> None:
        try:
            self._copy_or_link(file, target, store, check)
        except OSError as error:
            raise StorageError(f"{file.name} cannot be copied into the job's folder: {error.strerror}") from error
        if target.stat().st_size != file.blob.size:
            raise StorageError(f"the store sent {target.stat().st_size} of the {file.blob.size} bytes of {file.name}")

    def _copy_or_link(self, file: SnapshotFile, target: Path, store: BlobStore, check: Check) -> None:
        source = store.local_path(file.blob.key)
        if source is not None and self._may_link(target) and _is_linked(source, target):
            return
        with store.open(file.blob.key) as stream, target.open("wb", buffering=0) as out:
            if source is None or not _is_cloned(stream, out):
                _copy(stream, out, check)
        os.utime(target, ns=LONG_AGO)

    def _may_link(self, target: Path) -> bool:
        return self.account is not None and target.suffix.lower() in LINKED_SUFFIXES


def _copy(stream: BinaryIO, out: BinaryIO, check: Check) -> None:
    while chunk := stream.read(COPY_BYTES):
        check()
        out.write(chunk)


def _is_cloned(stream: BinaryIO, out: BinaryIO) -> bool:
    try:
        fcntl.ioctl(out.fileno(), _CLONE, stream.fileno())
    except OSError:
        return False
    return True


def _is_linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat(follow_symlinks=False)
    return status.st_size, status.st_mtime_ns

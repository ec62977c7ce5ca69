"""Blobs in a folder of this machine."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .blobs import Blob, Staged, stage
from .errors import StorageError


class FolderBlobStore:
    """Blobs as files: `ab/abcd…` under a folder on the same file system as the staging folder.

    There is one level of folders: all 256 soon exist, and then a new blob costs only two `fsync` calls.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def adopt(self, staged: Staged) -> Blob:
        """Force the staged bytes to the disk, link them under their name and force the name to the disk."""
        blob = staged.blob
        try:
            self._adopt(staged, self._path(blob.key))
        except OSError as error:
            raise StorageError(f"the blob cannot be stored: {error.strerror}") from error
        return blob

    def _adopt(self, staged: Staged, path: Path) -> None:
        try:
            os.utime(path)  # a blob that is adopted again counts as new, so that no sweep removes it
        except FileNotFoundError:
            staged.sync()
            self._make_folder(path.parent)
            with suppress(FileExistsError):
                os.link(staged.path, path)
        _sync_folder(path.parent)  # the process that linked it may have died before its own fsync

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)

    def exists(self, key: str) -> bool:
        """Whether the file exists."""
        try:
            return self._path(key).exists()
        except OSError as error:
            raise StorageError(f"blob {key[:12]}… cannot be searched for: {error.strerror}") from error

    def open(self, key: str) -> BinaryIO:
        """Open the file."""
        try:
            return self._path(key).open("rb")
        except OSError as error:
            raise StorageError(f"blob {key[:12]}… cannot be read: {error.strerror}") from error

    def local_path(self, key: str) -> Path | None:
        """Return the file itself."""
        return self._path(key)

    def delete(self, key: str) -> None:
        """Remove the file."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"blob {key[:12]}… cannot be removed: {error.strerror}") from error

    def older_than(self, seconds: float) -> Iterator[str]:
        """Walk the folder."""
        limit = time.time() - seconds
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    yield path.name

    def probe(self) -> None:
        """Write, force to the disk, read and remove a few bytes where blobs are created."""
        staged = stage()
        try:
            staged.write(uuid.uuid4().bytes)
            staged.sync()
            if not self.folder.is_dir():
                self._make_folder(self.folder)
            if staged.path.read_bytes() == b"":
                raise StorageError("written bytes cannot be read back")
        except OSError as error:
            raise StorageError(f"the folder cannot be used: {error.strerror}") from error
        finally:
            staged.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

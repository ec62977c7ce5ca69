"""The blob store: immutable bytes under the hex of their sha256.

A blob is there completely or not at all: bytes are written to a staging file, forced to the disk, and only then given
their name. A row that names a blob is written after that, so a crash in between leaves bytes that no client can see;
`qfc_node.worker.sweep` removes them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from .errors import StorageError

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Blob:
    """The identity of some bytes: raw hashes, size in bytes."""

    sha256: bytes
    md5: bytes
    size: int

    @property
    def key(self) -> str:
        """Where the store keeps it."""
        return self.sha256.hex()


class Staged:
    """Bytes on their way in: a private file that is hashed while it is written. Closing it removes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._file = path.open("wb", buffering=0)

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes. Raises StorageError when the disk does not take them."""
        self._sha256.update(chunk)
        self._md5.update(chunk)
        self._size += len(chunk)
        try:
            self._write_all(memoryview(chunk))
        except OSError as error:
            raise StorageError(f"the upload cannot be written: {error.strerror}") from error

    def _write_all(self, rest: memoryview) -> None:
        while rest:
            rest = rest[self._file.write(rest) :]

    @property
    def blob(self) -> Blob:
        """What has been written so far."""
        return Blob(self._sha256.digest(), self._md5.digest(), self._size)

    def sync(self) -> None:
        """Force the bytes to the disk. Raises StorageError."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StorageError(f"the upload cannot be forced to the disk: {error.strerror}") from error

    def close(self) -> None:
        """Remove the staging file; a blob that was adopted keeps its bytes."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class BlobStore(Protocol):
    """Where blobs are. Every method raises StorageError when the store cannot be used."""

    def adopt(self, staged: Staged) -> Blob:
        """Make staged bytes a blob. Adopting the same bytes twice is harmless."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the store has the blob."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open the blob for reading."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds the blob, when there is one on this machine. It must not be written to."""
        ...

    def delete(self, key: str) -> None:
        """Remove the blob; removing what is not there is harmless."""
        ...

    def older_than(self, seconds: float) -> Iterator[str]:
        """Yield the keys of blobs that nobody adopted in the last seconds."""
        ...

    def probe(self) -> None:
        """Prove, now, that bytes can be written and read back."""
        ...


def stage() -> Staged:
    """Begin an upload. Raises StorageError when the staging folder cannot be written."""
    folder = settings.DATA_DIR / "staging"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Staged(folder / uuid.uuid4().hex)
    except OSError as error:
        raise StorageError(f"the staging folder cannot be used: {error.strerror}") from error


def stage_file(path: Path) -> Staged:
    """Stage a copy of a file's bytes. Raises StorageError."""
    staged = stage()
    buffer = memoryview(bytearray(CHUNK))
    try:
        with path.open("rb", buffering=0) as source:
            while count := source.readinto(buffer):
                staged.write(buffer[:count])
    except BaseException:
        staged.close()
        raise
    return staged


class FolderBlobStore:
    """Blobs as files: `ab/abcd…` under a folder on the same file system as the staging folder.

    One level of folders: 256 of them are soon there, and a new blob costs two `fsync` and no more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def adopt(self, staged: Staged) -> Blob:
        """Force the staged bytes to the disk and link them under their name, name included."""
        blob = staged.blob
        try:
            self._adopt(staged, self._path(blob.key))
        except OSError as error:
            raise StorageError(f"the blob cannot be stored: {error.strerror}") from error
        return blob

    def _adopt(self, staged: Staged, path: Path) -> None:
        try:
            os.utime(path)  # a blob that is adopted again is young again: the sweep leaves it alone
        except FileNotFoundError:
            staged.sync()
            self._make_folder(path.parent)
            with suppress(FileExistsError):
                os.link(staged.path, path)
        _sync_folder(path.parent)  # whoever linked it may not have come to that

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        try:
            return self._path(key).exists()
        except OSError as error:
            raise StorageError(f"blob {key[:12]}… cannot be looked for: {error.strerror}") from error

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
        """Write, force, read and remove a few bytes where blobs are made."""
        staged = stage()
        try:
            staged.write(uuid.uuid4().bytes)
            staged.sync()
            if not self.folder.is_dir():
                self._make_folder(self.folder)
            if staged.path.read_bytes() == b"":
                raise StorageError("what was written cannot be read back")
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


@functools.cache
def blob_store() -> BlobStore:
    """Return the store that the settings name: an S3 bucket, or a folder."""
    if settings.STORAGE_BUCKET_NAME:
        from .s3 import S3BlobStore  # boto3 costs memory that a folder does not need

        return S3BlobStore()
    return FolderBlobStore(settings.DATA_DIR / "blobs")


# A process that was forked must not talk through its parent's connections to an object store.
os.register_at_fork(after_in_child=blob_store.cache_clear)

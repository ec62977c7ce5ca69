"""The blob store: immutable bytes under the hex of their sha256.

A blob is there completely or not at all: bytes are written to a staging file, forced to the disk, and only then given
their name. Whoever refers to a blob does so after that, so a crash in between leaves bytes that no client can see,
and that are swept away later.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
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

"""The blob store: immutable bytes, named by the hexadecimal sha256.

A blob exists completely or not at all: its bytes are written to a staging file, forced to the disk, and only then get
their name. Rows refer to a blob after that, so a crash in between leaves bytes that no client can see and that a sweep
removes later.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from .errors import StorageError
from .etags import TagHash

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Blob:
    """The identity of some bytes: the raw sha256, the entity tag, the size in bytes."""

    sha256: bytes
    etag: str
    size: int

    @property
    def key(self) -> str:
        """The key of the blob in the store."""
        return self.sha256.hex()


class Staged:
    """Incoming bytes: a private file that is hashed while it is written. Closing it removes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sha256 = hashlib.sha256()
        self._tag = TagHash()
        self._size = 0
        self._file = path.open("wb", buffering=0)

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes. Raises StorageError if the disk does not accept them."""
        self._sha256.update(chunk)
        self._tag.update(chunk)
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
        """The identity of the bytes written so far."""
        return Blob(self._sha256.digest(), self._tag.tag, self._size)

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
    """A store of blobs. Every method raises StorageError if the store cannot be used."""

    def adopt(self, staged: Staged) -> Blob:
        """Store staged bytes as a blob. Adopting the same bytes twice is harmless."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the store has the blob."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open the blob for reading."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the blob's file, if it is on this machine; otherwise None. Callers must not write to it."""
        ...

    def delete(self, key: str) -> None:
        """Remove the blob; removing a missing blob is harmless."""
        ...

    def older_than(self, seconds: float) -> Iterator[str]:
        """Yield the keys of blobs that were last adopted more than that many seconds ago."""
        ...

    def probe(self) -> None:
        """Prove, now, that bytes can be written and read back."""
        ...


def stage() -> Staged:
    """Create an empty staging file. Raises StorageError if the staging folder cannot be written."""
    folder = settings.DATA_DIR / "staging"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Staged(folder / uuid.uuid4().hex)
    except OSError as error:
        raise StorageError(f"the staging folder cannot be used: {error.strerror}") from error


def stage_stream(source: BinaryIO, check: Callable[[], None]) -> Staged:
    """Stage a copy of a stream's bytes; `check` is called for each chunk and may raise. Raises StorageError."""
    staged = stage()
    try:
        while chunk := source.read(CHUNK):
            check()
            staged.write(chunk)
    except BaseException:
        staged.close()
        raise
    return staged

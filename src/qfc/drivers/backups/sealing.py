"""Streams of a backup: zstd, then age, in pieces. `age --decrypt FILE | zstd --decompress` gives the content again."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import zstandard

from ...errors import DamagedError
from . import age

#: Fast, and a tenth larger than the default of zstd. What is larger than this is not read at once.
LEVEL = 1
PIECE = 256 * 1024


class Counted:
    """Passes on what is read from a stream or written to one; counts and hashes it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.size = stream, 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The sha256 of what has passed."""
        return self._sha256.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Read from the stream."""
        chunk: bytes = self._stream.read(size)
        self._add(chunk)
        return chunk

    def write(self, chunk: bytes) -> int:
        """Write to the stream."""
        self._add(chunk)
        self._stream.write(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Do nothing: who opened the stream flushes it."""

    def _add(self, chunk: bytes) -> None:
        self._sha256.update(chunk)
        self.size += len(chunk)


class Chained:
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        """Read the beginning, then the rest."""
        if not self._head:
            return self._rest.read(size)
        chunk, self._head = (self._head, b"") if size < 0 else (self._head[:size], self._head[size:])
        return chunk if size >= 0 else chunk + self._rest.read()


class _Sealed:
    """The reading end of a pipe with sealed bytes. Its end raises what went wrong at the writing end."""

    def __init__(self, stream: BinaryIO, ended: Callable[[], None]) -> None:
        self._stream, self._ended = stream, ended

    def read(self, size: int = -1) -> bytes:
        """Read sealed bytes."""
        chunk = self._stream.read(size)
        if not chunk or size < 0:
            self._ended()
        return chunk


class _Watched:
    """Passes on reads and writes, and keeps the error of one: pyrage reports it as a text of its own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """Read from the stream."""
        return self._watched(lambda: self._stream.read(size))

    def write(self, chunk: bytes) -> int:
        """Write to the stream."""
        return self._watched(lambda: self._stream.write(chunk) or len(chunk))

    def flush(self) -> None:
        """Do nothing: who opened the stream flushes it."""

    def _watched(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:
            self.error = self.error or error
            raise


def seal(content: Any, sink: Any, recipient: str | None) -> None:
    """Compress what `content` gives, encrypt it to the recipient (None: not at all), and write it to `sink`."""
    reader = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).stream_reader(content, read_size=PIECE)
    if recipient is None:
        while chunk := reader.read(PIECE):
            sink.write(chunk)
        return
    source, target = _Watched(reader), _Watched(sink)
    try:
        age.encrypt(source, target, recipient)
    except age.ERRORS as error:
        raise source.error or target.error or error from None


@contextmanager
def sealed(content: Any, recipient: str | None, at_end: Callable[[], None]) -> Generator[BinaryIO]:
    """Give a stream of the sealed bytes of `content`, which another thread makes.

    Its end raises what failed there, and then what `at_end` raises: whoever stores the stream stores all or nothing.
    """
    receiving, sending = os.pipe()
    failures: list[Exception] = []

    def work() -> None:
        try:
            with os.fdopen(sending, "wb", buffering=PIECE) as pipe:
                seal(content, pipe, recipient)
        except Exception as error:  # noqa: BLE001 - it is raised by whoever reads
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)

    def ended() -> None:
        thread.join()
        if failures:
            raise failures[0]
        at_end()

    with os.fdopen(receiving, "rb", buffering=PIECE) as pipe:
        thread.start()
        yield cast(BinaryIO, _Sealed(pipe, ended))
    # Whoever stopped early has closed the pipe, which ends the thread too.
    thread.join()


@contextmanager
def sealed_at_once(content: Any, recipient: str | None, at_end: Callable[[], None]) -> Generator[BinaryIO]:
    """Give the sealed bytes of content that fits into memory, as `sealed` does. Raises what `at_end` raises."""
    out = io.BytesIO()
    seal(content, out, recipient)
    at_end()
    out.seek(0)
    yield out


def unseal(stored: BinaryIO, sink: Any, identity: str | None, *, encrypted: bool) -> None:
    """Write the content of sealed bytes to `sink`. Raises DamagedError."""
    source, target = _Watched(stored), _Watched(sink)
    writer = zstandard.ZstdDecompressor().stream_writer(cast(Any, target), closefd=False)
    try:
        if encrypted:
            age.decrypt(source, writer, identity)
        else:
            while chunk := source.read(PIECE):
                writer.write(chunk)
    except (zstandard.ZstdError, *age.ERRORS) as error:
        if source.error or target.error:
            raise source.error or target.error or error from None
        raise DamagedError(f"It cannot be opened: {error}.", hint="See: qfc db keys") from error

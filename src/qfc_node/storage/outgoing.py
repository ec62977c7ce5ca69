"""Large answers from a store elsewhere: for clients that read slowly they wait on the disk, where they need room.

The room is promised to an answer before it begins, less what it has used already. Other processes of the API make
promises of their own, so the disk is looked at again on the way.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from threading import Lock
from typing import Any, BinaryIO

from .errors import NoRoomError

#: So much of the disk stays free when bodies and answers are spooled; jobs, logs and small uploads need it.
RESERVE_BYTES = 64 * 1024 * 1024
#: Smaller answers stay in memory, or nearly so.
SMALL_BYTES = 1024 * 1024
#: The room on the disk is looked at each time so much was read.
LOOK_BYTES = 4 * 1024 * 1024
_SKIPPED_AT_ONCE = 256 * 1024


class Promises:
    """The room that this process has promised."""

    def __init__(self) -> None:
        self._lock, self._bytes = Lock(), 0

    def make(self, size: int) -> None:
        """Promise room. Raises NoRoomError."""
        with self._lock:
            if free_bytes() < self._bytes + size + RESERVE_BYTES:
                raise NoRoomError("the disk has no room for the answer")
            self._bytes += size

    def end(self, size: int) -> None:
        """Promise so much less."""
        with self._lock:
            self._bytes -= size


_promises = Promises()


def free_bytes() -> int:
    """Return the room on the disk of the spool; none if it cannot be told."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


class Outgoing(io.RawIOBase):
    """The bytes of a stream from `start` to `end`, with room on the disk until they are read. Raises NoRoomError."""

    def __init__(self, source: BinaryIO, start: int, end: int, promises: Promises = _promises) -> None:
        self._source, self._skip, self._left = source, start, end - start
        self._promises, self._promised = promises, 0
        self._looks_at = self._left - LOOK_BYTES
        if self._left > SMALL_BYTES:
            promises.make(self._left)
            self._promised = self._left

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at most to the end. Raises OSError when others have filled the disk: the client asks again."""
        self._skip_to_start()
        if self._promised and self._left < self._looks_at:
            self._looks_at = self._left - LOOK_BYTES
            if free_bytes() < RESERVE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        chunk = self._source.read(min(len(buffer), self._left))
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        self._keep_promised(min(self._promised, self._left))
        return len(chunk)

    def close(self) -> None:
        """Close the stream; it needs no more room."""
        if not self.closed:
            self._source.close()
            self._keep_promised(0)
        super().close()

    def _skip_to_start(self) -> None:
        while self._skip and (chunk := self._source.read(min(_SKIPPED_AT_ONCE, self._skip))):
            self._skip -= len(chunk)

    def _keep_promised(self, size: int) -> None:
        self._promises.end(self._promised - size)
        self._promised = size

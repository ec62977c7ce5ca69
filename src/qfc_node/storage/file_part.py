"""A part of a file as a file, which a server can send without a thread."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO


class FilePart(io.RawIOBase):
    """The bytes of a file from `start` to `end`, as a file."""

    def __init__(self, source: BinaryIO, start: int, end: int) -> None:
        self._source, self._start, self._end = source, start, end
        source.seek(start)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at most to the end of the part."""
        chunk = self._source.read(min(len(buffer), max(0, self._end - self._source.tell())))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the part."""
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._source.tell(), os.SEEK_END: self._end}[whence]
        return self._source.seek(base + offset) - self._start

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()

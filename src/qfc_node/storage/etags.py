"""The entity tag of some bytes in the form of S3 stores, with which every client compares its own copy.

Up to 8 MiB it is the MD5. Above, it is the MD5 of the raw MD5s of the parts of 8 MiB, followed by `-` and their number.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

PART_BYTES = 8 * 1024**2
CHUNK = 1024 * 1024


class TagHash:
    """Computes the tag while bytes arrive. No part is ever empty, except that of an empty file."""

    def __init__(self) -> None:
        self._full_parts: list[bytes] = []
        self._start_part()

    def _start_part(self) -> None:
        self._part = hashlib.md5(usedforsecurity=False)
        self._room = PART_BYTES

    def update(self, chunk: bytes | memoryview) -> None:
        """Take in the next bytes."""
        rest = memoryview(chunk)
        while rest:
            if not self._room:
                self._full_parts.append(self._part.digest())
                self._start_part()
            piece = rest[: self._room]
            self._part.update(piece)
            self._room -= len(piece)
            rest = rest[len(piece) :]

    @property
    def tag(self) -> str:
        """The tag of the bytes so far."""
        if not self._full_parts:
            return self._part.hexdigest()
        parts = [*self._full_parts, self._part.digest()]
        return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


def tag_of(source: BinaryIO) -> str:
    """Read bytes to their end; return their tag."""
    hashed = TagHash()
    while chunk := source.read(CHUNK):
        hashed.update(chunk)
    return hashed.tag


def digest_of(tag: str) -> bytes:
    """Return the 16 bytes of a tag, without the number of parts."""
    return bytes.fromhex(tag.partition("-")[0])

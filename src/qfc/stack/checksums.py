"""Compare bytes with a server's listing of files.

`md5sum` of a listing is the MD5 in older releases. In newer ones it is the tag of S3 stores: the MD5 up to 8 MiB;
above, the MD5 of the MD5s of the parts of 8 MiB, followed by `-` and their number. `sha256` is always of the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

PART_BYTES = 8 * 1024**2


class Checksums:
    """Computes, while bytes pass, whatever a listing may name."""

    def __init__(self, content: bytes = b"") -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._part = hashlib.md5(usedforsecurity=False)
        self._full_parts: list[bytes] = []
        self.update(content)

    def update(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        self._sha256.update(chunk)
        self._md5.update(chunk)
        rest = memoryview(chunk)
        while rest:
            room = PART_BYTES - (self.size - len(self._full_parts) * PART_BYTES)
            if not room:
                self._full_parts.append(self._part.digest())
                self._part, room = hashlib.md5(usedforsecurity=False), PART_BYTES
            self._part.update(rest[:room])
            self.size += len(rest[:room])
            rest = rest[room:]

    @property
    def md5(self) -> str:
        """The MD5 of all bytes."""
        return self._md5.hexdigest()

    @property
    def tag(self) -> str:
        """The tag of S3 stores."""
        if not self._full_parts:
            return self.md5
        parts = [*self._full_parts, self._part.digest()]
        return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"

    def match(self, listed: Mapping[str, Any]) -> bool:
        """Whether the bytes are those that the listing names; a listing without checksums is not compared."""
        sha256, md5 = listed.get("sha256"), listed.get("md5sum")
        if sha256:
            return bool(sha256 == self._sha256.hexdigest())
        return not md5 or md5 in (self.md5, self.tag)


def name_same_bytes(listed: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two listings, of two servers perhaps, name the same bytes as far as they can be compared."""
    if listed.get("sha256") and other.get("sha256"):
        return bool(listed["sha256"] == other["sha256"])
    tags = [str(one["md5sum"]) for one in (listed, other) if one.get("md5sum")]
    if len(tags) == 2 and ("-" in tags[0]) == ("-" in tags[1]):
        return tags[0] == tags[1]
    return not listed.get("md5sum") or (bool(other) and listed.get("size") == other.get("size"))

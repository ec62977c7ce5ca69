"""What a TIFF says of itself, before GDAL reads it. Nothing but its first directory is looked at."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

#: GDAL's own description: XML with whatever a program wanted to keep.
DESCRIPTION = 42112
#: Beginning of a file → byte order, and the layouts of its header, of a count of entries and of an entry.
_KINDS = {
    b"II*\0": ("<", "4xI", "H", "HHI4x"),
    b"MM\0*": (">", "4xI", "H", "HHI4x"),
    b"II+\0": ("<", "8xQ", "Q", "HHQ8x"),
    b"MM\0+": (">", "8xQ", "Q", "HHQ8x"),
}
#: Directories have about twenty entries; GDAL refuses one with more than this.
_MOST_ENTRIES = 4096


def is_tiff(path: Path) -> bool:
    """Whether a file begins like a TIFF."""
    with path.open("rb") as stream:
        return stream.read(4) in _KINDS


def description_bytes(path: Path) -> int:
    """Return the size of GDAL's description in a TIFF; 0 without one. A damaged file is left to GDAL."""
    try:
        with path.open("rb") as stream:
            return next((count for tag, _, count in _entries(stream) if tag == DESCRIPTION), 0)
    except struct.error:
        return 0


def _entries(stream: BinaryIO) -> list[tuple[int, ...]]:
    order, header, number, entry = _KINDS[stream.read(4)]
    stream.seek(0)
    (offset,) = _read(stream, order + header)
    stream.seek(offset)
    (count,) = _read(stream, order + number)
    return [_read(stream, order + entry) for _ in range(min(count, _MOST_ENTRIES))]


def _read(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))

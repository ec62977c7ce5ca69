"""The geometry blobs of GeoPackages (OGC 12-128, 2.1.3): a header with an envelope, then well-known binary."""

from __future__ import annotations

import math
import struct

from ..geometry import Geometry, Kind, read_wkb, write_wkb
from .bounds import ANYWHERE, Bounds, bounds_of

_MAGIC = b"GP\x00"
_LITTLE_ENDIAN, _EMPTY = 0x01, 0x10
_ENVELOPE_DOUBLES = {0: 0, 1: 4, 2: 6, 3: 6, 4: 8}
#: Bytes of a blob that are enough for its bounds: the largest header, or the header of a point and its position.
HEAD_LENGTH = 72


def write_blob(geometry: Geometry, srid: int) -> bytes:
    """Return the blob of a geometry. Points have no envelope, as in GDAL."""
    envelope, code = _envelope(geometry)
    flags = _LITTLE_ENDIAN | code << 1 | (_EMPTY if geometry.is_empty else 0)
    header = struct.pack("<3sBi", _MAGIC, flags, srid)
    return header + struct.pack(f"<{len(envelope)}d", *envelope) + write_wkb(geometry)


def _envelope(geometry: Geometry) -> tuple[tuple[float, ...], int]:
    bounds = bounds_of(geometry)
    if bounds is None or geometry.kind is Kind.POINT:
        return (), 0
    plane = (bounds.xmin, bounds.xmax, bounds.ymin, bounds.ymax)
    heights = geometry.range_of(2) if geometry.has_z else None
    return ((*plane, *heights), 2) if heights else (plane, 1)


def read_bounds(blob: object) -> Bounds | None:
    """Return the bounds of a blob or of its head; None if it is empty or not a blob, ANYWHERE if they are unknown."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    flags = blob[3]
    if flags & _EMPTY:
        return None
    doubles = _ENVELOPE_DOUBLES.get(flags >> 1 & 0x07, 0)
    if doubles and len(blob) >= 8 + doubles * 8:
        order = "<" if flags & _LITTLE_ENDIAN else ">"
        xmin, xmax, ymin, ymax = struct.unpack_from(f"{order}4d", blob, 8)
        return None if math.isnan(xmin) else Bounds(xmin, ymin, xmax, ymax)
    return _bounds_of_body(blob[8 + doubles * 8 :])


def _bounds_of_body(body: bytes) -> Bounds | None:
    try:
        return bounds_of(read_wkb(body))
    except ValueError:
        return ANYWHERE

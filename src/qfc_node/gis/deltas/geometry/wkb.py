"""Well-known binary, of ISO 13249-3; reading also knows PostGIS's flags for Z, M and the coordinate system."""

from __future__ import annotations

import math
import struct
from itertools import chain

from .model import SIMPLE_KINDS, Geometry, Kind, Position

_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000
_MAXIMUM_DEPTH = 32


class BadWkbError(ValueError):
    """The bytes are not well-known binary."""


def write_wkb(geometry: Geometry, srid: int | None = None) -> bytes:
    """ISO WKB, little endian; with `srid`, PostGIS's extended form."""
    parts: list[bytes] = []
    _write(geometry, srid, parts)
    return b"".join(parts)


def _write(geometry: Geometry, srid: int | None, out: list[bytes]) -> None:
    out.append(_header(geometry, srid))
    if geometry.kind is Kind.POINT:
        # An empty point has no form of its own; by agreement its ordinates are NaN.
        width = 2 + geometry.has_z + geometry.has_m
        out.append(_doubles(geometry.positions or ((math.nan,) * width,)))
    elif geometry.kind in SIMPLE_KINDS:
        out.append(_counted_doubles(geometry))
    elif geometry.kind in (Kind.POLYGON, Kind.TRIANGLE):
        out.append(struct.pack("<I", len(geometry.parts)))
        out.extend(_counted_doubles(ring) for ring in geometry.parts)
    else:
        out.append(struct.pack("<I", len(geometry.parts)))
        for part in geometry.parts:
            _write(part, None, out)


def _header(geometry: Geometry, srid: int | None) -> bytes:
    if srid is None:
        return struct.pack("<BI", 1, geometry.kind + 1000 * geometry.has_z + 2000 * geometry.has_m)
    code = geometry.kind | _EWKB_SRID | _EWKB_Z * geometry.has_z | _EWKB_M * geometry.has_m
    return struct.pack("<BII", 1, code, srid)


def _counted_doubles(geometry: Geometry) -> bytes:
    return struct.pack("<I", len(geometry.positions)) + _doubles(geometry.positions)


def _doubles(positions: tuple[Position, ...]) -> bytes:
    ordinates = tuple(chain.from_iterable(positions))
    return struct.pack(f"<{len(ordinates)}d", *ordinates)


def read_wkb(data: bytes) -> Geometry:
    """The geometry of `data`. Raises BadWkbError."""
    try:
        return _Reader(data).geometry(0)
    except (struct.error, ValueError) as error:
        raise BadWkbError(f"not well-known binary: {error}") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._order = "<"

    def geometry(self, depth: int) -> Geometry:
        if depth > _MAXIMUM_DEPTH:
            raise BadWkbError(f"geometries are nested more than {_MAXIMUM_DEPTH} deep")
        kind, has_z, has_m = self._header()
        width = 2 + has_z + has_m
        if kind is Kind.POINT:
            position = self._positions(1, width)
            return Geometry(kind, has_z, has_m, () if math.isnan(position[0][0]) else position)
        count = self._count()
        if kind in SIMPLE_KINDS:
            return Geometry(kind, has_z, has_m, self._positions(count, width))
        if kind in (Kind.POLYGON, Kind.TRIANGLE):
            rings = (self._positions(self._count(), width) for _ in range(count))
            return Geometry(kind, has_z, has_m, (), tuple(self._ring(ring, has_z, has_m) for ring in rings))
        return Geometry(kind, has_z, has_m, (), tuple(self.geometry(depth + 1) for _ in range(count)))

    def _ring(self, positions: tuple[Position, ...], has_z: bool, has_m: bool) -> Geometry:
        return Geometry(Kind.LINESTRING, has_z, has_m, positions)

    def _header(self) -> tuple[Kind, bool, bool]:
        self._order = "<" if self._data[self._at : self._at + 1] == b"\x01" else ">"
        self._at += 1
        code = self._count()
        if code & _EWKB_SRID:
            self._at += 4
        plain = code & 0x0FFFFFFF
        dimension = plain // 1000
        has_z = dimension in (1, 3) or bool(code & _EWKB_Z)
        has_m = dimension in (2, 3) or bool(code & _EWKB_M)
        return Kind(plain % 1000), has_z, has_m

    def _count(self) -> int:
        (value,) = struct.unpack_from(f"{self._order}I", self._data, self._at)
        self._at += 4
        return int(value)

    def _positions(self, count: int, width: int) -> tuple[Position, ...]:
        if count * width * 8 > len(self._data) - self._at:
            raise BadWkbError("the bytes end in the middle of a geometry")
        values = struct.unpack_from(f"{self._order}{count * width}d", self._data, self._at)
        self._at += count * width * 8
        return tuple(values[start : start + width] for start in range(0, len(values), width))

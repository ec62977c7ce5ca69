"""The geometries of shapefiles: records of .shp and .shx, according to Esri's technical description of July 1998."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from ..editing import RefusedError
from ..geometry import Geometry, GeometryType, Kind, Ordinate
from .bounds import Bounds, bounds_of

_POINT, _LINE, _POLYGON, _POINTS = 1, 3, 5, 8
_KINDS = {
    _POINT: Kind.POINT,
    _LINE: Kind.MULTILINESTRING,
    _POLYGON: Kind.MULTIPOLYGON,
    _POINTS: Kind.MULTIPOINT,
}
NULL_SHAPE = struct.pack("<i", 0)
_HEADER = struct.Struct(">i20xi")
_HEADER_LENGTH = 100
_RECORD = struct.Struct(">ii")
_MAGIC = 9994


class ShapeFile:
    """The geometries of a file, as the content of its records."""

    def __init__(self, shp: bytes, shx: bytes | None) -> None:
        if len(shp) < _HEADER_LENGTH or _HEADER.unpack_from(shp)[0] != _MAGIC:
            raise RefusedError("The .shp file is damaged or not a shapefile")
        (self.shape_type,) = struct.unpack_from("<i", shp, 32)
        kind = _KINDS.get(self.shape_type % 10)
        if kind is None or self.shape_type > 30:
            raise RefusedError(f"Shapefiles of type {self.shape_type} cannot be edited here")
        self.has_z = 10 < self.shape_type < 20
        z = Ordinate.PRESENT if self.has_z else Ordinate.ABSENT
        m = Ordinate.FREE if self.has_z else Ordinate.PRESENT if self.shape_type > 20 else Ordinate.ABSENT
        self.geometry_type = GeometryType(kind, z, m)
        self._header = shp[:_HEADER_LENGTH]
        self.records = list(_indexed(shp, shx) if shx else _consecutive(shp))

    def encode(self, geometry: Geometry | None) -> bytes:
        """Return the content of a record. The geometry must fit `geometry_type`."""
        if geometry is None or geometry.is_empty:
            return NULL_SHAPE
        if geometry.kind is Kind.POINT:
            ordinates = geometry.positions[0]
            return struct.pack(f"<i{len(ordinates)}d", self.shape_type, *ordinates)
        lines = _lines(geometry)
        head = struct.pack("<i4d", self.shape_type, *(bounds_of(geometry) or ()))
        return head + _counts(geometry.kind, lines) + _ordinates(geometry, lines)

    def dump(self, records: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Return the .shp and the .shx with these records."""
        body: list[bytes] = []
        index: list[bytes] = []
        at = _HEADER_LENGTH
        for number, content in enumerate(records, 1):
            words = len(content) // 2
            body.append(_RECORD.pack(number, words) + content)
            index.append(_RECORD.pack(at // 2, words))
            at += _RECORD.size + len(content)
        extent = self._extent(records)
        return (
            self._new_header(at, extent) + b"".join(body),
            self._new_header(_HEADER_LENGTH + len(index) * _RECORD.size, extent) + b"".join(index),
        )

    def bounds(self, content: bytes) -> Bounds | None:
        """Return the bounds of a record's geometry; None without one."""
        (shape_type,) = struct.unpack_from("<i", content)
        if shape_type == 0:
            return None
        if shape_type % 10 == _POINT:
            x, y = struct.unpack_from("<2d", content, 4)
            return Bounds(x, y, x, y)
        return Bounds(*struct.unpack_from("<4d", content, 4))

    def _new_header(self, length: int, extent: bytes) -> bytes:
        return self._header[:24] + struct.pack(">i", length // 2) + self._header[28:36] + extent

    def _extent(self, records: Sequence[bytes]) -> bytes:
        """Return the eight numbers of a header: xmin, ymin, xmax, ymax, zmin, zmax, mmin, mmax."""
        plane: Bounds | None = None
        z: list[float] = []
        m: list[float] = []
        for content in records:
            bounds = self.bounds(content)
            if bounds is not None:
                plane = bounds.union(plane)
                low, high = _ranges(content, self.has_z)
                z += low
                m += high
        ends = [(min(values), max(values)) if values else (0.0, 0.0) for values in (z, m)]
        return struct.pack("<8d", *(plane or (0.0,) * 4), *chain.from_iterable(ends))


def _indexed(shp: bytes, shx: bytes) -> Iterator[bytes]:
    for place in range(_HEADER_LENGTH, len(shx) - _RECORD.size + 1, _RECORD.size):
        at, words = _RECORD.unpack_from(shx, place)
        yield _content(shp, at * 2 + _RECORD.size, words * 2)


def _consecutive(shp: bytes) -> Iterator[bytes]:
    at = _HEADER_LENGTH
    while at + _RECORD.size <= len(shp):
        _, words = _RECORD.unpack_from(shp, at)
        at += _RECORD.size
        yield _content(shp, at, words * 2)
        at += words * 2


def _content(shp: bytes, at: int, length: int) -> bytes:
    content = shp[at : at + length] if length >= 4 else b""
    if len(content) != length or length == 0:
        raise RefusedError("The .shp file is damaged: a record reaches beyond its end")
    return content


def _lines(geometry: Geometry) -> list[Sequence[tuple[float, ...]]]:
    """Return the parts of a record: lines, rings, or all points as one."""
    if geometry.kind is Kind.MULTIPOINT:
        return [list(geometry.all_positions())]
    if geometry.kind is Kind.MULTILINESTRING:
        return [line.positions for line in geometry.parts if line.positions]
    rings = [
        _turned(ring.positions, clockwise=number == 0)
        for polygon in geometry.parts
        for number, ring in enumerate(polygon.parts)
    ]
    return [ring for ring in rings if ring]


def _turned(ring: Sequence[tuple[float, ...]], clockwise: bool) -> Sequence[tuple[float, ...]]:
    """Return a ring, closed and in the given direction: outer rings are clockwise, holes are not."""
    if ring and ring[0] != ring[-1]:
        ring = [*ring, ring[0]]
    doubled_area = sum((after[0] - before[0]) * (after[1] + before[1]) for before, after in pairwise(ring))
    return ring if (doubled_area >= 0) == clockwise else ring[::-1]


def _counts(kind: Kind, lines: Sequence[Sequence[tuple[float, ...]]]) -> bytes:
    total = sum(map(len, lines))
    if kind is Kind.MULTIPOINT:
        return struct.pack("<i", total)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    return struct.pack(f"<{2 + len(starts)}i", len(lines), total, *starts)


def _ordinates(geometry: Geometry, lines: Sequence[Sequence[tuple[float, ...]]]) -> bytes:
    positions = list(chain.from_iterable(lines))
    plane = list(chain.from_iterable(position[:2] for position in positions))
    packed = struct.pack(f"<{len(plane)}d", *plane)
    for axis in range(2, 2 + geometry.has_z + geometry.has_m):
        values = [position[axis] for position in positions]
        packed += struct.pack(f"<{2 + len(values)}d", min(values), max(values), *values)
    return packed


def _ranges(content: bytes, has_z: bool) -> tuple[list[float], list[float]]:
    """Return the ranges of z and m in a record; each is empty if the record has none."""
    (shape_type,) = struct.unpack_from("<i", content)
    if shape_type < 10:
        return [], []
    if shape_type % 10 == _POINT:
        values = list(struct.unpack_from(f"<{(len(content) - 20) // 8}d", content, 20))
        found = [[value, value] for value in values]
    else:
        found = list(_stored_ranges(content, shape_type))
    z = found.pop(0) if has_z and found else []
    return z, [value for value in (found[0] if found else []) if value > -1e38]


def _stored_ranges(content: bytes, shape_type: int) -> Iterator[list[float]]:
    if shape_type % 10 == _POINTS:
        (points,) = struct.unpack_from("<i", content, 36)
        at = 40 + points * 16
    else:
        parts, points = struct.unpack_from("<2i", content, 36)
        at = 44 + parts * 4 + points * 16
    while at + 16 + points * 8 <= len(content):
        yield list(struct.unpack_from("<2d", content, at))
        at += 16 + points * 8

"""Read and write well-known binary, without a library; curves, Z and M are preserved. No other module does this.

Sources: ISO 13249-3 and OGC 06-103r4 (WKB), PostGIS's extended form (its flags for Z, M and the coordinate system),
OGC 12-128r17 section 2.1.3 (GeoPackage's header before it).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, Protocol, cast

Position = tuple[float, ...]
Envelope = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax."""

_POINT, _LINE, _POLYGON, _ARCS, _COMPOUND_CURVE, _CURVE_POLYGON, _TRIANGLE = 1, 2, 3, 8, 9, 10, 17
#: Kinds that consist of positions, and those that consist of rings; all others consist of geometries.
_OF_POSITIONS, _OF_RINGS = frozenset({_LINE, _ARCS}), frozenset({_POLYGON, _TRIANGLE})
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000
_MAXIMUM_DEPTH = 32
_ENVELOPE_DOUBLES = (0, 4, 6, 6, 8)


class BadWkbError(ValueError):
    """The bytes are not well-known binary."""


class Writable(Protocol):
    """A geometry that can be written. `kind` is its number in ISO 13249-3, without Z and M."""

    @property
    def kind(self) -> int: ...
    @property
    def has_z(self) -> bool: ...
    @property
    def has_m(self) -> bool: ...
    @property
    def positions(self) -> tuple[Position, ...]: ...
    @property
    def parts(self) -> Sequence[Writable]: ...


class Part(NamedTuple):
    """A geometry as it is in the bytes: positions, or parts; rings are lines. An empty point has no position."""

    kind: int
    has_z: bool
    has_m: bool
    positions: tuple[Position, ...] = ()
    parts: tuple[Part, ...] = ()


def read(data: bytes, *, plane: bool = False) -> Part:
    """Return the geometry of well-known binary; with `plane`, positions are only x and y. Raises BadWkbError."""
    try:
        return _Reader(data, plane).geometry(0)
    except struct.error as error:
        raise BadWkbError(f"not well-known binary: {error}") from error


def write(geometry: Writable, srid: int | None = None) -> bytes:
    """Return ISO WKB, little endian; with `srid`, PostGIS's extended form."""
    return b"".join(_written(geometry, srid))


def _written(geometry: Writable, srid: int | None) -> list[bytes]:
    header = _header(geometry, srid)
    if geometry.kind == _POINT:
        # An empty point has no form of its own; by agreement its ordinates are NaN.
        width = 2 + geometry.has_z + geometry.has_m
        return [header, _doubles(geometry.positions or ((math.nan,) * width,))]
    if geometry.kind in _OF_POSITIONS:
        return [header, _counted(geometry.positions)]
    count = struct.pack("<I", len(geometry.parts))
    if geometry.kind in _OF_RINGS:
        return [header, count, *(_counted(ring.positions) for ring in geometry.parts)]
    return [header, count, *(piece for part in geometry.parts for piece in _written(part, None))]


def _header(geometry: Writable, srid: int | None) -> bytes:
    if srid is None:
        return struct.pack("<BI", 1, geometry.kind + 1000 * geometry.has_z + 2000 * geometry.has_m)
    code = geometry.kind | _EWKB_SRID | _EWKB_Z * geometry.has_z | _EWKB_M * geometry.has_m
    return struct.pack("<BII", 1, code, srid)


def _counted(positions: tuple[Position, ...]) -> bytes:
    return struct.pack("<I", len(positions)) + _doubles(positions)


def _doubles(positions: tuple[Position, ...]) -> bytes:
    ordinates = tuple(chain.from_iterable(positions))
    return struct.pack(f"<{len(ordinates)}d", *ordinates)


class _Reader:
    def __init__(self, data: bytes, plane: bool) -> None:
        self._data, self._at, self._order, self._plane = data, 0, "<", plane

    def geometry(self, depth: int) -> Part:
        if depth > _MAXIMUM_DEPTH:
            raise BadWkbError(f"geometries are nested more than {_MAXIMUM_DEPTH} deep")
        kind, has_z, has_m = self._header()
        width = 2 + has_z + has_m
        if kind == _POINT:
            positions = self._positions(1, width)
            return Part(kind, has_z, has_m, () if math.isnan(positions[0][0]) else positions)
        count = self._number()
        if kind in _OF_POSITIONS:
            return Part(kind, has_z, has_m, self._positions(count, width))
        if kind in _OF_RINGS:
            rings = (self._positions(self._number(), width) for _ in range(count))
            return Part(kind, has_z, has_m, (), tuple(Part(_LINE, has_z, has_m, ring) for ring in rings))
        return Part(kind, has_z, has_m, (), tuple(self.geometry(depth + 1) for _ in range(count)))

    def _header(self) -> tuple[int, bool, bool]:
        self._order = "<" if self._data[self._at : self._at + 1] == b"\x01" else ">"
        self._at += 1
        code = self._number()
        if code & _EWKB_SRID:
            self._at += 4
        thousands, kind = divmod(code & 0x0FFFFFFF, 1000)
        has_z = thousands in (1, 3) or bool(code & _EWKB_Z)
        has_m = thousands in (2, 3) or bool(code & _EWKB_M)
        return kind, has_z, has_m

    def _number(self) -> int:
        (value,) = struct.unpack_from(f"{self._order}I", self._data, self._at)
        self._at += 4
        return int(value)

    def _positions(self, count: int, width: int) -> tuple[Position, ...]:
        end = self._at + count * width * 8
        if end > len(self._data):
            raise BadWkbError("the bytes end in the middle of a geometry")
        kept = f"2d{(width - 2) * 8}x" if self._plane else f"{width}d"
        positions = tuple(struct.iter_unpack(f"{self._order}{kept}", self._data[self._at : end]))
        self._at = end
        return positions


@dataclass
class Shape:
    """A geometry of any type in pieces: points, lines, polygons with their rings, in two dimensions."""

    points: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    lines: list[list[tuple[float, float]]] = field(default_factory=list[list[tuple[float, float]]])
    polygons: list[list[list[tuple[float, float]]]] = field(default_factory=list[list[list[tuple[float, float]]]])

    def coordinates(self) -> list[tuple[float, float]]:
        """Return all vertices."""
        rings = [ring for polygon in self.polygons for ring in polygon]
        return [*self.points, *(vertex for line in [*self.lines, *rings] for vertex in line)]


def parse(wkb: bytes) -> Shape:
    """Split a WKB geometry into pieces. Curves become lines through their vertices. Raises ValueError."""
    shape = Shape()
    _take_apart(read(wkb, plane=True), shape)
    return shape


def _take_apart(part: Part, shape: Shape) -> None:
    if part.kind == _POINT:
        shape.points += _plane(part)
    elif part.kind in _OF_POSITIONS:
        shape.lines.append(_plane(part))
    elif part.kind in _OF_RINGS:
        shape.polygons.append([_plane(ring) for ring in part.parts])
    elif part.kind in (_COMPOUND_CURVE, _CURVE_POLYGON):
        _take_curves_apart(part, shape)
    else:
        for member in part.parts:
            _take_apart(member, shape)


def _take_curves_apart(part: Part, shape: Shape) -> None:
    curves = Shape()
    for member in part.parts:
        _take_apart(member, curves)
    if part.kind == _CURVE_POLYGON:
        shape.polygons.append(curves.lines)
    else:
        shape.lines.append([vertex for line in curves.lines for vertex in line])


def _plane(part: Part) -> list[tuple[float, float]]:
    return list(cast("tuple[tuple[float, float], ...]", part.positions))


def wkb_envelope(wkb: bytes) -> Envelope | None:
    """Return the extent of a WKB geometry; None if it is empty."""
    vertices = [(x, y) for x, y in _all_positions(read(wkb, plane=True)) if x == x and y == y]
    if not vertices:
        return None
    xs, ys = zip(*vertices, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _all_positions(part: Part) -> Iterable[Position]:
    return chain(part.positions, *map(_all_positions, part.parts))


def strip_header(blob: bytes) -> bytes | None:
    """Return the WKB of a GeoPackage geometry; None if it is empty or not one."""
    if len(blob) < 8 or blob[:2] != b"GP" or blob[3] & 0x10:
        return None
    return blob[_header_length(blob) :]


def envelope(blob: bytes | None) -> Envelope | None:
    """Return the extent of a GeoPackage geometry, from its header if it is there; None if it is empty.

    Raises BadWkbError.
    """
    wkb = strip_header(blob) if blob else None
    if blob is None or wkb is None:
        return None
    if (blob[3] >> 1) & 7:
        try:
            xmin, xmax, ymin, ymax = struct.unpack_from("<4d" if blob[3] & 1 else ">4d", blob, 8)
        except struct.error as error:
            raise BadWkbError(f"not a GeoPackage geometry: {error}") from error
        return (xmin, ymin, xmax, ymax) if xmin <= xmax else None
    return wkb_envelope(wkb)


def _header_length(blob: bytes) -> int:
    kind = (blob[3] >> 1) & 7
    return 8 + 8 * (_ENVELOPE_DOUBLES[kind] if kind < len(_ENVELOPE_DOUBLES) else 0)

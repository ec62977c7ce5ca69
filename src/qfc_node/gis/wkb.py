"""Well-known binary geometries, as GeoPackages hold them: taken apart without any library.

Sources: OGC 06-103r4 (WKB), OGC 12-128r17 section 2.1.3 (the header that GeoPackage puts before it).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

Envelope = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax."""

_ENVELOPE_DOUBLES = (0, 4, 6, 6, 8)
_POINT = 1
_LINES = frozenset({2, 8})
_COMPOUND_CURVE, _CURVE_POLYGON = 9, 10
_POLYGONS = frozenset({3, 17})


@dataclass
class Shape:
    """A geometry in pieces, whatever its type was: points, lines, polygons with their rings."""

    points: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    lines: list[list[tuple[float, float]]] = field(default_factory=list[list[tuple[float, float]]])
    polygons: list[list[list[tuple[float, float]]]] = field(default_factory=list[list[list[tuple[float, float]]]])

    def coordinates(self) -> list[tuple[float, float]]:
        """All vertices."""
        rings = [ring for polygon in self.polygons for ring in polygon]
        return [*self.points, *(vertex for line in [*self.lines, *rings] for vertex in line)]


def strip_header(blob: bytes) -> bytes | None:
    """The WKB of a GeoPackage geometry; None for an empty one or something else."""
    if len(blob) < 8 or blob[:2] != b"GP" or blob[3] & 0x10:
        return None
    return blob[_header_length(blob) :]


def envelope(blob: bytes | None) -> Envelope | None:
    """Extent of a GeoPackage geometry, from its header where it is written there; None when it is empty."""
    wkb = strip_header(blob) if blob else None
    if blob is None or wkb is None:
        return None
    if (blob[3] >> 1) & 7:
        xmin, xmax, ymin, ymax = struct.unpack_from("<4d" if blob[3] & 1 else ">4d", blob, 8)
        return (xmin, ymin, xmax, ymax) if xmin <= xmax else None
    return wkb_envelope(wkb)


def wkb_envelope(wkb: bytes) -> Envelope | None:
    """Extent of a WKB geometry; None when it is empty."""
    vertices = [(x, y) for x, y in parse(wkb).coordinates() if x == x and y == y]
    if not vertices:
        return None
    xs, ys = zip(*vertices, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def parse(wkb: bytes) -> Shape:
    """Take a WKB geometry apart. Curves become the lines through their vertices. Raises ValueError."""
    shape = Shape()
    try:
        _read(wkb, 0, shape, depth=0)
    except (struct.error, IndexError) as error:
        raise ValueError("The geometry ends too early.") from error
    return shape


def _header_length(blob: bytes) -> int:
    kind = (blob[3] >> 1) & 7
    return 8 + 8 * (_ENVELOPE_DOUBLES[kind] if kind < len(_ENVELOPE_DOUBLES) else 0)


def _read(wkb: bytes, position: int, shape: Shape, depth: int) -> int:
    if depth > 32:
        raise ValueError("The geometry is nested too deeply.")
    order = "<" if wkb[position] == 1 else ">"
    (code,) = struct.unpack_from(f"{order}I", wkb, position + 1)
    kind, dimensions, position = _kind(code), _dimensions(code), position + 5 + (4 if code & 0x20000000 else 0)
    if kind == _POINT:
        shape.points += _vertices(wkb, position, order, 1, dimensions)
        return position + 8 * dimensions
    (count,) = struct.unpack_from(f"{order}I", wkb, position)
    position += 4
    if kind in _LINES:
        shape.lines.append(_vertices(wkb, position, order, count, dimensions))
        return position + 8 * dimensions * count
    if kind in _POLYGONS:
        return _read_rings(wkb, position, shape, order, count, dimensions)
    return _read_members(wkb, position, shape, kind, count, depth)


def _read_rings(wkb: bytes, position: int, shape: Shape, order: str, count: int, dimensions: int) -> int:
    rings: list[list[tuple[float, float]]] = []
    for _ in range(count):
        (length,) = struct.unpack_from(f"{order}I", wkb, position)
        rings.append(_vertices(wkb, position + 4, order, length, dimensions))
        position += 4 + 8 * dimensions * length
    shape.polygons.append(rings)
    return position


def _read_members(wkb: bytes, position: int, shape: Shape, kind: int, count: int, depth: int) -> int:
    if kind not in (_COMPOUND_CURVE, _CURVE_POLYGON):
        for _ in range(count):
            position = _read(wkb, position, shape, depth + 1)
        return position
    curves = Shape()
    for _ in range(count):
        position = _read(wkb, position, curves, depth + 1)
    if kind == _CURVE_POLYGON:
        shape.polygons.append(curves.lines)
    else:
        shape.lines.append([vertex for line in curves.lines for vertex in line])
    return position


def _vertices(wkb: bytes, position: int, order: str, count: int, dimensions: int) -> list[tuple[float, float]]:
    values = struct.unpack_from(f"{order}{count * dimensions}d", wkb, position)
    vertices = list(zip(values[0::dimensions], values[1::dimensions], strict=True))
    return [vertex for vertex in vertices if vertex[0] == vertex[0]] if count == 1 else vertices


def _kind(code: int) -> int:
    return (code & 0x0FFFFFFF) % 1000


def _dimensions(code: int) -> int:
    thousands = (code & 0x0FFFFFFF) // 1000
    has_z = thousands in (1, 3) or bool(code & 0x80000000)
    has_m = thousands in (2, 3) or bool(code & 0x40000000)
    return 2 + has_z + has_m

"""Geometries as plain numbers: from and to WKT, from the blobs of a GeoPackage. Two dimensions, no dependencies.

Sources: OGC 06-103r4 (WKT, WKB), OGC 12-128r18 clause 2.1.3 (the header of a GeoPackage blob).
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from typing import Any

#: WKB type → name, and how deeply its coordinate lists are nested.
KINDS = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}
DEPTH = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPoint": 1, "MultiLineString": 2, "MultiPolygon": 3}
#: Sizes of the envelope by the indicator in the header's flags.
ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}


@dataclass(frozen=True)
class Geometry:
    """A simple feature. `coordinates` as in GeoJSON: nested lists, positions are pairs."""

    kind: str
    coordinates: list[Any]

    def rounded(self, digits: int = 3) -> Geometry:
        """The same with ordinates rounded, to compare what went through text with what did not."""
        return Geometry(self.kind, _rounded(self.coordinates, digits))

    @property
    def wkt(self) -> str:
        """Well-known text, as QField writes it."""
        return (
            f"{self.kind} ({_text(self.coordinates)})"
            if self.kind == "Point"
            else f"{self.kind} {_text(self.coordinates)}"
        )


def point(x: float, y: float) -> Geometry:
    """A point."""
    return Geometry("Point", [x, y])


def line(*points: tuple[float, float]) -> Geometry:
    """A line through these points."""
    return Geometry("LineString", [list(position) for position in points])


def from_wkt(text: str) -> Geometry:
    """Read well-known text of the six simple kinds. Raises ValueError."""
    found = re.fullmatch(r"\s*([A-Za-z]+)\s*(\(.*\))\s*", text)
    kinds = {kind.lower(): kind for kind in DEPTH}
    if found is None or found[1].lower() not in kinds:
        raise ValueError(f"not a geometry that the demo knows: {text[:80]}")
    kind = kinds[found[1].lower()]
    positions = re.sub(r"([-+.\deE]+)\s+([-+.\deE]+)", r"[\1, \2]", found[2])
    nested = json.loads(positions.replace("(", "[").replace(")", "]"))
    return Geometry(kind, nested[0] if kind == "Point" else _without_point_brackets(kind, nested))


def from_blob(blob: bytes) -> Geometry:
    """Read a GeoPackage geometry. Raises ValueError."""
    if blob[:2] != b"GP":
        raise ValueError("not a GeoPackage geometry")
    indicator = (blob[3] >> 1) & 0b111
    if indicator not in ENVELOPE_BYTES:
        raise ValueError("broken header of a GeoPackage geometry")
    geometry, _ = _read_wkb(blob, 8 + ENVELOPE_BYTES[indicator])
    return geometry


def _without_point_brackets(kind: str, nested: list[Any]) -> list[Any]:
    """MULTIPOINT ((1 2), (3 4)) and MULTIPOINT (1 2, 3 4) are the same."""
    if kind == "MultiPoint":
        return [entry[0] if isinstance(entry[0], list) else entry for entry in nested]
    return nested


def _read_wkb(blob: bytes, offset: int) -> tuple[Geometry, int]:
    order = "<" if blob[offset] == 1 else ">"
    (code,) = struct.unpack_from(order + "I", blob, offset + 1)
    kind = KINDS.get(code)
    if kind is None:
        raise ValueError(f"WKB type {code} is not one that the demo knows")
    if kind.startswith("Multi"):
        return _read_parts(kind, blob, offset + 5, order)
    coordinates, end = _read_positions(blob, offset + 5, order, DEPTH[kind])
    return Geometry(kind, coordinates), end


def _read_parts(kind: str, blob: bytes, offset: int, order: str) -> tuple[Geometry, int]:
    (count,) = struct.unpack_from(order + "I", blob, offset)
    offset += 4
    parts: list[Any] = []
    for _ in range(count):
        part, offset = _read_wkb(blob, offset)
        parts.append(part.coordinates)
    return Geometry(kind, parts), offset


def _read_positions(blob: bytes, offset: int, order: str, depth: int) -> tuple[list[Any], int]:
    if depth == 0:
        return list(struct.unpack_from(order + "2d", blob, offset)), offset + 16
    (count,) = struct.unpack_from(order + "I", blob, offset)
    offset += 4
    entries: list[Any] = []
    for _ in range(count):
        entry, offset = _read_positions(blob, offset, order, depth - 1)
        entries.append(entry)
    return entries, offset


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_rounded(entry, digits) for entry in value]  # pyright: ignore[reportUnknownVariableType] (nested lists)
    return round(float(value), digits)


def _text(coordinates: list[Any]) -> str:
    if not isinstance(coordinates[0], list):
        return f"{coordinates[0]} {coordinates[1]}"
    return "(" + ", ".join(_text(entry) for entry in coordinates) + ")"  # pyright: ignore[reportUnknownArgumentType]

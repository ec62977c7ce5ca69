"""Geometries of the demo: shapely's, from the blobs of a GeoPackage, from GeoJSON, from text as QField writes it.

Source: OGC 12-128r18 clause 2.1.3 (the header of a GeoPackage blob).
"""

from __future__ import annotations

from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import LineString, Point, shape
from shapely.geometry.base import BaseGeometry as Geometry

#: Sizes of the envelope by the indicator in the header's flags.
ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}

__all__ = ["Geometry", "first_position", "from_blob", "from_geojson", "from_wkt", "line", "point", "same", "to_wkt"]


def point(x: float, y: float) -> Geometry:
    """A point."""
    return Point(x, y)


def line(*points: tuple[float, float]) -> Geometry:
    """A line through these points."""
    return LineString(points)


def from_wkt(text: str) -> Geometry:
    """Read well-known text. Raises ValueError."""
    try:
        return shapely.from_wkt(text)
    except ShapelyError as error:
        raise ValueError(f"not a geometry: {text[:80]}") from error


def from_blob(blob: bytes) -> Geometry:
    """Read a GeoPackage geometry. Raises ValueError."""
    indicator = (blob[3] >> 1) & 0b111 if blob[:2] == b"GP" and len(blob) > 8 else -1
    if indicator not in ENVELOPE_BYTES:
        raise ValueError("not a GeoPackage geometry")
    try:
        return shapely.from_wkb(blob[8 + ENVELOPE_BYTES[indicator] :])
    except ShapelyError as error:
        raise ValueError("a broken GeoPackage geometry") from error


def from_geojson(document: dict[str, Any]) -> Geometry:
    """Read a geometry of GeoJSON."""
    return shape(document)


def to_wkt(geometry: Geometry) -> str:
    """Return well-known text, its kind as QField writes it: LineString (0 0, 1 1)."""
    text: str = shapely.to_wkt(geometry, rounding_precision=-1)
    return f"{geometry.geom_type}{text[len(geometry.geom_type) :]}"


def same(one: Geometry | None, other: Geometry | None, tolerance: float) -> bool:
    """Return whether two geometries have the same vertices, with ordinates no further apart than `tolerance`."""
    if one is None or other is None:
        return one is other
    return bool(shapely.equals_exact(one, other, tolerance))


def first_position(geometry: Geometry) -> tuple[float, float]:
    """Return the first vertex."""
    x, y = shapely.get_coordinates(geometry)[0]
    return float(x), float(y)

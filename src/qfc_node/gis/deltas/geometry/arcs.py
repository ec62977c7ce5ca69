"""The extent of circular arcs, which may reach beyond the three positions that define each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .model import Geometry, Kind, Position

_FULL = 2 * math.pi


def extremes_of_arcs(geometry: Geometry) -> Iterator[tuple[float, float]]:
    """Yield the outermost points in the east, north, west and south of a geometry's arcs, as x and y."""
    if geometry.kind is Kind.CIRCULARSTRING:
        for start in range(0, len(geometry.positions) - 2, 2):
            yield from _extremes(*geometry.positions[start : start + 3])
    for part in geometry.parts:
        yield from extremes_of_arcs(part)


def _extremes(start: Position, middle: Position, end: Position) -> Iterator[tuple[float, float]]:
    center = _center(start, middle, end)
    if center is None:
        return
    x, y = center
    radius = math.hypot(start[0] - x, start[1] - y)
    for quarter in range(4):
        angle = quarter * math.pi / 2
        if _is_on_arc(angle, *(math.atan2(p[1] - y, p[0] - x) for p in (start, middle, end))):
            yield x + radius * round(math.cos(angle)), y + radius * round(math.sin(angle))


def _center(a: Position, b: Position, c: Position) -> tuple[float, float] | None:
    """Return the center of the circle through three positions; None for a straight line.

    If start and end are the same, the arc is a full circle: its center is halfway between start and middle.
    """
    if a[:2] == c[:2]:
        return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    bx, by, cx, cy = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
    twice_area = 2 * (bx * cy - by * cx)
    if twice_area == 0:
        return None
    b2, c2 = bx * bx + by * by, cx * cx + cy * cy
    return a[0] + (cy * b2 - by * c2) / twice_area, a[1] + (bx * c2 - cx * b2) / twice_area


def _is_on_arc(angle: float, start: float, middle: float, end: float) -> bool:
    """Whether the arc from `start` through `middle` to `end` passes `angle` (radians)."""
    to_middle, to_end, to_angle = ((other - start) % _FULL for other in (middle, end, angle))
    to_end = to_end or _FULL
    return to_angle <= to_end if to_middle <= to_end else to_angle >= to_end

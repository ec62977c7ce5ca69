"""Rectangles around geometries, for spatial indexes and the extents of layers."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..geometry import Geometry
from ..geometry.arcs import extremes_of_arcs


class Bounds(NamedTuple):
    """A rectangle in the layer's coordinate system."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    def union(self, other: Bounds | None) -> Bounds:
        """Return the rectangle around both."""
        if other is None:
            return self
        return Bounds(
            min(self.xmin, other.xmin),
            min(self.ymin, other.ymin),
            max(self.xmax, other.xmax),
            max(self.ymax, other.ymax),
        )

    def reaches(self, outer: Bounds) -> bool:
        """Whether it touches or crosses the border of `outer`."""
        return self.xmin <= outer.xmin or self.ymin <= outer.ymin or self.xmax >= outer.xmax or self.ymax >= outer.ymax


#: The bounds of a geometry whose bounds are unknown.
ANYWHERE = Bounds(-math.inf, -math.inf, math.inf, math.inf)


def bounds_of(geometry: Geometry | None) -> Bounds | None:
    """Return the rectangle around a geometry, including its arcs; None if it is empty or None."""
    x = geometry.range_of(0) if geometry else None
    y = geometry.range_of(1) if geometry else None
    if geometry is None or x is None or y is None:
        return None
    bounds = Bounds(x[0], y[0], x[1], y[1])
    for east, north in extremes_of_arcs(geometry):
        bounds = bounds.union(Bounds(east, north, east, north))
    return bounds

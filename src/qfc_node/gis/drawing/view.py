"""Convert between coordinates of the map and of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..gdal import Transformation
from ..project import Extent

Point = tuple[float, float]


@dataclass(frozen=True)
class View:
    """A rectangle of the map in a picture of `width` × `height` pixels, with the same scale in both directions."""

    extent: Extent
    width: int
    height: int

    @staticmethod
    def around(extent: Extent, width: int, height: int) -> View:
        """Return the smallest view of that shape that shows all of `extent`."""
        scale = max((extent.xmax - extent.xmin) / width, (extent.ymax - extent.ymin) / height)
        x, y = (extent.xmin + extent.xmax) / 2, (extent.ymin + extent.ymax) / 2
        dx, dy = scale * width / 2, scale * height / 2
        return View(Extent(x - dx, y - dy, x + dx, y + dy), width, height)

    @property
    def units_per_pixel(self) -> float:
        """Length of a pixel in units of the map."""
        return (self.extent.xmax - self.extent.xmin) / self.width

    def pixels(self, points: Sequence[Point]) -> list[Point]:
        """Return points of the map in pixels from the picture's top left, without points that are not finite."""
        left, top, scale = self.extent.xmin, self.extent.ymax, self.units_per_pixel
        return [((x - left) / scale, (top - y) / scale) for x, y in points if math.isfinite(x) and math.isfinite(y)]

    def map_point(self, x: float, y: float) -> Point:
        """Return the point of the map at a point of the picture."""
        return self.extent.xmin + x * self.units_per_pixel, self.extent.ymax - y * self.units_per_pixel


class LayerProjection:
    """Transforms between the coordinate systems of a layer and of the map."""

    def __init__(self, layer_crs: str, map_crs: str) -> None:
        same = layer_crs == map_crs or not layer_crs or not map_crs
        self._to_map = None if same else Transformation(layer_crs, map_crs)
        self._to_layer = None if same else Transformation(map_crs, layer_crs)

    def to_map(self, points: Sequence[Point]) -> Sequence[Point]:
        """Return points of the layer in the map's coordinate system."""
        return self._to_map.points(points) if self._to_map else points

    def to_layer(self, points: Sequence[Point]) -> Sequence[Point]:
        """Return points of the map in the layer's coordinate system."""
        return self._to_layer.points(points) if self._to_layer else points

    def window(self, extent: Extent) -> Extent | None:
        """Return the rectangle of the layer that is visible in a rectangle of the map; None without one."""
        return bounding(self.to_layer(_outline(extent)))

    def extent_on_map(self, extent: Extent) -> Extent | None:
        """Return the rectangle of the map that a rectangle of the layer covers; None without one."""
        return bounding(self.to_map(_outline(extent)))


def bounding(points: Sequence[Point]) -> Extent | None:
    """Return the rectangle around points; None if it is empty or there are no points."""
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not known:
        return None
    xs, ys = zip(*known, strict=True)
    extent = Extent(min(xs), min(ys), max(xs), max(ys))
    return None if extent.is_empty else extent


def _outline(extent: Extent, steps: int = 8) -> list[Point]:
    shares = [step / steps for step in range(steps + 1)]
    xs = [extent.xmin + share * (extent.xmax - extent.xmin) for share in shares]
    ys = [extent.ymin + share * (extent.ymax - extent.ymin) for share in shares]
    sides = [(x, y) for x in xs for y in (extent.ymin, extent.ymax)]
    return sides + [(x, y) for y in ys for x in (extent.xmin, extent.xmax)]

"""Draw shapes and rasters on a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from PIL import Image, ImageDraw

from ..gdal_raster import RasterPart
from ..wkb import Shape
from .symbols import Color, Paint, Symbol
from .view import LayerProjection, Point, View

#: Pixels per millimetre of a symbol: as on a canvas of usual size that is scaled down to the picture.
_PIXELS_PER_MM = 3.0
_MESH_CELLS = 8
_NOTHING = (0, 0, 0, 0)


class Canvas:
    """A picture of a map, drawn layer by layer, lowest first."""

    def __init__(self, view: View, background: Color) -> None:
        self._view = view
        self._image = Image.new("RGBA", (view.width, view.height), background)

    def picture(self, oversampling: int) -> Image.Image:
        """Return the finished picture, each pixel the mean of `oversampling` times as many in both directions."""
        return self._image.convert("RGB").reduce(oversampling)

    def draw_features(
        self, features: Iterable[tuple[Shape, Symbol]], projection: LayerProjection, opacity: float
    ) -> None:
        """Add a vector layer."""
        overlay = Image.new("RGBA", self._image.size, _NOTHING)
        draw = ImageDraw.Draw(overlay)
        for shape, symbol in self._projected(list(features), projection):
            for paint in symbol:
                _draw_shape(draw, shape, paint)
        self._add(overlay, opacity)

    def draw_raster(self, part: RasterPart, projection: LayerProjection, opacity: float) -> None:
        """Add a part of a raster layer, transformed to the map's coordinate system."""
        raster = Image.frombytes("RGBA", (part.width, part.height), part.rgba)
        mesh = self._mesh(part, projection)
        bent = raster.transform(self._image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
        self._add(bent, opacity)

    def _add(self, overlay: Image.Image, opacity: float) -> None:
        if opacity < 1:
            overlay.putalpha(overlay.getchannel("A").point([int(value * opacity) for value in range(256)]))
        self._image.alpha_composite(overlay)

    def _projected(
        self, features: Sequence[tuple[Shape, Symbol]], projection: LayerProjection
    ) -> Iterable[tuple[Shape, Symbol]]:
        """Yield all shapes in pixels. Their points are transformed all at once: one by one takes far longer."""
        points = [point for shape, _ in features for point in shape.coordinates()]
        places = iter(projection.to_map(points))

        def take(vertices: Sequence[Point]) -> list[Point]:
            return self._view.pixels([next(places) for _ in vertices])

        for shape, symbol in features:
            taken = take(shape.points), [take(line) for line in shape.lines]
            yield Shape(*taken, [[take(ring) for ring in rings] for rings in shape.polygons]), symbol

    def _mesh(
        self, part: RasterPart, projection: LayerProjection
    ) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
        xs = [self._view.width * step // _MESH_CELLS for step in range(_MESH_CELLS + 1)]
        ys = [self._view.height * step // _MESH_CELLS for step in range(_MESH_CELLS + 1)]
        mesh: list[tuple[tuple[int, int, int, int], tuple[float, ...]]] = []
        for left, right in pairwise(xs):
            for top, bottom in pairwise(ys):
                corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
                places = projection.to_layer([self._view.map_point(x, y) for x, y in corners])
                if all(x == x for x, _ in places):
                    mesh.append(((left, top, right, bottom), _pixels_of(part, places)))
        return mesh


def _pixels_of(part: RasterPart, places: Sequence[Point]) -> tuple[float, ...]:
    extent = part.extent
    across, down = part.width / (extent.xmax - extent.xmin), part.height / (extent.ymax - extent.ymin)
    return tuple(value for x, y in places for value in ((x - extent.xmin) * across, (extent.ymax - y) * down))


def _draw_shape(draw: ImageDraw.ImageDraw, shape: Shape, paint: Paint) -> None:
    width = max(1, round(paint.width * _PIXELS_PER_MM))
    if paint.is_marker:
        for x, y in shape.points:
            radius = max(2.0, paint.size * _PIXELS_PER_MM / 2)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), paint.fill, paint.stroke, width)
        return
    for rings in shape.polygons:
        _draw_polygon(draw, rings, paint, width)
    for line in shape.lines:
        if len(line) > 1:
            draw.line(line, paint.stroke or paint.fill, width, "curve")


def _draw_polygon(draw: ImageDraw.ImageDraw, rings: list[list[Point]], paint: Paint, width: int) -> None:
    for number, ring in enumerate(ring for ring in rings if len(ring) > 2):
        if paint.fill:
            draw.polygon(ring, paint.fill if number == 0 else _NOTHING)
        if paint.stroke:
            draw.line([*ring, ring[0]], paint.stroke, width)

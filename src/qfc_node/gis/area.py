"""The area that a package is limited to."""

from __future__ import annotations

from dataclasses import dataclass

from . import wkb
from .deltas.geometry import BadWktError, Kind, read_wkt
from .gdal import GdalError, Transformation
from .port import GisError
from .project import Project
from .sync_settings import setting, setting_is_on
from .wkb import Envelope

#: Pieces of an edge that is transformed.
_SEGMENTS = 100
_AREAS = (Kind.POLYGON, Kind.MULTIPOLYGON, Kind.CURVEPOLYGON, Kind.MULTISURFACE)


class AreaError(GisError):
    """The area of interest cannot be used; without it, a package would contain more data than intended."""


@dataclass(frozen=True)
class AreaOfInterest:
    """A rectangle and its coordinate system. Of a polygon, as QGIS and QField do, the rectangle around it counts."""

    bounds: Envelope
    crs: str

    def in_crs(self, crs: str) -> AreaFilter:
        """Return the area for layers in another coordinate system. Raises AreaError if it cannot be transformed."""
        if not (crs and self.crs and crs != self.crs):
            return AreaFilter(self.bounds)
        try:
            return AreaFilter(_transformed(self.bounds, Transformation(self.crs, crs)))
        except GdalError as error:
            raise AreaError(f"The area of interest cannot be transformed for all layers: {error}") from error


@dataclass(frozen=True)
class AreaFilter:
    """Selects geometries of one coordinate system: their bounding boxes must meet the area."""

    bounds: Envelope

    def meets(self, blob: bytes | None) -> bool:
        """Whether a GeoPackage geometry meets the area. A feature without geometry never does."""
        box = wkb.envelope(blob)
        return box is not None and _overlap(box, self.bounds)


def _transformed(bounds: Envelope, transformation: Transformation) -> Envelope:
    """Return the rectangle around a transformed one, whose straight edges become curves in the other system."""
    xmin, ymin, xmax, ymax = bounds
    steps = [step / _SEGMENTS for step in range(_SEGMENTS + 1)]
    xs, ys = ([low + (high - low) * step for step in steps] for low, high in ((xmin, xmax), (ymin, ymax)))
    edges = [*((x, y) for x in xs for y in (ymin, ymax)), *((x, y) for y in ys for x in (xmin, xmax))]
    points = transformation.points(edges)
    if any(x != x for x, _ in points):
        raise AreaError("The area of interest lies where a layer's coordinate system is not defined.")
    new_xs, new_ys = zip(*points, strict=True)
    return min(new_xs), min(new_ys), max(new_xs), max(new_ys)


def area_of_interest(project: Project) -> AreaOfInterest | None:
    """Return the area that limits the project's offline copies; None if everything is copied. Raises AreaError."""
    if not setting_is_on(project, "offlineCopyOnlyAoi"):
        return None
    if wkt := setting(project, "areaOfInterest"):
        return AreaOfInterest(_bounds(wkt), setting(project, "areaOfInterestCrs") or project.crs_definition)
    extent = project.extent
    if extent is None:
        raise AreaError("The project limits copies to its area of interest, but has neither an area nor an extent.")
    return AreaOfInterest((extent.xmin, extent.ymin, extent.xmax, extent.ymax), project.crs_definition)


def _bounds(wkt: str) -> Envelope:
    """Return the rectangle around a polygon. Raises AreaError."""
    try:
        geometry = read_wkt(wkt)
    except BadWktError as error:
        raise AreaError(f"The area of interest is not a geometry: '{wkt[:80]}'.") from error
    xs, ys = geometry.range_of(0), geometry.range_of(1)
    if geometry.kind not in _AREAS or xs is None or ys is None:
        raise AreaError(f"The area of interest is not a polygon: '{wkt[:80]}'.")
    return xs[0], ys[0], xs[1], ys[1]


def _overlap(one: Envelope, other: Envelope) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]

"""The area that a package is limited to."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from . import wkb
from .gdal import GdalError, Transformation
from .port import GisError
from .project import Project
from .wkb import Envelope

_SEGMENTS = 100


class AreaError(GisError):
    """The area of interest cannot be used; without it, more would be copied than is wanted."""


def _shapely() -> Any:
    """shapely, imported when an area is there to be looked at; its functions are typed for arrays only."""
    return importlib.import_module("shapely")


@dataclass(frozen=True)
class AreaOfInterest:
    """A polygon (WKT) and the coordinate system it is in."""

    wkt: str
    crs: str

    def in_crs(self, crs: str) -> AreaFilter:
        """The area for layers of another coordinate system. Raises AreaError when it cannot be brought there."""
        polygon = self.polygon()
        if crs and self.crs and crs != self.crs:
            try:
                polygon = _transformed(polygon, Transformation(self.crs, crs))
            except GdalError as error:
                raise AreaError(f"The area of interest cannot be laid over all layers: {error}") from error
        return AreaFilter(polygon)

    def polygon(self) -> Any:
        """The area as a shapely polygon. Raises AreaError."""
        shapely = _shapely()
        try:
            polygon = shapely.from_wkt(self.wkt)
        except shapely.errors.ShapelyError as error:
            raise AreaError(f"The area of interest is not a geometry: '{self.wkt[:80]}'.") from error
        if polygon is None or polygon.is_empty or polygon.geom_type not in ("Polygon", "MultiPolygon"):
            raise AreaError(f"The area of interest is not a polygon: '{self.wkt[:80]}'.")
        return polygon


class AreaFilter:
    """Tells which geometries of one coordinate system meet the area with their bounding box."""

    def __init__(self, polygon: Any) -> None:
        shapely = _shapely()
        xmin, ymin, xmax, ymax = polygon.bounds
        self._bounds: Envelope = (xmin, ymin, xmax, ymax)
        self._is_rectangle = bool(polygon.equals(shapely.box(*self._bounds)))
        self._box = shapely.box
        self._polygon = polygon
        shapely.prepare(polygon)

    def meets(self, blob: bytes | None) -> bool:
        """Whether a GeoPackage geometry does. A feature without geometry is nowhere, and so not there."""
        box = wkb.envelope(blob)
        if box is None or not _overlap(box, self._bounds):
            return False
        return self._is_rectangle or bool(self._polygon.intersects(self._box(*box)))


def _transformed(polygon: Any, transformation: Transformation) -> Any:
    """Straight edges bend on their way into the other system, so they get vertices to do so."""
    shapely = _shapely()
    dense = shapely.segmentize(polygon, polygon.length / _SEGMENTS)
    points = transformation.points([(x, y) for x, y in shapely.get_coordinates(dense).tolist()])
    if any(x != x for x, _ in points):
        raise AreaError("The area of interest lies where a layer's coordinate system is not defined.")
    return shapely.make_valid(shapely.set_coordinates(dense, points))


def area_of_interest(project: Project) -> AreaOfInterest | None:
    """The area that the project's offline copies are limited to; None when everything is copied. Raises AreaError."""
    entries = project.entries
    if not entries.flag("qfieldsync", "offlineCopyOnlyAoi"):
        return None
    if wkt := entries.text("qfieldsync", "areaOfInterest"):
        area = AreaOfInterest(wkt, entries.text("qfieldsync", "areaOfInterestCrs") or project.crs_definition)
        area.polygon()
        return area
    if project.extent is None:
        raise AreaError("Only the area of interest is to be copied, but the project has none and shows no extent.")
    return AreaOfInterest(str(project.extent), project.crs_definition)


def _overlap(one: Envelope, other: Envelope) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]

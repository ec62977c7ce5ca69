"""The area that a package is limited to."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from . import wkb
from .gdal import GdalError, Transformation
from .port import GisError
from .project import Project
from .sync_settings import setting, setting_is_on
from .wkb import Envelope

_SEGMENTS = 100


class AreaError(GisError):
    """The area of interest cannot be used; without it, a package would contain more data than intended."""


def _shapely() -> Any:
    """Return shapely, imported only if a project has an area; its functions are typed for arrays only."""
    return importlib.import_module("shapely")


@dataclass(frozen=True)
class AreaOfInterest:
    """A polygon (WKT) and its coordinate system."""

    wkt: str
    crs: str

    def in_crs(self, crs: str) -> AreaFilter:
        """Return the area for layers in another coordinate system. Raises AreaError if it cannot be transformed."""
        polygon = self.polygon()
        if crs and self.crs and crs != self.crs:
            try:
                polygon = _transformed(polygon, Transformation(self.crs, crs))
            except GdalError as error:
                raise AreaError(f"The area of interest cannot be transformed for all layers: {error}") from error
        return AreaFilter(polygon)

    def polygon(self) -> Any:
        """Return the area as a shapely polygon. Raises AreaError."""
        shapely = _shapely()
        try:
            polygon = shapely.from_wkt(self.wkt)
        except shapely.errors.ShapelyError as error:
            raise AreaError(f"The area of interest is not a geometry: '{self.wkt[:80]}'.") from error
        if polygon is None or polygon.is_empty or polygon.geom_type not in ("Polygon", "MultiPolygon"):
            raise AreaError(f"The area of interest is not a polygon: '{self.wkt[:80]}'.")
        return polygon


class AreaFilter:
    """Selects geometries of one coordinate system: their bounding boxes must meet the area."""

    def __init__(self, polygon: Any) -> None:
        shapely = _shapely()
        xmin, ymin, xmax, ymax = polygon.bounds
        self.bounds: Envelope = (xmin, ymin, xmax, ymax)
        self._is_rectangle = bool(polygon.equals(shapely.box(*self.bounds)))
        self._box = shapely.box
        self._polygon = polygon
        shapely.prepare(polygon)

    def meets(self, blob: bytes | None) -> bool:
        """Whether a GeoPackage geometry meets the area. A feature without geometry never does."""
        box = wkb.envelope(blob)
        if box is None or not _overlap(box, self.bounds):
            return False
        return self._is_rectangle or bool(self._polygon.intersects(self._box(*box)))


def _transformed(polygon: Any, transformation: Transformation) -> Any:
    """Transform a polygon. Straight edges become curves in the other system, so they get more vertices first."""
    shapely = _shapely()
    dense = shapely.segmentize(polygon, polygon.length / _SEGMENTS)
    points = transformation.points([(x, y) for x, y in shapely.get_coordinates(dense).tolist()])
    if any(x != x for x, _ in points):
        raise AreaError("The area of interest lies where a layer's coordinate system is not defined.")
    return shapely.make_valid(shapely.set_coordinates(dense, points))


def area_of_interest(project: Project) -> AreaOfInterest | None:
    """Return the area that limits the project's offline copies; None if everything is copied. Raises AreaError."""
    if not setting_is_on(project, "offlineCopyOnlyAoi"):
        return None
    if wkt := setting(project, "areaOfInterest"):
        area = AreaOfInterest(wkt, setting(project, "areaOfInterestCrs") or project.crs_definition)
        area.polygon()
        return area
    if project.extent is None:
        raise AreaError("The project limits copies to its area of interest, but has neither an area nor an extent.")
    return AreaOfInterest(str(project.extent), project.crs_definition)


def _overlap(one: Envelope, other: Envelope) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]

"""The QGIS project of a seed: no layers but base maps, a title and the view. Written by hand, without QGIS."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr  # nosec B406 -- writes texts into XML, parses nothing

FILE_NAME = "project.qgz"
CRS = "EPSG:3857"
#: Degrees: xmin, ymin, xmax, ymax.
WORLD = (-180.0, -90.0, 180.0, 90.0)
#: Half of the width of the world in metres, and the latitude where Web Mercator ends.
_HALF, _LAST_LATITUDE = 20037508.342789244, 85.0511287798
_OSM = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
_OSM_NAMES = {
    "standard": "OpenStreetMap (Standard)",
    "grayscale_light": "OpenStreetMap (Grayscale Light)",
    "grayscale_dark": "OpenStreetMap (Grayscale Dark)",
}
#: How QGIS names the colours: grey levels by lightness, and inverted ones.
_COLOURS = {"standard": (0, 0), "grayscale_light": (1, 0), "grayscale_dark": (1, 1)}
_WKT = (
    'PROJCS["WGS 84 / Pseudo-Mercator",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]],'
    'PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],'
    'PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","3857"]]'
)
_SYSTEM = (
    f"<spatialrefsys><wkt>{_WKT}</wkt>"
    "<proj4>+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m"
    " +nadgrids=@null +wktext +no_defs</proj4><srsid>3857</srsid><srid>3857</srid><authid>EPSG:3857</authid>"
    "<description>WGS 84 / Pseudo-Mercator</description><projectionacronym>merc</projectionacronym>"
    "<ellipsoidacronym>EPSG:7030</ellipsoidacronym><geographicflag>false</geographicflag></spatialrefsys>"
)
#: The moment of each member, so that equal seeds give equal files.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class BaseMap:
    """Tiles of the web under a project. `style`: a key of `_COLOURS`."""

    name: str
    url: str
    style: str


def base_maps(provider: str, style: str, url: str) -> list[BaseMap]:
    """Return the base maps of a seed, named as on the official server."""
    if provider == "osm":
        return [BaseMap(_OSM_NAMES[style], _OSM, style)]
    return [BaseMap("Basemap", url, style)] if provider == "custom" else []


def project_file(title: str, maps: Sequence[BaseMap], extent: Sequence[float]) -> bytes:
    """Return a .qgz with a project; `extent` in degrees."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        entry = zipfile.ZipInfo("project.qgs", _MOMENT)
        archive.writestr(entry, _project(title, maps, extent), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _project(title: str, maps: Sequence[BaseMap], extent: Sequence[float]) -> str:
    # QGIS replaces ids of up to ten characters.
    layers = [(f"seeded_basemap_{number}", each) for number, each in enumerate(maps, 1)]
    nodes = "".join(
        f"<layer-tree-layer id={quoteattr(name)} name={quoteattr(each.name)} providerKey='wms'"
        f" source={quoteattr(_source(each))} checked='Qt::Checked' expanded='1'/>"
        for name, each in layers
    )
    xmin, ymin, xmax, ymax = _in_metres(extent)
    view = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return (
        f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f"<qgis projectname={quoteattr(title)} version='3.22.0-Białowieża'><homePath path=''/>"
        f"<title>{escape(title)}</title><projectCrs>{_SYSTEM}</projectCrs>"
        f"<layer-tree-group>{nodes}<custom-order enabled='0'/></layer-tree-group>"
        f"<mapcanvas name='theMapCanvas'><units>meters</units><extent>{view}</extent><rotation>0</rotation>"
        f"<destinationsrs>{_SYSTEM}</destinationsrs></mapcanvas>"
        f"<projectlayers>{''.join(_layer(name, each) for name, each in layers)}</projectlayers>"
        "<properties><SpatialRefSys><ProjectionsEnabled type='int'>1</ProjectionsEnabled></SpatialRefSys>"
        "<Paths><Absolute type='bool'>false</Absolute></Paths></properties>"
        f"<ProjectViewSettings UseProjectScales='0'><DefaultViewExtent xmin='{xmin}' ymin='{ymin}' xmax='{xmax}'"
        f" ymax='{ymax}'>{_SYSTEM}</DefaultViewExtent></ProjectViewSettings></qgis>\n"
    )


def _layer(name: str, each: BaseMap) -> str:
    grey, inverted = _COLOURS[each.style]
    return (
        f"<maplayer type='raster'><id>{escape(name)}</id><datasource>{escape(_source(each))}</datasource>"
        f"<layername>{escape(each.name)}</layername><srs>{_SYSTEM}</srs><provider>wms</provider>"
        "<pipe><rasterrenderer type='singlebandcolordata' band='1' opacity='1' alphaBand='-1'/>"
        f"<huesaturation grayscaleMode='{grey}' invertColors='{inverted}' saturation='0' colorizeOn='0'/></pipe>"
        "</maplayer>"
    )


def _source(each: BaseMap) -> str:
    """Return the address of tiles as QGIS writes it: what separates its own parameters is encoded."""
    url = quote(each.url, safe=":/?=%@,;$!*'()~+")
    return f"type=xyz&tilePixelRatio=1&url={url}&zmax=19&zmin=0&crs=EPSG3857"


def _in_metres(extent: Sequence[float]) -> list[float]:
    """Return an extent of degrees in the units of the project, as far as these reach."""
    xmin, ymin, xmax, ymax = extent
    return [xmin * _HALF / 180, _northing(ymin), xmax * _HALF / 180, _northing(ymax)]


def _northing(latitude: float) -> float:
    limited = min(max(latitude, -_LAST_LATITUDE), _LAST_LATITUDE)
    return math.log(math.tan(math.pi / 4 + math.radians(limited) / 2)) * _HALF / math.pi

"""Rasters whose overviews, masks and descriptions name something outside the project."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from PIL import Image, TiffImagePlugin

from hostile_corpus.canaries import SIZE, Canaries
from hostile_corpus.case import Case, Place, project

_FULL = 2 * SIZE
_ITEM = '<GDALMetadata><Item name="OVERVIEW_FILE" domain="OVERVIEWS">{}</Item></GDALMetadata>'
_PAM = '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{}</MDI></Metadata></PAMDataset>'
_VRT = (
    '<VRTDataset rasterXSize="{size}" rasterYSize="{size}"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    '<SourceFilename relativeToVRT="0">{name}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>'
    "</VRTRasterBand></VRTDataset>"
)
_MRF = (
    '<MRF_META><Raster><Size x="{size}" y="{size}" c="1"/><PageSize x="{size}" y="{size}" c="1"/>'
    "<Compression>NONE</Compression><DataFile>{name}</DataFile><IndexFile>{index}</IndexFile></Raster></MRF_META>"
)
_WMS = (
    '<GDAL_WMS><Service name="TMS"><ServerUrl>{url}</ServerUrl></Service><DataWindow><UpperLeftX>7</UpperLeftX>'
    "<UpperLeftY>48</UpperLeftY><LowerRightX>10</LowerRightX><LowerRightY>46</LowerRightY><SizeX>1000</SizeX>"
    "<SizeY>1000</SizeY></DataWindow><BandsCount>1</BandsCount></GDAL_WMS>"
)


def picture(path: Path, description: str = "", size: int = _FULL) -> None:
    """A black GeoTIFF over the whole map; `description` is its tag 42112."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags[33922] = (3 / size, 2 / size, 0.0), (0.0, 0.0, 0.0, 7.0, 48.0, 0.0)
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    if description:
        tags[42112] = description
    Image.new("L", (size, size), 0).save(path, format="TIFF", tiffinfo=tags, compression="tiff_deflate")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _in_tag(place: Place, overview: str) -> None:
    picture(place.files / "a.tif", _ITEM.format(_escaped(overview)))
    project(place, "a.tif", raster=True)


def _in_pam(place: Place, overview: str) -> None:
    picture(place.files / "a.tif")
    (place.files / "a.tif.aux.xml").write_text(_PAM.format(_escaped(overview)))
    project(place, "a.tif", raster=True)


def _vrt(place: Place, name: str = "") -> str:
    path = place.files / "b.vrt"
    path.write_text(_VRT.format(size=SIZE, name=name or place.canaries.path("secret.tif")))
    return str(path)


def _mrf(place: Place) -> str:
    path, index = place.files / "b.mrf", place.files / "b.idx"
    path.write_text(_MRF.format(size=SIZE, name=place.canaries.path("raw.bin"), index=index))
    index.write_bytes(struct.pack(">QQ", 0, SIZE * SIZE))
    return str(path)


def _wms(place: Place) -> str:
    path = place.files / "b.xml"
    path.write_text(_WMS.format(url=place.canaries.url("${z}/${x}/${y}.png")))
    return str(path)


def _beside(place: Place, ending: str, content: str) -> None:
    picture(place.files / "a.tif")
    (place.files / f"a.tif{ending}").write_text(content)
    project(place, "a.tif", raster=True)


def _nested(place: Place) -> None:
    picture(place.files / "a.tif", size=2 * _FULL)
    picture(place.files / "a.tif.ovr", _ITEM.format(place.canaries.path("secret.tif")))
    project(place, "a.tif", raster=True)


def _remote(canaries: Canaries) -> str:
    flags = '<Metadata><MDI key="INTERNAL_MASK_FLAGS_1">2</MDI></Metadata><VRTRasterBand'
    return _VRT.format(size=_FULL, name=f"/vsicurl/{canaries.url('a.tif')}").replace("<VRTRasterBand", flags, 1)


def _as_source(place: Place, source: str) -> None:
    project(place, source, raster=True)


def _link(place: Place) -> None:
    (place.files / "a.tif").symlink_to(place.canaries.path("secret.tif"))
    (place.files / "a.tfw").write_text("0.003\n0\n0\n-0.002\n7\n48\n")
    project(place, "a.tif", raster=True)


def _linked_overview(place: Place) -> None:
    picture(place.files / "a.tif")
    (place.files / "a.tif.ovr").symlink_to(place.canaries.path("secret.tif"))
    project(place, "a.tif", raster=True)


def _huge(place: Place) -> None:
    (place.files / "a.asc").write_text(
        "ncols 1000000\nnrows 1000000\nxllcorner 7\nyllcorner 46\ncellsize 0.000003\nNODATA_value -1\n1 2 3\n"
    )
    project(place, "a.asc", raster=True)


def _database_of_tiles(place: Place) -> None:
    with closing(sqlite3.connect(place.files / "a.mbtiles")) as connection:
        connection.executescript(
            "CREATE TABLE metadata (name text, value text);"
            "INSERT INTO metadata VALUES ('format', 'png'), ('minzoom', '0'), ('maxzoom', '1');"
            "PRAGMA writable_schema = ON;"
            "INSERT INTO sqlite_master VALUES ('table', 'tiles', 'tiles', 0, 'CREATE VIRTUAL TABLE tiles USING"
            f" VirtualOGR(''CSV:{place.canaries.path('secret.csv')}'')');"
        )
        connection.commit()
    project(place, "a.mbtiles", raster=True)


_BOTH = ("drivers", "references")
CASES = [
    Case("overview in the tag: a VRT file", lambda p: _in_tag(p, _vrt(p)), _BOTH, ("report",)),
    Case("overview in the tag: VRT as text", lambda p: _in_tag(p, Path(_vrt(p)).read_text()), _BOTH, ("report",)),
    Case("overview in the tag: MRF with a foreign data file", lambda p: _in_tag(p, _mrf(p)), _BOTH, ("report",)),
    Case("overview in the tag: WMS", lambda p: _in_tag(p, _wms(p)), _BOTH, ("report",)),
    Case("overview in the tag: an address", lambda p: _in_tag(p, p.canaries.url("a.tif")), _BOTH, ("report",)),
    Case(
        "overview in the tag: /vsicurl/",
        lambda p: _in_tag(p, f"/vsicurl/{p.canaries.url('a.tif')}"),
        _BOTH,
        ("report",),
    ),
    Case(
        "overview in the tag: a foreign TIFF",
        lambda p: _in_tag(p, p.canaries.path("secret.tif")),
        ("references",),
        ("report",),
    ),
    Case(
        "overview in the tag: a directory of a foreign TIFF",
        lambda p: _in_tag(p, f"GTIFF_DIR:1:{p.canaries.path('secret.tif')}"),
        ("references",),
        ("report",),
    ),
    Case("overview in the PAM file: a VRT file", lambda p: _in_pam(p, _vrt(p)), _BOTH, ("report",)),
    Case("overview in the PAM file: MRF", lambda p: _in_pam(p, _mrf(p)), _BOTH, ("report",)),
    Case(
        "overview in the PAM file: a foreign TIFF",
        lambda p: _in_pam(p, p.canaries.path("secret.tif")),
        ("references",),
        ("report",),
    ),
    Case(
        "an .ovr that is a VRT",
        lambda p: _beside(p, ".ovr", Path(_vrt(p)).read_text()),
        _BOTH,
        ("report",),
    ),
    Case("an .msk that is a VRT of an address", lambda p: _beside(p, ".msk", _remote(p.canaries)), _BOTH, ("report",)),
    Case("an .ovr that names an overview", _nested, ("references",), ("report",)),
    Case("an .ovr that is a link", _linked_overview, ("references",), ("report",)),
    Case("a raster that is a link", _link, ("paths", "references")),
    Case("a raster of 10^12 pixels", _huge),
    Case("tiles that are a virtual table", _database_of_tiles, ("schema", "drivers"), is_real=False),
    Case("a VRT as the layer", lambda p: _as_source(p, Path(_vrt(p)).name), ("list",)),
    Case("VRT as text as the layer", lambda p: _as_source(p, Path(_vrt(p)).read_text()), ("list",)),
    Case("an address as the layer", lambda p: _as_source(p, f"/vsicurl/{p.canaries.url('a.tif')}"), ("list",)),
    Case("memory as the layer", lambda p: _as_source(p, "MEM:::DATAPOINTER=1,PIXELS=9,LINES=9"), ("list",)),
    Case(
        "a foreign TIFF as the layer", lambda p: _as_source(p, p.canaries.path("secret.tif")), ("paths",), is_real=False
    ),
    Case("a TIFF above the project", lambda p: _as_source(p, "../../outside/secret.tif"), ("paths",), is_real=False),
]

"""Rasters, and files beside them, that would cost much memory or time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hostile_corpus.bombs import LARGE, LAUGHS, LAUGHTER, deep, deep_system, many, tiff, wide_png, write, zeros
from hostile_corpus.case import Case, Place, project
from hostile_corpus.rasters import picture

_ACTIONS = ("report", "package")
_PLACE = "0.00002\n0\n0\n-0.00001\n7\n48\n"
_ITEM = '<Item name="k{}">v</Item>'
_BAND = '<PAMRasterBand band="1">{}</PAMRasterBand>'
_VALUES, _VALUE = "<Metadata>{}</Metadata>", '<MDI key="k{}">v</MDI>'
_POINT = '<GCP Id="{}" Pixel="1" Line="1" X="7" Y="46"/>'
_HISTOGRAM = (
    "<Histograms><HistItem><HistMin>0</HistMin><HistMax>9</HistMax><BucketCount>2000000000</BucketCount>"
    "<HistCounts>1|2</HistCounts></HistItem></Histograms>"
)
_TABLE = (
    '<GDALRasterAttributeTable><FieldDefn index="0"><Name>a</Name><Type>0</Type><Usage>0</Usage></FieldDefn>'
    '<Row index="2000000000"><F>1</F></Row></GDALRasterAttributeTable>'
)


def _beside(**parts: Callable[[], bytes | str]) -> Callable[[Place], None]:
    """A picture with files beside it."""

    def make(place: Place) -> None:
        picture(place.files / "a.tif", size=1000)
        write(place.files, **{ending: content() for ending, content in parts.items()})
        project(place, "a.tif", raster=True)

    return make


def _pam(content: Callable[[], str], before: str = "") -> Callable[[Place], None]:
    return _beside(tif_aux_xml=lambda: f"{before}<PAMDataset>{content()}</PAMDataset>")


def _tag(items: Callable[[], str]) -> Callable[[Place], None]:
    """A picture with GDAL's description in its tag."""

    def make(place: Place) -> None:
        picture(place.files / "a.tif", f"<GDALMetadata>{items()}</GDALMetadata>", size=1000)
        project(place, "a.tif", raster=True)

    return make


def _raster(name: str, content: Callable[[], bytes], **beside: str) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        (place.files / name).write_bytes(content())
        write(place.files, **beside)
        project(place, name, raster=True)

    return make


def _grid(lines: str) -> Callable[[Place], None]:
    """Raw pixels with a description in text."""
    head = "ENVI\ndata type = 1\ninterleave = bsq\nbyte order = 0\nmap info = {UTM, 1, 1, 7, 48, 0.1, 0.1}\n"
    return _raster("a.img", lambda: bytes(1000), hdr=f"{head}{lines}\n")


def _tiles(place: Place) -> None:
    with closing(sqlite3.connect(place.files / "a.mbtiles")) as connection:
        connection.executescript(
            "CREATE TABLE metadata (name text, value text);"
            "INSERT INTO metadata VALUES ('format', 'png'), ('minzoom', '0'), ('maxzoom', '0'),"
            " ('bounds', '-180,-85,180,85');"
            "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);"
        )
        connection.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", (wide_png(20_000),))
        connection.commit()
    project(place, Path("a.mbtiles").name, raster=True)


_MAKERS: dict[str, Callable[[Place], None]] = {
    "PAM: deep": _pam(deep),
    "PAM: entities of entities": _pam(lambda: f"<SRS>{LAUGHTER}</SRS>", LAUGHS),
    "PAM: many values": _pam(lambda: _VALUES.format(many(_VALUE))),
    "PAM: many values of a band": _pam(lambda: _BAND.format(_VALUES.format(many(_VALUE)))),
    "PAM: many domains": _pam(lambda: many('<Metadata domain="d{}"><MDI key="k">v</MDI></Metadata>')),
    "PAM: many points": _pam(lambda: f"<GCPList>{many(_POINT)}</GCPList>"),
    "PAM: a deep coordinate system": _pam(lambda: f"<SRS>{deep_system()}</SRS>"),
    "PAM: tables of great size": _pam(lambda: _BAND.format(_HISTOGRAM + _TABLE)),
    "overviews: compressed": _beside(tif_ovr=lambda: tiff(500, 200_000, zeros(100_000_000))),
    "overviews: without end": _beside(tif_ovr=lambda: tiff(500, 500, next_at=8)),
    "overviews: many": _beside(tif_ovr=lambda: tiff(500, 500, pages=60_000)),
    "overviews: of 10^18 pixels": _beside(tif_ovr=lambda: tiff(2**30, 2**30)),
    "mask: compressed": _beside(tif_msk=lambda: tiff(1000, 100_000, zeros(100_000_000))),
    "world file: large": _beside(tfw=lambda: "1\n" * LARGE),
    "tag: deep": _tag(deep),
    "a raster in one block": _raster("a.tif", lambda: tiff(2**17, 2**17, zeros(100_000_000)), tfw=_PLACE),
    "a raster of many directories": _raster("a.tif", lambda: tiff(10, 10, pages=60_000), tfw=_PLACE),
    "a picture that unpacks to very much": _raster("a.png", lambda: wide_png(20_000), pgw=_PLACE),
    "a tile that unpacks to very much": _tiles,
    "a raster of very many bands": _grid("samples = 1\nlines = 1\nbands = 2000000000"),
    "a raster of many bands": _grid("samples = 10\nlines = 10\nbands = 65000"),
}
CASES = [
    *(Case(name, make, actions=_ACTIONS) for name, make in _MAKERS.items()),
    Case("PAM: large", _pam(lambda: "x" * LARGE), actions=_ACTIONS, reason="'a.tif.aux.xml' has 12000"),
    Case(
        "tag: many values",
        _tag(lambda: many(_ITEM)),
        actions=_ACTIONS,
        reason="a description of 2",
    ),
    Case(
        "an overview's tag: many values",
        _beside(tif_ovr=lambda: _described(many(_ITEM))),
        actions=_ACTIONS,
        reason="'a.tif.ovr' has a description of 2",
    ),
    Case(
        "a raster with a large description",
        _grid(f"samples = 1\nlines = 1\nbands = 1\nx = {{{'a, ' * (LARGE // 3)}}}"),
        actions=_ACTIONS,
        reason="'a.hdr' has ",
    ),
]


def _described(items: str) -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        picture(Path(folder) / "a.tif", f"<GDALMetadata>{items}</GDALMetadata>", size=100)
        return (Path(folder) / "a.tif").read_bytes()

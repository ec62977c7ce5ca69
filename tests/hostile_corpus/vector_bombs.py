"""Vector files, and files beside them, that would cost much memory or time."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from hostile_corpus.bombs import DEEP, LARGE, LAUGHS, LAUGHTER, MANY, deep, deep_system, write
from hostile_corpus.case import Case, Place, delta, project

_EDITS = (delta("patch", "1", {"name": "changed"}),)
_BOX = struct.pack("<8d", 8, 47, 8, 47, 0, 0, 0, 0)


def shapefile() -> dict[str, bytes]:
    """A point, its index and its attributes."""
    record = struct.pack(">ii", 1, 10) + struct.pack("<idd", 1, 8.0, 47.0)
    return {"shp": _head(100 + len(record)) + record, "shx": _head(108) + struct.pack(">ii", 50, 10), "dbf": table(1)}


def _head(size: int) -> bytes:
    return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack("<ii", 1000, 1) + _BOX


def table(count: int) -> bytes:
    """Attributes of one feature; they say that there are `count`."""
    fields = b"".join(
        name.ljust(11, b"\0") + kind + b"\0" * 4 + b"\x0a\0" + b"\0" * 14
        for name, kind in ((b"fid", b"N"), (b"name", b"C"))
    )
    head = struct.pack("<BBBBIHH20x", 3, 24, 1, 1, count, 97, 21)
    return head + fields + b"\r" + b" " + b"1".rjust(10) + b"oak".ljust(10) + b"\x1a"


def _shapes(**parts: Callable[[], bytes | str]) -> Callable[[Place], None]:
    """A shapefile with some of its parts replaced."""

    def make(place: Place) -> None:
        write(place.files, **{**shapefile(), **{ending: content() for ending, content in parts.items()}})
        project(place, "./a.shp")

    return make


def _many_shapes(place: Place) -> None:
    """The index says that there are ten million; nothing else does."""
    _shapes(shx=lambda: _head(100 + 8 * 10**7) + struct.pack(">ii", 50, 10))(place)
    os.truncate(place.files / "a.shx", 100 + 8 * 10**7)


def _search_index() -> bytes:
    """An index whose nodes contain themselves."""
    node = struct.pack("<I4dII", 2**31 - 1, 0, 0, 90, 90, 1, 0) + struct.pack("<I", 4)
    return b"SQT\1\0\0\0\0" + struct.pack("<II", 1, 2**31 - 1) + node * 20_000


def _file(name: str, content: Callable[[], bytes | str], **beside: str) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        data = content()
        (place.files / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        write(place.files, **beside)
        project(place, f"./{name}", wkb_type="NoGeometry")

    return make


def _feature(value: str) -> str:
    start = '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"a":'
    return f"{start}{value}}}}}]}}"


def _workbook(sheet: str) -> bytes:
    """A spreadsheet as GDAL writes it, with this XML as its sheet."""
    from tempfile import TemporaryDirectory

    import numpy as np
    from pyogrio.raw import write as write_layer

    out = io.BytesIO()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        write_layer(path, None, [np.array(["oak"], object)], ["name"], driver="XLSX", geometry_type="Unknown")
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, sheet if name.startswith("xl/worksheets/sheet") else old.read(name))
    return out.getvalue()


def _sheet(rows: str, before: str = "") -> Callable[[], bytes]:
    return lambda: _workbook(f"{before}<worksheet><sheetData>{rows}</sheetData></worksheet>")


def _document(rows: str, before: str = "") -> Callable[[], bytes]:
    """A spreadsheet of LibreOffice with these rows."""

    def content() -> bytes:
        out = io.BytesIO()
        names = "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' xmlns:office='o' xmlns:text='t'"
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
            text = f"{before}<office:document-content {names}><office:body><office:spreadsheet><table:table"
            text += f" table:name='a'>{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
            archive.writestr("content.xml", text)
        return out.getvalue()

    return content


def _rows(rows: int, columns: int, value: str = "1") -> str:
    cell = f"<table:table-cell table:number-columns-repeated='{columns}' office:value-type='float' office:value='1'>"
    cell += f"<text:p>{value}</text:p></table:table-cell>"
    return f"<table:table-row table:number-rows-repeated='{rows}'>{cell}</table:table-row>"


def _blocks() -> str:
    """A drawing of blocks that consist of ten blocks each, ten deep."""
    blocks = ""
    for depth in range(10):
        inside = f"0\nINSERT\n8\n0\n2\nB{depth - 1}\n" * 10 if depth else "0\nPOINT\n8\n0\n10\n1\n20\n2\n"
        blocks += f"0\nBLOCK\n8\n0\n2\nB{depth}\n10\n0\n20\n0\n{inside}0\nENDBLK\n"
    sections = {"HEADER": "", "BLOCKS": blocks, "ENTITIES": "0\nINSERT\n8\n0\n2\nB9\n"}
    parts = (f"  0\nSECTION\n  2\n{name}\n{content}0\nENDSEC\n" for name, content in sections.items())
    return "".join(parts) + "  0\nEOF\n"


_CELL = "<row r='{0}'><c r='A{0}'><v>1</v></c></row>"
_MAKERS: dict[str, Callable[[Place], None]] = {
    "a deep coordinate system": _shapes(prj=deep_system),
    "a table of 4 billion rows": _shapes(dbf=lambda: table(2**32 - 1)),
    "an index of ten million shapes": _many_shapes,
    "a search index without end": _shapes(qix=_search_index),
    "an index of attributes: deep": _shapes(idm=deep),
    "many columns": _file("a.csv", lambda: ",".join(f"c{n}" for n in range(MANY)) + "\n" + "," * (MANY - 1) + "\n"),
    "one line": _file("a.csv", lambda: "name\n" + "x" * LARGE),
    "quotes without end": _file("a.csv", lambda: 'name\n"' + 'x"",\n' * (LARGE // 10)),
    "GeoJSON: deep": _file("a.geojson", lambda: '{"type":"FeatureCollection","features":' + "[" * 10**6),
    "GeoJSON: a deep value": _file("a.geojson", lambda: _feature("[" * DEEP + "]" * DEEP)),
    "KML: entities of entities": _file(
        "a.kml", lambda: f"{LAUGHS}<kml><Placemark><name>{LAUGHTER}</name></Placemark></kml>"
    ),
    "KML: deep": _file("a.kml", lambda: "<kml><Document>" + "<Folder>" * DEEP),
    "GPX: entities of entities": _file(
        "a.gpx", lambda: f"{LAUGHS}<gpx><wpt lat='1' lon='1'><name>{LAUGHTER}</name></wpt></gpx>"
    ),
    "a sheet: entities of entities": _file(
        "a.xlsx", _sheet(f"<row r='1'><c r='A1' t='str'><v>{LAUGHTER}</v></c></row>", LAUGHS)
    ),
    "a sheet of many rows": _file("a.xlsx", _sheet("".join(_CELL.format(n) for n in range(1, MANY)))),
    "a sheet with a distant cell": _file("a.xlsx", _sheet("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>")),
    "a document: entities of entities": _file("a.ods", _document(_rows(2, 2, LAUGHTER), LAUGHS)),
    "a document of repeated rows": _file("a.ods", _document(_rows(10**6, 1000))),
    "a document of repeated columns": _file("a.ods", _document(_rows(2, 2 * 10**9))),
}
_TOO_LARGE = {
    "blocks of blocks": (_file("a.dxf", _blocks), "'a.dxf' has blocks within blocks"),
    "a large coordinate system": (_shapes(prj=lambda: f'GEOGCS["{"x" * LARGE}"]'), "'a.prj' has 120000"),
    "a large encoding": (_shapes(cpg=lambda: "x" * LARGE), "'a.cpg' has 12000000 bytes"),
    "large types of columns": (_file("a.csv", lambda: "fid,name\n1,oak\n", csvt="String," * (LARGE // 7)), ""),
}
CASES = [
    *(Case(f"vector: {name}", make, deltas=_EDITS) for name, make in _MAKERS.items()),
    *(Case(f"vector: {name}", make, deltas=_EDITS, reason=reason) for name, (make, reason) in _TOO_LARGE.items()),
]

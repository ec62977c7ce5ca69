"""What a device may edit, the node can apply, to the same feature; all else is read-only, and the reason is said."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyogrio.raw
import pytest
import shapely

from delta_world import Row, write
from field_device import FieldDevice
from gis_samples import layer_xml, make_geopackage, point, write_project
from qfc_node.gis.wkb import strip_header

TREES = [Row(n, f"tree {n}", n * 10, None, f"POINT ({n} {n})") for n in (3, 7, 8)]
TEXT = "fid,name,height\n3,tree 3,30\n7,tree 7,70\n8,tree 8,80\n"
TEXT_AS = "file:./t.csv?geomType=none"

Make = Callable[[Path], str]


def by_gdal(name: str, driver: str | None = None, **options: Any) -> Make:
    """A file that GDAL writes; returns its datasource."""

    def make(folder: Path) -> str:
        write(folder / name, TREES, driver=driver, **options)
        return f"./{name}"

    return make


def by_hand(name: str, text: str, source: str | None = None) -> Make:
    """A file with that text."""

    def make(folder: Path) -> str:
        (folder / name).write_text(text)
        return source or f"./{name}"

    return make


def zipped(make: Make, prefix: str = "", member: str | None = None) -> Make:
    """What `make` writes, in a zip file with something else."""

    def make_zip(folder: Path) -> str:
        (folder / "unpacked").mkdir()
        name = make(folder / "unpacked").removeprefix("./")
        with zipfile.ZipFile(folder / "t.zip", "w") as archive:
            archive.writestr("readme.txt", "hello")
            for file in sorted((folder / "unpacked").iterdir()):
                archive.write(file, f"{prefix}{file.name}")
        shutil.rmtree(folder / "unpacked")
        return f"/vsizip/./t.zip/{prefix}{name}" if member is None else f"/vsizip/./t.zip{member}"

    return make_zip


def geojson(*features: dict[str, Any]) -> Make:
    """A collection of features, each with a place of its own."""
    made = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [n, n]}, **feature}
        for n, feature in enumerate(features)
    ]
    return by_hand("t.geojson", json.dumps({"type": "FeatureCollection", "features": made}))


def table(columns: str, *rows: tuple[object, ...], name: str = "t", statement: str = "") -> Make:
    """A table of a GeoPackage, and a further statement."""

    def make(folder: Path) -> str:
        make_geopackage(folder / "t.gpkg", "t", columns, rows, with_index=False)
        with closing(sqlite3.connect(folder / "t.gpkg")) as connection, connection:
            connection.execute(statement or "SELECT 1")
        return f"./t.gpkg|layername={name}"

    return make


def named(*keys: object, key: str = "fid") -> list[dict[str, Any]]:
    """Features whose property `key` has these values."""
    return [{"properties": {key: value, "name": f"old {value}"}} for value in keys]


def device_of(folder: Path, make: Make, provider: str = "ogr") -> FieldDevice:
    (folder / "files").mkdir()
    source = make(folder / "files")
    project = write_project(folder / "files", [layer_xml("t", source, provider=provider)])
    return FieldDevice(project, folder / "export")


def in_latin_1(text: str) -> Make:
    """A text file in another encoding than its layer says."""

    def make(folder: Path) -> str:
        (folder / "t.csv").write_bytes(text.encode("latin-1"))
        return TEXT_AS

    return make


ROWS = [(3, point(3, 3), "a"), (7, point(7, 7), "b")]
SPATIAL = "geom POINT, name TEXT"
EDITABLE: dict[str, tuple[Make, str]] = {
    "GeoPackage": (table(f"fid INTEGER PRIMARY KEY, {SPATIAL}", *ROWS), "ogr"),
    "GeoPackage, text": (table(f"code TEXT PRIMARY KEY, {SPATIAL}", ("x", None, "a"), ("y", None, "b")), "ogr"),
    "GeoPackage, fid": (table(f"FID INTEGER, {SPATIAL}", *ROWS), "ogr"),
    "SQLite": (by_gdal("t.sqlite", "SQLite", with_fid=False), "ogr"),
    "shapefile": (by_gdal("t.shp"), "ogr"),
    "FlatGeobuf": (by_gdal("t.fgb"), "ogr"),
    "GeoJSON": (by_gdal("t.geojson"), "ogr"),
    "GeoJSON, text": (geojson(*named("a", "b", "é ß")), "ogr"),
    "GeoJSON, whole reals": (geojson(*named(1.0, 2.0, 1e6)), "ogr"),
    "GeoJSON, texts of numbers": (geojson(*named("01", "1", "001")), "ogr"),
    "GeoJSON, numeric ids": (geojson(*({"id": n, "properties": {"name": "a"}} for n in (5, 9, 2))), "ogr"),
    "GeoJSON, ids of text": (geojson(*({"id": n, "properties": {"name": "a"}} for n in ("x5", "9a"))), "ogr"),
    "GeoJSON, fid and ids": (geojson(*({"id": n + 1, **each} for n, each in enumerate(named(0, 1, 2)))), "ogr"),
    "CSV of GDAL": (by_hand("t.csv", TEXT), "ogr"),
    "CSV of GDAL with geometries": (by_hand("t.csv", "fid,WKT,name\n1,POINT (1 2),a\n2,,b\n"), "ogr"),
    "TSV of GDAL": (by_hand("t.tsv", TEXT.replace(",", "\t")), "ogr"),
    "zipped shapefile": (zipped(by_gdal("t.shp"), "deep/"), "ogr"),
    "zipped shapefile without name": (zipped(by_gdal("t.shp"), member=""), "ogr"),
    "zipped GeoJSON": (zipped(by_gdal("t.geojson")), "ogr"),
    "zipped CSV": (zipped(by_hand("t.csv", TEXT)), "ogr"),
    "delimited text": (by_hand("t.csv", TEXT, TEXT_AS), "delimitedtext"),
}


@pytest.mark.parametrize("kind", EDITABLE)
def test_every_edit_that_a_device_may_make_arrives_at_its_feature(tmp_path: Path, kind: str) -> None:
    make, provider = EDITABLE[kind]
    device = device_of(tmp_path, make, provider)
    assert device.notes == ""
    layer = device.editable()["t"]
    rows = device.rows(layer)
    kept, last = rows[:-1], rows[-1]
    changes = [device.patch(layer, row, {"name": f"new {number}"}) for number, row in enumerate(kept)]
    report = device.send(*changes, device.remove(layer, last))
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * len(rows), report.outcomes
    seen = FieldDevice(tmp_path / "files/survey.qgs", tmp_path / "again")
    found = {row[layer.source_key]: row["name"] for row in seen.rows(seen.editable()["t"])}
    assert found == {row[layer.source_key]: f"new {number}" for number, row in enumerate(kept)}


@pytest.mark.parametrize("kind", EDITABLE)
def test_new_features_arrive_and_can_be_edited(tmp_path: Path, kind: str) -> None:
    make, provider = EDITABLE[kind]
    device = device_of(tmp_path, make, provider)
    layer = device.editable()["t"]
    (made,) = device.send(
        device.create(layer, 900, {"name": "made"}, "Point (1 2)" if layer.geometry else None)
    ).outcomes
    assert made.status == "applied", made.feedback
    seen = FieldDevice(tmp_path / "files/survey.qgs", tmp_path / "again")
    again = seen.editable()["t"]
    (row,) = [row for row in seen.rows(again) if row["name"] == "made"]
    assert str(row[layer.source_key]).removesuffix(".0") == made.modified_pk
    assert seen.send(seen.patch(again, row, {"name": "edited"})).outcomes[0].status == "applied"


ONE = '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"fid": 1}, "geometry": null}]}'
VIEW = "CREATE VIEW v AS SELECT * FROM t"
READ_ONLY: dict[str, tuple[Make, str, str]] = {
    "MapInfo": (by_gdal("t.tab", "MapInfo File"), "ogr", "convert the file to a GeoPackage"),
    "GeoJSONSeq": (by_gdal("t.geojsonl", "GeoJSONSeq"), "ogr", "convert the file to a GeoPackage"),
    "KML": (by_gdal("t.kml", "KML"), "ogr", "convert the file to a GeoPackage"),
    "view": (table(f"fid INTEGER PRIMARY KEY, {SPATIAL}", *ROWS, name="v", statement=VIEW), "ogr", "is a view"),
    "no key": (table(f"id INTEGER, {SPATIAL}", *ROWS), "ogr", "no primary key"),
    "key of two columns": (table(f"a INTEGER, {SPATIAL}, PRIMARY KEY (a, name)", *ROWS), "ogr", "Composite"),
    "key with a comma": (table(f'"a,b" INTEGER PRIMARY KEY, {SPATIAL}', *ROWS), "ogr", "contains a comma"),
    "shared fid": (table(f"fid INTEGER, {SPATIAL}", *ROWS, *ROWS), "ogr", "Several features"),
    "missing fid": (table(f"fid INTEGER, {SPATIAL}", *ROWS, (None, None, "c")), "ogr", "1 features"),
    "fid of reals": (table(f"fid REAL, {SPATIAL}", *ROWS), "ogr", "is a real number"),
    "property id": (geojson(*named(1, 2, 3, key="id")), "ogr", 'no field "fid"'),
    "shared property fid": (geojson(*named(1, 2, 1)), "ogr", "Several features"),
    "missing property fid": (geojson(*named(1, None, 2)), "ogr", "1 features"),
    "fid of fractions": (geojson(*named(1, 2.5)), "ogr", "1 features"),
    "fid of flags": (geojson(*named(True, False)), "ogr", "2 features"),
    "missing ids": (geojson({"id": 1, "properties": {"name": "a"}}, *named(1, key="n")), "ogr", "1 features"),
    "no features with a key": (geojson(), "ogr", 'no field "fid"'),
    "shapefile": (by_gdal("t.shp", with_fid=False), "ogr", 'no field "fid"'),
    "FlatGeobuf": (by_gdal("t.fgb", with_fid=False), "ogr", 'no field "fid"'),
    "CSV": (by_hand("t.csv", "name\na\n"), "ogr", 'no field "fid"'),
    "CSV with options": (by_hand("t.csv", TEXT, "./t.csv|option:X_POSSIBLE_NAMES=x"), "ogr", "X_POSSIBLE_NAMES"),
    "delimited text": (by_hand("t.csv", "name\na\n", TEXT_AS), "delimitedtext", 'no field "fid"'),
    "text with a regular expression": (by_hand("t.csv", TEXT, f"{TEXT_AS}&type=regexp"), "delimitedtext", "regexp"),
    "text with several separators": (by_hand("t.csv", TEXT, f"{TEXT_AS}&delimiter=,;"), "delimitedtext", "delimiter"),
    "name in another encoding": (in_latin_1("fid,größe\n1,2\n"), "delimitedtext", "line 1 of t.csv is not in the"),
    "value in another encoding": (in_latin_1("fid,n\n1,a\n2,ä\n"), "delimitedtext", "line 3 of t.csv is not in the"),
    "unknown encoding": (by_hand("t.csv", TEXT, f"{TEXT_AS}&encoding=x-y"), "delimitedtext", "x-y, which is unknown"),
    "names": (geojson({"properties": {"fid": 1, "Name": "a", "name": "b"}}), "ogr", "several fields called 'Name'"),
    "other types": (by_hand("t.geojson", ONE, "./t.geojson|geometrytype=Curve"), "ogr", "of the type Curve"),
    "virtual": (by_hand("x", ""), "virtual", "data of the provider 'virtual' cannot be copied"),
}


@pytest.mark.parametrize("kind", READ_ONLY)
def test_all_else_is_read_only_for_a_reason_that_is_said(tmp_path: Path, kind: str) -> None:
    make, provider, reason = READ_ONLY[kind]
    device = device_of(tmp_path, make, provider)
    assert device.editable() == {}
    assert device.layer("t").is_read_only
    assert device.notes.startswith("Layer 't' is read-only in the field: ")
    assert reason in device.notes


def test_fields_that_the_node_cannot_write_are_read_only(tmp_path: Path) -> None:
    columns = f"fid INTEGER PRIMARY KEY, {SPATIAL}, twice INTEGER AS (fid * 2)"
    device = device_of(tmp_path, table(columns))
    assert device.editable()["t"].fields == ("fid", "name")
    assert "Fields of layer 't' are read-only in the field: twice." in device.notes


def test_ids_of_text_beside_a_key_are_read_only(tmp_path: Path) -> None:
    """GDAL shows them as a field, which is no property."""
    device = device_of(tmp_path, geojson({"id": "x", "properties": {"fid": 1, "name": "a"}}))
    assert device.editable()["t"].fields == ("fid", "name")
    assert "read-only in the field: id." in device.notes


def shape(kind: str, *coordinates: object) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates[0] if len(coordinates) == 1 else coordinates}


RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
MIXED = {
    1: shape("Point", 1, 1),
    2: shape("Polygon", [RING]),
    3: shape("MultiPolygon", [[RING]]),
    4: None,
    5: shape("LineString", [[0, 0], [1, 1]]),
}


def mixed_geojson(folder: Path) -> str:
    features = [
        {"type": "Feature", "properties": {"fid": fid, "name": "old"}, "geometry": geometry}
        for fid, geometry in MIXED.items()
    ]
    (folder / "mixed.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return "./mixed.geojson"


def mixed_geopackage(folder: Path) -> str:
    wkts = {
        fid: None if geometry is None else shapely.from_geojson(json.dumps(geometry)).wkt
        for fid, geometry in MIXED.items()
    }
    rows = [Row(fid, "old", wkt=wkt) for fid, wkt in wkts.items()]
    write(folder / "mixed.gpkg", rows, "Unknown", with_fid=False, layer="mixed")
    return "./mixed.gpkg|layername=mixed"


@pytest.mark.parametrize("make", [mixed_geojson, mixed_geopackage])
def test_layers_of_one_file_by_geometry_type(tmp_path: Path, make: Make) -> None:
    (tmp_path / "files").mkdir()
    source = make(tmp_path / "files")
    kinds = {"points": "Point", "areas": "Polygon", "lines": "LineString25D", "all": ""}
    layers = [layer_xml(name, source + (f"|geometrytype={kind}" if kind else "")) for name, kind in kinds.items()]
    device = FieldDevice(write_project(tmp_path / "files", layers), tmp_path / "export")
    editable = device.editable()
    assert {name: [row["fid"] for row in device.rows(layer)] for name, layer in editable.items()} == {
        "points": [1],
        "areas": [2, 3],
        "lines": [5],
        "all": [1, 2, 3, 4, 5],
    }
    assert [device.geometry_type(editable[name]) for name in kinds if name != "all"] == [
        *("POINT", "MULTIPOLYGON", "LINESTRING")
    ]
    edits = [device.patch(editable[name], device.rows(editable[name])[0], {"name": name}) for name in kinds]
    assert [outcome.status for outcome in device.send(*edits, overwrite=True).outcomes] == ["applied"] * 4
    seen = FieldDevice(tmp_path / "files/survey.qgs", tmp_path / "again")
    found = {row["fid"]: row["name"] for row in seen.rows(seen.editable()["all"])}
    assert found == {1: "all", 2: "areas", 3: "old", 4: "old", 5: "lines"}


@pytest.mark.parametrize(
    ("kind", "wkt", "expected"),
    [
        ("Polygon", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON"),
        ("LineString", "LINESTRING (0 0, 1 1)", "MULTILINESTRING"),
        ("Point", "POINT (0 0)", "POINT"),
        ("MultiPoint", "MULTIPOINT ((0 0))", "MULTIPOINT"),
    ],
)
def test_shapefiles_take_multi_geometries(tmp_path: Path, kind: str, wkt: str, expected: str) -> None:
    """QGIS shows every shapefile of lines or areas as one of multi lines or areas."""

    def make(folder: Path) -> str:
        write(folder / "t.shp", [Row(1, "one", wkt=wkt)], kind)
        return "./t.shp"

    device = device_of(tmp_path, make)
    layer = device.editable()["t"]
    assert device.geometry_type(layer) == expected
    held = [shapely.from_wkb(strip_header(row["geom"])) for row in device.rows(layer)]
    assert {geometry.geom_type.upper() for geometry in held} == {expected}
    if expected in ("POINT", "MULTIPOINT"):
        return
    two = {
        "MULTIPOLYGON": "MultiPolygon (((0 0, 4 0, 4 4, 0 0)), ((10 10, 14 10, 14 14, 10 10)))",
        "MULTILINESTRING": "MultiLineString ((0 0, 1 1), (5 5, 6 6))",
    }[expected]
    assert device.send(device.create(layer, 9, {"name": "two"}, two)).outcomes[0].status == "applied"
    stored = pyogrio.raw.read(tmp_path / "files/t.shp")[2]
    assert shapely.from_wkb(stored[1]).equals(shapely.from_wkt(two))


def test_texts_that_are_longer_than_declared_are_edited(tmp_path: Path) -> None:
    """A GeoPackage enforces no width; files have longer texts."""
    rows = [(1, None, "longer than ten characters")]
    device = device_of(tmp_path, table("fid INTEGER PRIMARY KEY, geom POINT, name TEXT(10)", *rows))
    layer = device.editable()["t"]
    change = device.patch(layer, device.rows(layer)[0], {"name": "longer than ten characters, corrected"})
    assert device.send(change).outcomes[0].status == "applied"


def test_other_files_in_a_zip_file_stay(tmp_path: Path) -> None:
    device = device_of(tmp_path, zipped(by_gdal("t.shp"), "deep/"))
    path = tmp_path / "files/t.zip"
    before = contents(path)
    layer = device.editable()["t"]
    row = device.rows(layer)[0]
    assert device.send(device.patch(layer, row, {"name": row["name"]})).changed_files == frozenset()
    assert device.send(device.patch(layer, row, {"name": "new"})).changed_files == {"t.zip"}
    after = contents(path)
    assert [name for name in before if before[name] != after[name]] == ["deep/t.dbf"]
    assert list(after) == list(before)
    assert sorted(file.name for file in path.parent.iterdir()) == ["survey.qgs", "t.zip"]


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("damage", ["cut", "no zip", "other name", "no data", "two"])
def test_a_zip_file_without_the_layer(tmp_path: Path, damage: str) -> None:
    def make(folder: Path) -> str:
        source = zipped(by_gdal("t.shp"), member="" if damage in ("no data", "two") else None)(folder)
        path = folder / "t.zip"
        if damage in ("cut", "no zip"):
            path.write_bytes(path.read_bytes()[:50] if damage == "cut" else b"nothing")
        if damage in ("no data", "two"):
            with zipfile.ZipFile(path, "w") as archive:
                for name in ("a.shp", "b.shp") if damage == "two" else ("a.txt", "../x"):
                    archive.writestr(name, "x")
        return source.replace("/t.shp", "/u.shp") if damage == "other name" else source

    device = device_of(tmp_path, make)
    assert device.project.layer("t") is None
    assert "Layer 't' was left out: File " in device.notes

"""GDAL behind its C interface: the files that it may open, and copies of other formats."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gis_samples import layer_xml, trees, write_project
from qfc_node.gis import gdal_raster, gdal_vector
from qfc_node.gis.gdal import GdalError, Transformation
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import PackageReport
from qfc_node.gis.project import Extent

POINTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "fid": 5,
                "big": 2**53 + 1,
                "list": ["a", "b"],
                "day": "2024-02-29",
                "geom": "text",
                "moment": "2024-02-29T12:00:00Z",
                "flag": True,
                "object": {"x": 1},
                "number": 0.5,
            },
            "geometry": {"type": "Point", "coordinates": [7.1, 46.1, 300]},
        },
        {"type": "Feature", "properties": {"fid": 9, "big": None}, "geometry": None},
    ],
}


def package(folder: Path, layers: list[str], **parts: str) -> PackageReport:
    export = folder / "export"
    export.mkdir()
    files = folder / "files"
    return NativeEngine().package(write_project(files, layers, **parts), export, lambda _: None)


def rows(report: PackageReport, query: str) -> list[tuple[object, ...]]:
    path = next(file.path for file in report.files if file.name == "data.gpkg")
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "p.geojson").write_text(json.dumps(POINTS))
    return folder


def test_a_geojson_becomes_a_table_with_all_of_its_types(files: Path) -> None:
    report = package(files.parent, [layer_xml("p", "./p.geojson")])
    assert rows(report, "SELECT name, type FROM pragma_table_info('p')") == [
        ("fid_1", "INTEGER"),
        ("geom_1", "POINT"),
        ("fid", "MEDIUMINT"),
        ("big", "INTEGER"),
        ("list", "TEXT"),
        ("day", "DATE"),
        ("geom", "TEXT"),
        ("moment", "DATETIME"),
        ("flag", "BOOLEAN"),
        ("object", "TEXT"),
        ("number", "REAL"),
    ]
    first, second = rows(report, "SELECT fid, big, list, day, moment, flag, number FROM p ORDER BY fid")
    assert first == (5, 2**53 + 1, '[ "a", "b" ]', "2024-02-29", "2024-02-29T12:00:00.000Z", 1, 0.5)
    assert second == (9, None, None, None, None, None, None)
    assert rows(report, "SELECT srs_id, z FROM gpkg_geometry_columns") == [(4326, 1)]
    assert rows(report, "SELECT count(*) FROM rtree_p_geom_1") == [(1,)]


def test_filters_and_areas_hold_for_other_formats_too(files: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"fid": n}, "geometry": {"type": "Point", "coordinates": [7 + n / 10, 46]}}
        for n in range(1, 6)
    ]
    (files / "p.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    settings = (
        "<qfieldsync><areaOfInterest>Polygon ((7 45, 7.35 45, 7.35 47, 7 47, 7 45))</areaOfInterest>"
        "<offlineCopyOnlyAoi>1</offlineCopyOnlyAoi></qfieldsync>"
    )
    layers = [layer_xml("a", "./p.geojson|subset=fid > 1"), layer_xml("b", "./p.geojson|subset=fid > 2")]
    report = package(files.parent, layers, properties=settings)
    assert rows(report, "SELECT fid FROM p ORDER BY 1") == [(2,), (3,)]
    assert rows(report, "SELECT rtreecheck('rtree_p_geom')") == [("ok",)]


def test_a_key_that_is_no_field_becomes_one(files: Path) -> None:
    with closing(sqlite3.connect(files / "s.sqlite")) as connection, connection:
        connection.executescript("CREATE TABLE s (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO s VALUES (17, 'a')")
    report = package(files.parent, [layer_xml("s", "./s.sqlite|layername=s", wkb_type="NoGeometry", crs="")])
    assert report.layers_before["s"]["qfc_source_data_pk_name"] == "id"
    assert rows(report, "SELECT id, name FROM s") == [(17, "a")]


def test_a_text_file_with_a_key_is_edited_offline(files: Path) -> None:
    (files / "t.csv").write_text("fid;wkt;name\n3;POINT (7 46);a\n4;;b\n")
    source = "file:./t.csv?type=csv&delimiter=;&wktField=wkt&crs=EPSG:4326"
    report = package(files.parent, [layer_xml("t", source, provider="delimitedtext")])
    assert rows(report, "SELECT fid, name, geom IS NULL FROM t ORDER BY 1") == [(3, "a", 0), (4, "b", 1)]
    assert rows(report, "SELECT name FROM pragma_table_info('t')") == [("fid_1",), ("geom",), ("fid",), ("name",)]
    assert report.notes == ()


def test_text_files_that_only_qgis_reads_right_stay_what_they_are(files: Path) -> None:
    (files / "t.csv").write_text("comment\nfid,x,y\n1,7,46\n")
    source = "file:./t.csv?type=csv&skipLines=1&xField=x&yField=y"
    report = package(files.parent, [layer_xml("t", source, provider="delimitedtext")])
    assert report.layers_after["t"]["filename"] == "t.csv"
    assert "t.csv" in [file.name for file in report.files]


@pytest.mark.parametrize("name", ["evil.geojson", "evil.shp", "evil.fgb", "evil.sqlite", "evil.kml"])
def test_a_file_cannot_choose_its_driver(files: Path, name: str) -> None:
    trees(files / "secret.gpkg")
    virtual = f"<OGRVRTDataSource><OGRVRTLayer name='trees'><SrcDataSource>{files}/secret.gpkg</SrcDataSource>"
    (files / name).write_text(f"{virtual}</OGRVRTLayer></OGRVRTDataSource>")
    with pytest.raises(GdalError) as raised, gdal_vector.open_layer(files / name):
        pass
    assert str(files) not in str(raised.value)


def test_a_raster_cannot_choose_its_driver(files: Path) -> None:
    (files / "evil.tif").write_text(f"<VRTDataset rasterXSize='1' rasterYSize='1'>{files}</VRTDataset>")
    with pytest.raises(GdalError):
        gdal_raster.read_part(files / "evil.tif", Extent(0, 0, 1, 1), 10)


def test_coordinates_come_east_before_north() -> None:
    transformation = Transformation("EPSG:2056", "EPSG:4326")
    ((x, y),) = transformation.points([(2600000, 1200000)])
    assert (x, y) == pytest.approx((7.4386, 46.9511), abs=1e-3)
    ((x, y),) = Transformation("EPSG:4326", "EPSG:3857").points([(0, 91)])
    assert math.isnan(x)
    assert math.isnan(y)


def test_unknown_coordinate_systems() -> None:
    with pytest.raises(GdalError, match="Unknown coordinate system 'EPSG:999999'"):
        Transformation("EPSG:4326", "EPSG:999999")


def test_a_geopackage_project_loads_no_heavy_library(files: Path) -> None:
    trees(files / "trees.gpkg")
    project = write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")])
    script = (
        "import sys; from pathlib import Path; from qfc_node.gis.native import NativeEngine;"
        f"NativeEngine().package(Path({str(project)!r}), Path({str(files)!r}), print);"
        "print([name for name in ('numpy', 'shapely', 'pyproj', 'pyogrio', 'PIL', 'django') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.splitlines()[-1] == "[]"

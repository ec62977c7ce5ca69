"""Packages: their content, and their information for devices."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gis_samples import WGS84, layer_xml, make_geopackage, point, project_xml, square, trees, write_project
from qfc_node.gis import gdal_vector
from qfc_node.gis.datasource import FileSource
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import GisError, PackageReport
from qfc_node.gis.project import Layer, Project

Rows = list[tuple[object, ...]]


@dataclass
class Package:
    """A package as a device would find it."""

    report: PackageReport
    project: Project

    @property
    def names(self) -> list[str]:
        return [file.name for file in self.report.files]

    def layer(self, layer_id: str) -> Layer:
        found = self.project.layer(layer_id)
        assert found is not None
        return found

    def sql(self, query: str) -> Rows:
        path = next(file.path for file in self.report.files if file.name == "data.gpkg")
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()


Pack = Callable[[Path], Package]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    def run(project_file: Path) -> Package:
        export = tmp_path / "export"
        export.mkdir()
        report = NativeEngine().package(project_file, export, lambda _: None)
        qgs = next(file.path for file in report.files if file.name.endswith("_qfield.qgs"))
        return Package(report, Project.read(qgs))

    return run


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def test_a_package_of_one_layer(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    package = pack(write_project(files, [layer_xml("t_1", "./trees.gpkg|layername=trees")]))
    assert package.names == ["data.gpkg", "survey_qfield.qgs", "survey_qfield_attachments.zip"]
    assert package.sql("SELECT * FROM trees ORDER BY 1") == [
        (1, point(7.1, 46.1), 1, "tree 1", 1.5),
        (2, point(7.2, 46.2), 2, "tree 2", 3.0),
        (3, point(7 + 3 / 10, 46 + 3 / 10), 3, "tree 3", 4.5),
    ]
    columns = [(row[1], row[2]) for row in package.sql("PRAGMA table_info(trees)")]
    assert columns == [
        ("fid_1", "INTEGER"),
        ("geom", "POINT"),
        ("fid", "INTEGER"),
        ("name", "TEXT(40)"),
        ("height", "REAL"),
    ]
    layer = package.layer("t_1")
    assert layer.datasource == "./data.gpkg|layername=trees"
    assert dict(layer.custom_properties) == {
        "isOfflineEditable": "true",
        "remoteSource": "./trees.gpkg|layername=trees",
        "remoteProvider": "ogr",
        "remoteLayerId": "t_1",
        "layerNameSuffix": "",
        "QFieldSync/remoteLayerId": "t_1",
        "QFieldSync/sourceDataPrimaryKeys": "fid",
    }
    assert not layer.is_read_only
    assert package.report.layers_before["t_1"]["filename"] == "trees.gpkg"
    assert package.report.layers_after["t_1"]["filename"] == "data.gpkg"
    assert package.report.layers_after["t_1"]["qfc_source_data_pk_name"] == "fid_1"


def test_the_index_and_the_contents_of_the_copy_are_right(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg", 500)
    package = pack(write_project(files, [layer_xml("t_1", "./trees.gpkg|layername=trees")]))
    assert package.sql("SELECT rtreecheck('rtree_trees_geom')") == [("ok",)]
    assert package.sql("SELECT count(*) FROM rtree_trees_geom WHERE minx > 10") == [(470,)]
    assert package.sql("PRAGMA integrity_check") == [("ok",)]
    assert package.sql("SELECT data_type, srs_id, round(min_x, 3), round(max_x, 3) FROM gpkg_contents") == [
        ("features", 4326, 7.1, 57.0)
    ]
    assert package.sql("SELECT feature_count FROM gpkg_ogr_contents") == [(500,)]


@pytest.mark.parametrize("with_index", [True, False])
def test_missing_empty_and_three_dimensional_geometries(files: Path, pack: Pack, with_index: bool) -> None:
    empty = b"GP\0\x11" + (4326).to_bytes(4, "little") + bytes([1, 1, 0, 0, 0]) + b"\0\0\0\0\0\0\xf8\x7f" * 2
    rows = [(1, point(7, 46, 5, 6, kind=3001)), (2, None), (3, empty), (4, point(8, 47, 1, 2, kind=3001))]
    columns = "fid INTEGER PRIMARY KEY, geom POINT"
    make_geopackage(files / "p.gpkg", "p", columns, rows, dimensions=(1, 1), with_index=with_index)
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p")]))
    assert package.sql("SELECT fid_1, geom FROM p ORDER BY 1") == rows
    assert package.sql("SELECT id FROM rtree_p_geom ORDER BY 1") == [(1,), (4,)]
    assert package.sql("SELECT z, m FROM gpkg_geometry_columns") == [(1, 1)]


@pytest.mark.parametrize(
    ("declared", "keys"),
    [("code TEXT", ("'b'", "'a'")), ("code INT", ("2", "1")), ("code BIGINT", ("700", "2"))],
)
def test_an_index_by_row_numbers_is_not_copied_for_rows_that_get_other_numbers(
    files: Path, pack: Pack, declared: str, keys: tuple[str, str]
) -> None:
    """The key is not the row's number, by which the source's R-tree identifies features; the first row is gone."""
    make_geopackage(files / "p.gpkg", "p", f"{declared} PRIMARY KEY, fid INTEGER, geom POINT", [], with_index=False)
    statements = (
        *(f"INSERT INTO p VALUES ({key}, {fid}, x'{point(fid, fid).hex()}')" for fid, key in enumerate(("0", *keys))),
        "DELETE FROM p WHERE fid = 0",
        "CREATE VIRTUAL TABLE rtree_p_geom USING rtree(id, minx, maxx, miny, maxy)",
        "INSERT INTO rtree_p_geom SELECT rowid, fid, fid, fid, fid FROM p",
    )
    with closing(sqlite3.connect(files / "p.gpkg", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p")]))
    entries = "SELECT p.fid, r.minx, r.maxy FROM p LEFT JOIN rtree_p_geom r ON r.id = p.fid_1 ORDER BY 1"
    assert package.sql(entries) == [(1, 1.0, 1.0), (2, 2.0, 2.0)]


def test_types_of_fields_stay(files: Path, pack: Pack) -> None:
    columns = (
        "fid INTEGER PRIMARY KEY, geom POINT, small MEDIUMINT, big INTEGER, flag BOOLEAN, day DATE, moment DATETIME,"
        " number REAL, short TEXT(5), picture BLOB, list TEXT"
    )
    row = (7, None, 1, 2**60 + 1, 1, "2024-02-29", "2024-02-29T12:00:00.000Z", 0.1, "é", b"\0\1", '["a", "b"]')
    make_geopackage(files / "p.gpkg", "p", columns, [row])
    with closing(sqlite3.connect(files / "p.gpkg")) as connection, connection:
        entry = ("p", "list", "application/json")
        connection.execute("INSERT INTO gpkg_data_columns (table_name, column_name, mime_type) VALUES (?, ?, ?)", entry)
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p")]))
    assert package.sql("SELECT * FROM p") == [(7, None, 7, *row[2:])]
    types = [row[2] for row in package.sql("PRAGMA table_info(p)")]
    assert types == [
        *("INTEGER", "POINT", "INTEGER", "MEDIUMINT", "INTEGER", "BOOLEAN", "DATE", "DATETIME", "REAL"),
        *("TEXT(5)", "BLOB", "TEXT"),
    ]
    assert package.sql("SELECT column_name, mime_type FROM gpkg_data_columns") == [("list", "application/json")]


def test_a_table_without_geometry(files: Path, pack: Pack) -> None:
    make_geopackage(files / "p.gpkg", "p", "id INTEGER PRIMARY KEY, name TEXT", [(3, "a")], geometry=None)
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p", wkb_type="NoGeometry")]))
    assert package.sql("SELECT fid, id, name FROM p") == [(3, 3, "a")]
    assert package.sql("SELECT data_type FROM gpkg_contents") == [("attributes",)]


def test_layers_of_one_source_share_a_table(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg", 6)
    source = "./trees.gpkg|layername=trees|subset="
    package = pack(
        write_project(files, [layer_xml("low", f'{source}"height" < 3'), layer_xml("high", f"{source}height > 7.5")])
    )
    assert package.sql("SELECT fid FROM trees ORDER BY 1") == [(1,), (6,)]
    assert package.layer("low").datasource == './data.gpkg|layername=trees|subset="height" < 3'
    assert package.layer("high").datasource == "./data.gpkg|layername=trees|subset=height > 7.5"


def test_one_layer_without_filter_brings_everything(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg", 6)
    source = "./trees.gpkg|layername=trees"
    package = pack(write_project(files, [layer_xml("a", source), layer_xml("b", f"{source}|subset=fid = 1")]))
    assert package.sql("SELECT count(*) FROM trees") == [(6,)]


def test_a_filter_that_is_a_query(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg", 6)
    trees(files / "more.gpkg", 2)
    query = "./{}.gpkg|layername=trees|subset=SELECT * FROM trees WHERE fid = 1"
    layers = [layer_xml("a", query.format("trees")), layer_xml("b", query.format("more"))]
    package = pack(write_project(files, layers))
    assert package.layer("a").datasource == "./data.gpkg|layername=trees|subset=SELECT * FROM trees WHERE fid = 1"
    assert package.layer("b").source == FileSource(
        package.project.folder / "more.gpkg", "trees", subset="SELECT * FROM trees WHERE fid = 1"
    )
    assert package.layer("b").is_read_only
    assert "more.gpkg" in package.names


def test_tables_of_the_same_name_are_kept_apart(files: Path, pack: Pack) -> None:
    for name in ("north", "south"):
        trees(files / f"{name}.gpkg", len(name))
    layers = [layer_xml(name, f"./{name}.gpkg|layername=trees") for name in ("north", "south")]
    package = pack(write_project(files, layers))
    assert package.layer("south").datasource == "./data.gpkg|layername=trees_1"
    assert package.sql("SELECT table_name FROM gpkg_contents") == [("trees",), ("trees_1",)]


def test_coordinate_systems_of_the_same_number_are_kept_apart(files: Path, pack: Pack) -> None:
    """Numbers above 100 000 are given by the user's computer, so two files may mean two systems by one."""
    for name in ("north", "south", "west"):
        trees(files / f"{name}.gpkg")
    with closing(sqlite3.connect(files / "south.gpkg")) as connection, connection:
        connection.execute(
            "UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', definition = 'a site' WHERE srs_id = 4326"
        )
    layers = [layer_xml(name, f"./{name}.gpkg|layername=trees") for name in ("north", "south", "west")]
    package = pack(write_project(files, layers))
    assert package.sql("SELECT srs_id FROM gpkg_geometry_columns ORDER BY rowid") == [(4326,), (100001,), (4326,)]
    systems = "SELECT organization, definition FROM gpkg_spatial_ref_sys WHERE srs_id > 0 ORDER BY srs_id"
    assert package.sql(systems) == [("EPSG", WGS84), ("NONE", "a site")]


@pytest.mark.parametrize("page_size", [512, 1024])
def test_an_index_with_small_pages_becomes_one_that_can_be_edited(files: Path, pack: Pack, page_size: int) -> None:
    trees(files / "trees.gpkg", 500)
    statements = (
        f"PRAGMA page_size = {page_size}",
        "VACUUM",
        "DROP TABLE rtree_trees_geom",
        "CREATE VIRTUAL TABLE rtree_trees_geom USING rtree(id, minx, maxx, miny, maxy)",
        "INSERT INTO rtree_trees_geom"
        " SELECT fid, 7 + fid / 10.0, 7 + fid / 10.0, 46 + fid / 10.0, 46 + fid / 10.0 FROM trees",
    )
    with closing(sqlite3.connect(files / "trees.gpkg", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    package = pack(write_project(files, [layer_xml("t_1", "./trees.gpkg|layername=trees")]))
    assert package.sql("SELECT rtreecheck('rtree_trees_geom')") == [("ok",)]
    assert package.sql("SELECT count(*) FROM rtree_trees_geom WHERE minx > 10") == [(470,)]
    assert package.sql("SELECT length(data) FROM rtree_trees_geom_node LIMIT 1") == [(1228,)]


RECTANGLE = "Polygon ((7.05 46, 7.25 46, 7.25 47, 7.05 47, 7.05 46))"


@pytest.mark.parametrize(
    ("copy_only", "area", "expected"),
    [
        ("1", RECTANGLE, [1, 2, 3]),
        ("0", RECTANGLE, [1, 2, 3, 4, 5]),
        # A triangle that point 2 is not in, but the rectangle around it counts.
        ("1", "Polygon ((7 46, 7.25 46, 7 46.25, 7 46))", [1, 2, 3]),
        # Without an area, the extent of the project counts.
        ("1", "", [1, 2, 3]),
    ],
)
def test_only_the_area_of_interest(files: Path, pack: Pack, copy_only: str, area: str, expected: list[int]) -> None:
    rows = [(1, point(7.1, 46.1)), (2, point(7.2, 46.2)), (3, square(6, 45, 2)), (4, point(0, 0)), (5, None)]
    make_geopackage(files / "p.gpkg", "p", "fid INTEGER PRIMARY KEY, geom GEOMETRY", rows, geometry="GEOMETRY")
    settings = (
        f"<qfieldsync><areaOfInterest type='QString'>{area}</areaOfInterest>"
        "<areaOfInterestCrs type='QString'>EPSG:4326</areaOfInterestCrs>"
        f"<offlineCopyOnlyAoi type='int'>{copy_only}</offlineCopyOnlyAoi></qfieldsync>"
    )
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p")], properties=settings))
    assert [row[0] for row in package.sql("SELECT fid FROM p ORDER BY 1")] == expected
    assert package.sql("SELECT rtreecheck('rtree_p_geom')") == [("ok",)]
    assert [row[0] for row in package.sql("SELECT id FROM rtree_p_geom ORDER BY 1")] == [n for n in expected if n != 5]


def test_an_area_in_another_coordinate_system(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg", 4)
    # EPSG:3857 for (7.05 46.05, 7.25 46.25).
    settings = (
        "<qfieldsync><areaOfInterest>Polygon ((784802 5788633, 807066 5788633, 807066 5820798, 784802 5820798,"
        " 784802 5788633))</areaOfInterest><areaOfInterestCrs>EPSG:3857</areaOfInterestCrs>"
        "<offlineCopyOnlyAoi>1</offlineCopyOnlyAoi></qfieldsync>"
    )
    package = pack(write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")], properties=settings))
    assert package.sql("SELECT fid FROM trees ORDER BY 1") == [(1,), (2,)]


def test_an_area_that_is_none(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    area = "<areaOfInterest>here</areaOfInterest><offlineCopyOnlyAoi>1</offlineCopyOnlyAoi>"
    settings = f"<qfieldsync>{area}</qfieldsync>"
    with pytest.raises(GisError, match="area of interest"):
        pack(write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")], properties=settings))


def test_layers_without_a_key_are_read_only(files: Path, pack: Pack) -> None:
    make_geopackage(files / "k.gpkg", "k", "id TEXT, geom POINT", [("a", None)], with_index=False)
    package = pack(write_project(files, [layer_xml("k", "./k.gpkg|layername=k")]))
    layer = package.layer("k")
    assert layer.is_read_only
    assert layer.custom_properties["QFieldSync/unsupported_source_pk"] == "1"
    assert layer.datasource == "./k.gpkg|layername=k"
    assert "k.gpkg" in package.names
    assert "data.gpkg" not in package.names
    assert "no primary key" in package.report.notes[0]
    assert package.report.layers_after["k"]["qfs_unsupported_source_pk"] == "1"


def test_invalid_layers_are_left_out_and_empty_groups_go(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    layers = [
        layer_xml("good", "./trees.gpkg|layername=trees"),
        layer_xml("bad", "./gone.gpkg|layername=a", name="Gone"),
        layer_xml("unwanted", "./trees.gpkg|layername=trees", properties={"QFieldSync/cloud_action": "remove"}),
    ]
    tree = (
        "<layer-tree-group name='g'><layer-tree-group name='inner'><layer-tree-layer id='bad'/></layer-tree-group>"
        "</layer-tree-group><layer-tree-group name='kept'><layer-tree-layer id='good'/>"
        "<layer-tree-layer id='unwanted'/></layer-tree-group>"
    )
    package = pack(write_project(files, layers, tree=tree))
    assert [layer.id for layer in package.project.layers] == ["good"]
    groups = [group.get("name") for group in package.project.root.iter("layer-tree-group")]
    assert groups == [None, "kept"]
    assert package.report.notes == (
        "Layer 'Gone' was left out: File 'gone.gpkg' missing.",
        "Layer 'unwanted' was left out: its settings say so.",
    )
    assert set(package.report.layers_before) == {"good", "bad", "unwanted"}
    assert set(package.report.layers_after) == {"good"}


def test_localized_layers_stay_as_they_are(files: Path, pack: Pack) -> None:
    package = pack(write_project(files, [layer_xml("l", "localized:base.gpkg|layername=a")]))
    assert package.layer("l").datasource == "localized:base.gpkg|layername=a"
    assert package.names == ["survey_qfield.qgs", "survey_qfield_attachments.zip"]


@pytest.mark.parametrize("action", ["no_action", "copy", "keep_existent"])
def test_layers_that_stay_on_their_source(files: Path, pack: Pack, action: str) -> None:
    trees(files / "trees.gpkg")
    xml = layer_xml("t", "./trees.gpkg|layername=trees", properties={"QFieldSync/cloud_action": action})
    package = pack(write_project(files, [xml]))
    assert package.layer("t").datasource == "./trees.gpkg|layername=trees"
    assert not package.layer("t").is_read_only
    assert package.names == ["survey_qfield.qgs", "survey_qfield_attachments.zip", "trees.gpkg"]


def test_the_cable_setting_counts_where_there_is_no_cloud_setting(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    xml = layer_xml("t", "./trees.gpkg|layername=trees", properties={"QFieldSync/action": "no_action"})
    assert "trees.gpkg" in pack(write_project(files, [xml])).names


def test_databases_and_services_are_not_copied(files: Path, pack: Pack) -> None:
    database = layer_xml("d", "service='s' key='id' table=\"t\" (geom) sql=", provider="mssql")
    package = pack(write_project(files, [database, layer_xml("w", "url='https://example.org'", provider="WFS")]))
    assert package.layer("d").is_read_only
    assert "QFieldSync/unsupported_source_pk" not in package.layer("d").custom_properties
    assert package.layer("w").custom_properties["QFieldSync/unsupported_source_pk"] == "1"


def test_rasters_travel_with_their_sidecars_and_pictures_too(files: Path, pack: Pack) -> None:
    wanted = ["map.tif", "map.tfw", "map.tif.aux.xml", "map.tif.ovr", "svg/tree.svg", "logo a.png", "v.vrt", "v1.jpg"]
    unwanted = ["map.gpkg", "mapping.tif", "svg/other.svg", "DCIM/photo.jpg", "secret.txt"]
    for name in wanted + unwanted:
        (files / name).parent.mkdir(exist_ok=True)
        (files / name).write_bytes(b"II*\0")
    (files / "v.vrt").write_text("<VRTDataset><SourceFilename relativeToVRT='1'>v1.jpg</SourceFilename></VRTDataset>")
    for name in ("survey_de.qm", "survey.qml", "surveyor_de.qm"):
        (files / name).write_bytes(b"x")
    raster = {"kind": "raster", "provider": "gdal"}
    symbols = (
        '<Option name="name" value="./svg/tree.svg"/><Option name="e" value="DCIM/photo.jpg"/>'
        "<LayoutItem file='logo a.png'/><Option value='../../etc/passwd.png'/>"
    )
    layers = [layer_xml("r", "./map.tif", **raster, more=symbols), layer_xml("v", "./v.vrt", **raster)]
    package = pack(write_project(files, layers))
    expected = [*wanted, "survey_de.qm", "survey.qml", "survey_qfield.qgs", "survey_qfield_attachments.zip"]
    assert package.names == sorted(expected)
    by_name = {file.name: file.path for file in package.report.files}
    assert by_name["svg/tree.svg"] == files / "svg/tree.svg"


@pytest.mark.parametrize("scope", ["QFieldSync", "qfieldsync"])
def test_files_of_data_folders_travel(files: Path, pack: Pack, scope: str) -> None:
    for name in ("docs/manual.pdf", "docs/deep/er.txt", "photos/a.jpg", "other.txt"):
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_bytes(b"x")
    settings = (
        f"<{scope}><attachmentDirs><value>photos</value></attachmentDirs><dataDirs><value>docs</value>"
        f"<value>.</value><value>../..</value><value>gone</value></dataDirs></{scope}>"
    )
    package = pack(write_project(files, [], properties=settings))
    assert package.names == [
        *("docs/deep/er.txt", "docs/manual.pdf", "survey_qfield.qgs", "survey_qfield_attachments.zip")
    ]


@pytest.mark.parametrize("scope", ["QFieldSync", "qfieldsync"])
def test_the_area_counts_in_both_spellings_of_the_scope(files: Path, pack: Pack, scope: str) -> None:
    trees(files / "trees.gpkg", 4)
    settings = (
        f"<{scope}><areaOfInterest>{RECTANGLE}</areaOfInterest><offlineCopyOnlyAoi>1</offlineCopyOnlyAoi></{scope}>"
    )
    package = pack(write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")], properties=settings))
    assert package.sql("SELECT fid FROM trees ORDER BY 1") == [(1,), (2,)]


def test_paths_that_differ_in_case_are_named(files: Path, pack: Pack) -> None:
    (files / "Data").mkdir()
    trees(files / "Data/Trees.gpkg")
    package = pack(write_project(files, [layer_xml("t", "./data/trees.gpkg|layername=trees")]))
    assert package.report.notes == (
        "Layer 't' was left out: File 'data/trees.gpkg' missing. The project has 'Data/Trees.gpkg': rename it,"
        " names differ in case.",
    )


def test_backslashes_in_paths_become_slashes(files: Path, pack: Pack) -> None:
    (files / "data").mkdir()
    trees(files / "data/trees.gpkg")
    (files / "data/map.tif").write_bytes(b"II*\0")
    keep = {"QFieldSync/cloud_action": "no_action"}
    layers = [
        layer_xml("kept", ".\\data\\trees.gpkg|layername=trees|subset=name <> '\\'", properties=keep),
        layer_xml("map", "data\\map.tif", kind="raster", provider="gdal"),
        layer_xml("offline", ".\\data\\trees.gpkg|layername=trees"),
    ]
    package = pack(write_project(files, layers))
    assert package.layer("kept").datasource == "./data/trees.gpkg|layername=trees|subset=name <> '\\'"
    assert package.layer("map").datasource == "./data/map.tif"
    assert package.layer("offline").datasource == "./data.gpkg|layername=trees"
    assert [note.partition(":")[0] for note in package.report.notes] == ["Layer 'kept'", "Layer 'map'"]


def test_rasters_whose_table_is_missing_are_named(files: Path, pack: Pack) -> None:
    trees(files / "r.gpkg")
    with closing(sqlite3.connect(files / "r.gpkg")) as connection, connection:
        connection.execute("INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('tiles', 'tiles', 4326)")
    raster = {"kind": "raster", "provider": "gdal"}
    layers = [layer_xml(name, f"GPKG:./r.gpkg:{name}", **raster) for name in ("tiles", "gone", "trees")]
    package = pack(write_project(files, [*layers, layer_xml("first", "./r.gpkg", **raster)]))
    assert [layer.id for layer in package.project.layers] == ["tiles", "first"]
    assert package.report.notes == (
        "Layer 'gone' was left out: Raster 'gone' not found in file 'r.gpkg'.",
        "Layer 'trees' was left out: Raster 'trees' not found in file 'r.gpkg'.",
    )


def test_what_virtual_layers_embed_travels_and_is_named(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    query = "?query=SELECT%20*%20FROM%20a&layer=ogr:{}%7Clayername%3Dtrees:a:UTF-8"
    layers = [
        layer_xml("v", query.format("./trees.gpkg"), provider="virtual"),
        layer_xml("w", query.format("./gone.gpkg"), provider="virtual"),
        layer_xml("x", "?layer_ref=v:a&query=SELECT%201", provider="virtual"),
    ]
    package = pack(write_project(files, layers))
    assert "trees.gpkg" in package.names
    notes = [note for note in package.report.notes if note.startswith("Virtual layer")]
    assert notes == [
        "Virtual layer 'v' reads 'trees.gpkg' itself, and so does not show edits of the device."
        " Let its query use layers of the project.",
        "Virtual layer 'w' names the file 'gone.gpkg', which is missing. Let its query use layers of the project.",
    ]


def test_what_a_qgz_embeds_travels(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    with zipfile.ZipFile(files / "survey.qgz", "w") as archive:
        archive.writestr("survey.qgs", project_xml([layer_xml("t", "./trees.gpkg|layername=trees")]))
        archive.writestr("survey.qgd", b"labels")
        archive.writestr("logo.png", b"picture")
    package = pack(files / "survey.qgz")
    assert package.names == [*("data.gpkg", "survey_qfield.qgd", "survey_qfield.qgs", "survey_qfield_attachments.zip")]
    paths = {file.name: file.path for file in package.report.files}
    assert paths["survey_qfield.qgd"].read_bytes() == b"labels"
    with zipfile.ZipFile(paths["survey_qfield_attachments.zip"]) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"logo.png": b"picture"}


def test_what_lies_beside_a_qgs_travels(files: Path, pack: Pack) -> None:
    (files / "survey.qgd").write_bytes(b"labels")
    with zipfile.ZipFile(files / "survey_attachments.zip", "w") as archive:
        archive.writestr("logo.png", b"picture")
    package = pack(write_project(files, []))
    paths = {file.name: file.path for file in package.report.files}
    assert paths["survey_qfield.qgd"].read_bytes() == b"labels"
    assert paths["survey_qfield_attachments.zip"].read_bytes() == (files / "survey_attachments.zip").read_bytes()


def test_settings_of_the_project(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    more = (
        "<transaction mode='AutomaticGroups'/>"
        "<projectFlags set='EvaluateDefaultValuesOnProviderSide;TrustStoredLayerStatistics'/>"
    )
    project = pack(write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")], more=more)).project
    assert project.entries.text("OfflineEditingPlugin", "OfflineDbPath") == "./data.gpkg"
    switches = ("autotransaction", "evaluateDefaultValues", "transaction", "projectFlags")
    attributes = {element.tag: dict(element.attrib) for element in project.root if element.tag in switches}
    assert attributes == {
        "autotransaction": {"active": "0"},
        "evaluateDefaultValues": {"active": "0"},
        "transaction": {"mode": "Disabled"},
        "projectFlags": {"set": "TrustStoredLayerStatistics"},
    }
    node = next(iter(project.tree_nodes()))
    assert (node.get("source"), node.get("providerKey")) == ("./data.gpkg|layername=trees", "ogr")
    assert project.extent is not None


def test_constraints_that_the_source_fulfils_by_itself_go(files: Path, pack: Pack) -> None:
    columns = "fid INTEGER PRIMARY KEY, geom POINT, code TEXT NOT NULL DEFAULT 'x', name TEXT NOT NULL"
    make_geopackage(files / "p.gpkg", "p", columns, [])
    form = "<fieldConfiguration><field name='fid'/></fieldConfiguration><constraints>" + "".join(
        f"<constraint field='{name}' constraints='3' notnull_strength='1' unique_strength='1'/>"
        for name in ("fid", "code", "name")
    )
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p", more=f"{form}</constraints>")]))
    element = package.layer("p").element
    kept = {item.get("field"): item.get("constraints") for item in element.iterfind("constraints/constraint")}
    assert kept == {"fid": "0", "code": "0", "name": "3"}
    fields = {field.get("name"): field for field in element.iterfind("fieldConfiguration/field")}
    widget = fields["fid_1"].find("editWidget")
    assert widget is not None
    assert widget.get("type") == "Hidden"
    assert package.sql("SELECT name FROM pragma_table_info('p') WHERE \"notnull\" = 1") == [("fid_1",)]


def test_forms_find_the_packaged_layers(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    make_geopackage(files / "kinds.gpkg", "kinds", "fid INTEGER PRIMARY KEY, name TEXT", [(1, "oak")], geometry=None)
    form = (
        "<referencedLayers><relation layerId='k' dataSource='./kinds.gpkg|layername=kinds' providerKey='x'/>"
        "</referencedLayers><fieldConfiguration><field name='name'><editWidget type='ValueRelation'><config>"
        "<Option type='Map'><Option name='Layer' value='k'/><Option name='LayerSource' value='old'/>"
        "<Option name='LayerProviderName' value='x'/></Option></config></editWidget></field></fieldConfiguration>"
    )
    layers = [
        layer_xml("t", "./trees.gpkg|layername=trees", more=form),
        layer_xml("k", "./kinds.gpkg|layername=kinds", wkb_type="NoGeometry"),
    ]
    element = pack(write_project(files, layers)).layer("t").element
    options = {option.get("name"): option.get("value") for option in element.iterfind(".//config/Option/Option")}
    assert options == {"Layer": "k", "LayerSource": "./data.gpkg|layername=kinds", "LayerProviderName": "ogr"}
    relation = element.find("referencedLayers/relation")
    assert relation is not None
    assert relation.get("dataSource") == "./data.gpkg|layername=kinds"


def test_a_project_in_a_folder_of_its_own(files: Path, tmp_path: Path) -> None:
    (files / "qgis").mkdir()
    trees(files / "trees.gpkg")
    (files / "map.png").write_bytes(b"x")
    layers = [
        layer_xml("t", "../trees.gpkg|layername=trees"),
        layer_xml("r", "../map.png", kind="raster", provider="gdal"),
    ]
    export = tmp_path / "out"
    export.mkdir()
    report = NativeEngine(files).package(write_project(files / "qgis", layers), export, lambda _: None)
    assert [file.name for file in report.files] == [
        *("map.png", "qgis/data.gpkg", "qgis/survey_qfield.qgs", "qgis/survey_qfield_attachments.zip")
    ]


def test_a_file_of_the_project_that_is_called_like_the_data(files: Path, pack: Pack) -> None:
    trees(files / "data.gpkg")
    keep = {"QFieldSync/cloud_action": "no_action"}
    layers = [
        layer_xml("kept", "./data.gpkg|layername=trees", properties=keep),
        layer_xml("offline", "./data.gpkg|layername=trees"),
    ]
    package = pack(write_project(files, layers))
    assert package.layer("offline").datasource == "./data_1.gpkg|layername=trees"
    assert {"data.gpkg", "data_1.gpkg"} <= set(package.names)


def test_sources_are_not_changed(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    before = (files / "trees.gpkg").read_bytes()
    pack(write_project(files, [layer_xml("t", "./trees.gpkg|layername=trees")]))
    assert (files / "trees.gpkg").read_bytes() == before
    assert sorted(path.name for path in files.iterdir()) == ["survey.qgs", "trees.gpkg"]


@pytest.mark.parametrize("written", [True, False])
def test_sources_in_write_ahead_mode(files: Path, pack: Pack, written: bool) -> None:
    columns = "fid INTEGER PRIMARY KEY, geom POINT, name TEXT"
    make_geopackage(files / "p.gpkg", "p", columns, [(2, None, "old")], with_index=False)
    with closing(sqlite3.connect(files / "p.gpkg")) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE p SET name = 'new'")
        connection.commit()
        copies = {path.name: path.read_bytes() for path in files.iterdir() if not path.name.endswith("-shm")}
    for name, content in copies.items() if written else ():
        (files / name).write_bytes(content)
    before = {path.name for path in files.iterdir()}
    package = pack(write_project(files, [layer_xml("p", "./p.gpkg|layername=p")]))
    assert package.sql("SELECT name FROM p") == [("new",)]
    assert before == ({"p.gpkg", "p.gpkg-wal"} if written else {"p.gpkg"})
    assert written or {path.name for path in files.iterdir()} == {"p.gpkg", "survey.qgs"}


def test_layers_with_the_id_of_another_one_are_named(files: Path, pack: Pack) -> None:
    trees(files / "trees.gpkg")
    layers = [layer_xml("a", "./trees.gpkg|layername=trees", name=name) for name in ("Trees", "Hives")]
    package = pack(write_project(files, layers))
    assert [layer.name for layer in package.project.layers] == ["Trees"]
    assert package.project.repeated_layers() == []
    assert package.report.notes == (
        "Layer 'Hives' was left out: it has the id 'a' of the layer 'Trees'."
        " Remove it in QGIS and add it again: it then gets an id of its own.",
    )


def test_sources_that_are_folders_are_named(files: Path, pack: Pack) -> None:
    (files / "data").mkdir()
    (files / "data" / "a.txt").write_text("x")
    layers = [
        layer_xml("v", "./data|layername=a"),
        layer_xml("t", "file:./data?delimiter=;", provider="delimitedtext"),
    ]
    notes = "\n".join(pack(write_project(files, layers)).report.notes)
    assert "Layer 'v' is read-only in the field: Its source is the folder 'data'; choose a file in it" in notes
    assert "Layer 't' was left out: The source is the folder 'data'; choose a text file in it instead." in notes


def test_gdal_reads_a_geojson_only_to_copy_it(files: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    original = gdal_vector.open_layer

    def open_layer(path: Path, *more: Any, **options: Any) -> Any:
        opened.append(path.name)
        return original(path, *more, **options)

    monkeypatch.setattr(gdal_vector, "open_layer", open_layer)
    feature = {"type": "Feature", "properties": {"fid": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    for name, properties in {"keyed": {"fid": 1}, "other": {"name": "x"}}.items():
        content = {"type": "FeatureCollection", "features": [{**feature, "properties": properties}]}
        (files / f"{name}.geojson").write_text(json.dumps(content))
    (files / "broken.geojson").write_text("{")
    layers = [layer_xml(name, f"./{name}.geojson") for name in ("keyed", "other", "broken")]
    package = pack(write_project(files, layers))
    assert opened == ["other.geojson", "broken.geojson", "keyed.geojson"]
    assert {layer.id for layer in package.project.layers} == {"keyed", "other"}


def test_without_a_table_there_is_no_data_file(files: Path, pack: Pack) -> None:
    """Two fields whose names differ only by case: found when the layer is copied."""
    feature = {"type": "Feature", "properties": {"fid": 1, "a": 1, "A": 2}, "geometry": None}
    (files / "w.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    package = pack(write_project(files, [layer_xml("w", "./w.geojson")]))
    assert package.names == ["survey_qfield.qgs", "survey_qfield_attachments.zip", "w.geojson"]
    assert package.layer("w").is_read_only

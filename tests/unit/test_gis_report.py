"""The report about projects and their layers."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gis_samples import layer_xml, make_geopackage, point, trees, write_project
from qfc_node.gis.native import NativeEngine

#: The keys in a real server's recorded answer (reference/api_transcript.md).
LAYER_KEYS = {
    *("id", "crs", "name", "type", "filename", "is_valid", "wkb_type", "type_name", "datasource", "error_code"),
    *("qfs_action", "is_localized", "error_message", "error_summary", "provider_name", "qfs_cloud_action"),
    *("qfs_photo_naming", "provider_error_message", "provider_error_summary", "qfs_is_geometry_locked"),
    *("qfc_source_data_pk_name", "qfs_unsupported_source_pk"),
}


def report(project: Path) -> dict[str, Any]:
    return NativeEngine().report(project, logging.getLogger("test").info).details


def only_layer(folder: Path, xml: str) -> dict[str, Any]:
    (entry,) = report(write_project(folder, [xml]))["layers_by_id"].values()
    return entry


def test_details_of_a_project(tmp_path: Path) -> None:
    trees(tmp_path / "trees.gpkg")
    settings = (
        "<Gui><CanvasColorRedPart type='int'>16</CanvasColorRedPart></Gui><qfieldsync>"
        "<attachmentDirs type='QStringList'><value>photos</value></attachmentDirs></qfieldsync>"
    )
    layers = [layer_xml("t_1", "./trees.gpkg|layername=trees", properties={"QFieldSync/cloud_action": "offline"})]
    details = report(write_project(tmp_path, layers, properties=settings))
    assert json.loads(json.dumps(details)) == details
    assert details["crs"] == "EPSG:4326"
    assert details["extent"] == "Polygon ((7 46, 10 46, 10 48, 7 48, 7 46))"
    assert details["background_color"] == "#10ffff"
    assert details["qgis_version"] == "3.40.6-Bratislava"
    assert details["attachment_dirs"] == ["photos"]
    assert details["ordered_layer_ids"] == ["t_1"]
    assert details["layers_by_id"]["t_1"] == {
        "id": "t_1",
        "crs": "EPSG:4326",
        "name": "t_1",
        "type": 0,
        "filename": "trees.gpkg",
        "is_valid": True,
        "wkb_type": 1,
        "type_name": "Vector",
        "datasource": "trees.gpkg|layername=trees",
        "error_code": "no_error",
        "qfs_action": None,
        "is_localized": False,
        "error_message": "",
        "error_summary": "",
        "provider_name": "ogr",
        "qfs_cloud_action": "offline",
        "qfs_photo_naming": None,
        "provider_error_message": None,
        "provider_error_summary": None,
        "qfs_is_geometry_locked": None,
        "qfc_source_data_pk_name": "fid",
        "qfs_unsupported_source_pk": None,
    }


def test_attachments_are_in_dcim_by_default(tmp_path: Path) -> None:
    assert report(write_project(tmp_path, []))["attachment_dirs"] == ["DCIM"]


@pytest.mark.parametrize("scope", ["QFieldSync", "qfieldsync"])
def test_folders_are_found_in_both_spellings_of_the_scope(tmp_path: Path, scope: str) -> None:
    """The desktop plugin writes capitals, QField does not."""
    settings = (
        f"<{scope}><attachmentDirs type='QStringList'><value>DCIM</value><value>photos</value></attachmentDirs>"
        f"<dataDirs type='QStringList'><value>docs</value></dataDirs></{scope}>"
    )
    details = report(write_project(tmp_path, [], properties=settings))
    assert (details["attachment_dirs"], details["data_dirs"]) == (["DCIM", "photos"], ["docs"])


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("./gone.gpkg|layername=a", "invalid_dataprovider", "File 'gone.gpkg' missing."),
        ("../outside.gpkg|layername=a", "invalid_dataprovider", "File '../outside.gpkg' missing."),
        ("./trees.gpkg|layername=bush", "invalid_dataprovider", "Layer 'bush' not found in file 'trees.gpkg'."),
        ("./fake.gpkg|layername=a", "invalid_dataprovider", "File 'fake.gpkg' is not a GeoPackage."),
        ("./broken.gpkg|layername=a", "invalid_dataprovider", "File 'broken.gpkg' is damaged"),
        ("./gone.shp", "invalid_dataprovider", "File 'gone.shp' missing."),
        ("./fake.shp", "invalid_dataprovider", "File 'fake.shp' cannot be read"),
        ("./trees.gpkg|layername=trees|subset=nope > 1", "invalid_layer", "Filter 'nope > 1': no such column"),
        ("./trees.gpkg|layername=trees|subset=1; DROP TABLE trees", "invalid_layer", "Filter"),
        ("localized:trees.gpkg|layername=trees", "localized_dataprovider", "on the device"),
        ("", "invalid_dataprovider", "no data source"),
    ],
)
def test_layers_that_cannot_be_used(tmp_path: Path, source: str, code: str, message: str) -> None:
    trees(tmp_path / "trees.gpkg")
    (tmp_path / "fake.gpkg").write_bytes(b"hello")
    (tmp_path / "fake.shp").write_bytes(b"hello")
    (tmp_path / "broken.gpkg").write_bytes((tmp_path / "trees.gpkg").read_bytes()[:5000])
    entry = only_layer(tmp_path, layer_xml("a_1", source))
    assert set(entry) == LAYER_KEYS
    assert (entry["is_valid"], entry["error_code"]) == (False, code)
    assert message in entry["error_message"]
    assert entry["provider_name"] == "ogr"
    assert entry["is_localized"] == (code == "localized_dataprovider")
    assert not entry["is_localized"] or entry["filename"] == "trees.gpkg"
    assert str(tmp_path) not in json.dumps(entry)


def test_a_raster_and_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(b"\x89PNG")
    (tmp_path / "bad.tif").write_bytes(b"nothing")
    raster = {"kind": "raster", "provider": "gdal"}
    entry = only_layer(tmp_path, layer_xml("r", "./good.png", **raster))
    assert (entry["type"], entry["type_name"], entry["wkb_type"], entry["is_valid"]) == (1, "Raster", None, True)
    assert (
        only_layer(tmp_path, layer_xml("r", "./bad.tif", **raster))["error_message"] == "File 'bad.tif' is not a TIFF."
    )


def test_text_layers(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("fid;x;y\n1;7;46\n")
    good = layer_xml("a", "file:./p.csv?delimiter=;&xField=x&yField=y", provider="delimitedtext")
    assert only_layer(tmp_path, good)["qfc_source_data_pk_name"] == "fid"
    bad = layer_xml("a", "file:./p.csv?delimiter=;&wktField=geometry", provider="delimitedtext")
    assert only_layer(tmp_path, bad)["error_message"] == (
        "Column 'geometry', which holds the geometry, not found in file 'p.csv'."
    )


def test_keys_of_tables(tmp_path: Path) -> None:
    path = tmp_path / "k.gpkg"
    make_geopackage(path, "text_key", "id TEXT PRIMARY KEY, geom POINT", [("a", point(7, 46))], with_index=False)
    make_geopackage(path, "named", "gid INTEGER PRIMARY KEY, geom POINT", [(1, point(7, 46))], with_index=False)
    make_geopackage(path, "comma", '"a,b" INTEGER PRIMARY KEY, geom POINT', [(1, point(7, 46))], with_index=False)
    keys = {"text_key": "id", "named": "gid", "comma": None}
    for table, key in keys.items():
        entry = only_layer(tmp_path, layer_xml("a", f"./k.gpkg|layername={table}"))
        assert (entry["is_valid"], entry["qfc_source_data_pk_name"]) == (True, key)


def test_secrets_of_connections_are_not_told(tmp_path: Path) -> None:
    database = "dbname='d' host=h user='u' password='hunter2' key='id' table=\"t\" (geom) sql="
    entry = only_layer(tmp_path, layer_xml("a", database, provider="postgres"))
    assert "hunter2" not in json.dumps(entry)
    assert "host=h" in entry["datasource"]
    assert entry["qfc_source_data_pk_name"] == "id"
    service = layer_xml("a", "url='https://u:hunter2@example.org/wfs' password='hunter2'", provider="WFS")
    assert "hunter2" not in json.dumps(only_layer(tmp_path, service))


@pytest.mark.parametrize(
    ("name", "number"),
    [("MultiPolygonZ", 1006), ("PointZM", 3001), ("NoGeometry", 100), ("LineString25D", 0x80000002), ("?", 0)],
)
def test_geometry_types_by_number(tmp_path: Path, name: str, number: int) -> None:
    trees(tmp_path / "trees.gpkg")
    assert only_layer(tmp_path, layer_xml("a", "./trees.gpkg", wkb_type=name))["wkb_type"] == number


@pytest.mark.parametrize("action", ["offline", "no_action"])
def test_layers_whose_database_cannot_be_reached_are_invalid(tmp_path: Path, action: str) -> None:
    address = "dbname='d' host=127.0.0.1 user='u' key='id' table=\"t\" (geom)"
    xml = layer_xml("a", address, provider="postgres", properties={"QFieldSync/cloud_action": action})
    entry = only_layer(tmp_path, xml)
    assert (entry["is_valid"], entry["error_code"]) == (False, "invalid_dataprovider")
    assert "QFC_NODE_DATABASE_HOSTS" in entry["error_message"]

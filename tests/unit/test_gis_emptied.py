"""GeoJSON from which devices deleted every feature: devices still see its fields, and new features are accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from field_device import FieldDevice
from gis_samples import layer_xml, write_project

VALUES = {
    "name": "oak",
    "height": 3,
    "big": 2**40,
    "weight": 1.5,
    "alive": True,
    "day": "2026-11-30",
    "seen": "2026-11-30T10:11:12",
    "tags": {"a": 1},
    "unknown": None,
}
#: Of a copy in a package, for one of each; whole numbers may be larger than those of the file were.
TYPES = {"MEDIUMINT": "INTEGER"}


class Trees:
    """A project with one GeoJSON, and the packages that devices get of it one after the other."""

    def __init__(self, folder: Path, geometry: Any, **more: Any) -> None:
        self.folder = folder
        feature = {"type": "Feature", "properties": {"fid": 4, **VALUES}, "geometry": geometry, **more}
        document = {"type": "FeatureCollection", "title": "Trees", "features": [feature]}
        (folder / "t.geojson").write_text(json.dumps(document))
        self.project = write_project(folder, [layer_xml("t", "./t.geojson")])
        self.packages = 0

    def device(self) -> FieldDevice:
        """A device with a new package."""
        self.packages += 1
        return FieldDevice(self.project, self.folder / f"package{self.packages}")

    def document(self) -> dict[str, Any]:
        """The file."""
        return json.loads((self.folder / "t.geojson").read_text())


def schema(device: FieldDevice) -> tuple[dict[str, str], str]:
    layer = device.editable()["t"]
    columns = device._sql("SELECT name, type FROM pragma_table_info(?)", layer.table)
    kinds = {name: TYPES.get(kind, kind) for name, kind in columns if name != layer.geometry}
    return kinds, device.geometry_type(layer)


@pytest.mark.parametrize(
    ("geometry", "wkt"),
    [
        ({"type": "Point", "coordinates": [7, 46]}, "Point (8 47)"),
        ({"type": "Point", "coordinates": [7, 46, 5]}, "PointZ (8 47 9)"),
        (
            {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
            "Polygon ((2 2, 3 2, 3 3, 2 2))",
        ),
    ],
)
def test_fields_and_geometries_survive_the_last_feature(tmp_path: Path, geometry: Any, wkt: str) -> None:
    trees = Trees(tmp_path, geometry)
    device = trees.device()
    before, layer = schema(device), device.editable()["t"]
    (row,) = device.rows(layer)
    assert device.send(device.remove(layer, row)).outcomes[0].status == "applied"
    assert trees.document()["features"] == []

    device = trees.device()
    assert device.notes == ""
    assert schema(device) == before
    layer = device.editable()["t"]
    assert device.rows(layer) == []
    (outcome,) = device.send(device.create(layer, 9, {**VALUES, "fid": 9, "tags": None}, wkt)).outcomes
    assert (outcome.status, outcome.modified_pk) == ("applied", "9")

    (feature,) = trees.document()["features"]
    assert feature["properties"] == {"fid": 9, **VALUES, "tags": None}
    assert feature["geometry"]["type"] == geometry["type"]
    assert set(trees.document()) == {"type", "title", "features"}
    assert len(trees.device().rows(layer)) == 1


def test_the_id_of_features_stays_their_key(tmp_path: Path) -> None:
    trees = Trees(tmp_path, {"type": "Point", "coordinates": [7, 46]}, id=12)
    text = (tmp_path / "t.geojson").read_text().replace('"fid": 4, ', "")
    (tmp_path / "t.geojson").write_text(text)
    device = trees.device()
    layer = device.editable()["t"]
    assert device.send(device.remove(layer, device.rows(layer)[0])).outcomes[0].status == "applied"

    device = trees.device()
    layer = device.editable()["t"]
    assert (layer.source_key, device.rows(layer)) == ("id", [])
    assert device.send(device.create(layer, 3, {"name": "elm"}, "Point (1 1)")).outcomes[0].status == "applied"
    (feature,) = trees.document()["features"]
    assert (type(feature["id"]), feature["properties"]["name"]) == (int, "elm")


@pytest.mark.parametrize("kept", [7, {}, {"properties": 3}, {"properties": {"fid": 1}}, [], None])
def test_an_example_of_another_form_harms_nothing(tmp_path: Path, kept: Any) -> None:
    trees = Trees(tmp_path, None)
    (tmp_path / "t.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [], "qfc_example": kept}))
    device = trees.device()
    assert [layer.id for layer in device.project.layers] == ["t"] or device.notes

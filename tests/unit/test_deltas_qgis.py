"""QGIS opens files that were edited here: same features, same filters, valid layers, still editable."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from delta_world import Row, World, create, patch, remove, write
from qfc_node.core.seed_projects import BaseMap, base_maps, project_file
from requirements import require

SYSTEM_PYTHON = Path("/usr/bin/python3")
TREES = [
    Row(1, "oak", 10, 1.5, "POINT (0 0)"),
    Row(2, "elm", 20, None, "POINT (1 1)"),
    Row(3, None, None, 2.5, "POINT (2 2)"),
]
READER = """
import json, sys
from qgis.core import QgsApplication, QgsFeature, QgsFeatureRequest, QgsGeometry, QgsRectangle, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(sys.argv[1], "trees", "ogr")
names = ["fid", "name", "height", "weight"]
def features(request=QgsFeatureRequest()):
    return sorted(
        [str(feature[name]) if feature[name] is not None else None for name in names] + [feature.geometry().asWkt(3)]
        for feature in layer.getFeatures(request)
    )
found = {
    "valid": layer.isValid(),
    "count": layer.featureCount(),
    "all": features(),
    "near": features(QgsFeatureRequest().setFilterRect(QgsRectangle(4, 4, 9, 50))),
    "extent": layer.extent().toString(2),
}
new = QgsFeature(layer.fields())
new.setAttribute("name", "by QGIS")
new.setGeometry(QgsGeometry.fromWkt("Point (3 3)"))
found["edited"] = layer.startEditing() and layer.addFeature(new) and layer.commitChanges()
found["errors"] = layer.commitErrors()
print(json.dumps(found, default=str))
del layer
application.exitQgis()
"""


def look_with_qgis(path: str, script: str = READER) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(Path(path).parent),
    }
    run = subprocess.run(
        [str(SYSTEM_PYTHON), "-c", script, path],
        env={**environment, "HOME": str(Path(path).parent)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def qgis() -> None:
    command = [str(SYSTEM_PYTHON), "-c", "import qgis.core"]
    found = SYSTEM_PYTHON.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0
    require("qgis", found, "install QGIS with its Python bindings")


@pytest.mark.qgis
@pytest.mark.parametrize("file", ["trees.gpkg", "trees.shp", "trees.geojson", "trees.fgb"])
def test_qgis_sees_the_edits(qgis: None, tmp_path: Path, file: str) -> None:
    is_package = file == "trees.gpkg"
    write(tmp_path / file, TREES, with_fid=not is_package, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", f"./{file}|layername=trees" if is_package else f"./{file}")
    world.apply(
        create(7, "Point (8.5 47.5)", fid=7, name="äsh", height=5),
        patch(1, {"height": 999, "weight": None}, {"height": 10}, wkt="Point (5 5)"),
        remove(2),
    )
    found = look_with_qgis(str(tmp_path / file))
    moved = ["1", "oak", "999", "NULL", "Point (5 5)"]
    made = ["7", "äsh", "5", "NULL", "Point (8.5 47.5)"]
    assert found["valid"]
    assert found["count"] == 3
    assert found["all"] == [moved, ["3", "NULL", "NULL", "2.5", "Point (2 2)"], made]
    assert found["near"] == [moved, made]
    assert found["extent"] == "2.00,2.00 : 8.50,47.50"
    assert found["edited"] is True, found["errors"]


PROJECT_READER = """
import json, sys
from qgis.core import QgsApplication, QgsProject
application = QgsApplication([], False)
application.initQgis()
project = QgsProject.instance()
found = {"read": project.read(sys.argv[1]), "title": project.title(), "crs": project.crs().authid()}
found["layers"] = [
    [layer.name(), layer.isValid(), layer.hueSaturationFilter().invertColors()]
    for layer in project.layerTreeRoot().layerOrder()
]
view = project.viewSettings().defaultViewExtent()
found["view"] = [round(view.xMinimum()), round(view.yMaximum())]
print(json.dumps(found))
project.clear()
application.exitQgis()
"""


@pytest.mark.qgis
def test_qgis_opens_the_project_of_a_seed(qgis: None, tmp_path: Path) -> None:
    maps = [BaseMap("Own & more", "https://tiles.example.org/{z}/{x}/{y}.png?a=1&b=2", "grayscale_dark")]
    content = project_file("A & B", [*maps, *base_maps("osm", "standard", "")], (7, 46, 8, 47))
    (tmp_path / "project.qgz").write_bytes(content)
    assert look_with_qgis(str(tmp_path / "project.qgz"), PROJECT_READER) == {
        "read": True,
        "title": "A & B",
        "crs": "EPSG:3857",
        "layers": [["Own & more", True, True], ["OpenStreetMap (Standard)", True, False]],
        "view": [779236, 5942074],
    }

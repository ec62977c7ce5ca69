"""Comparison with QGIS itself: projects that it writes, packages that it opens and edits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import PackageReport, ProjectReport
from requirements import require

pytestmark = pytest.mark.qgis

PYTHON = "/usr/bin/python3"
SCRIPTS = Path(__file__).parents[1] / "qgis_scripts"
DEMO = Path(__file__).parents[2] / "src/qfc/demo_project"
#: Layers that come back as deltas, in the project that `make_project.py` writes.
OFFLINE = {"trees", "tall trees", "areas", "ways", "kinds", "poles", "zones", "stops"}


@cache
def qgis_is_there() -> bool:
    command = [PYTHON, "-c", "import qgis.core"]
    return Path(PYTHON).exists() and subprocess.run(command, capture_output=True, timeout=120).returncode == 0


def run_qgis(script: str, *arguments: str) -> dict[str, Any]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": ""}
    command = [PYTHON, str(SCRIPTS / script), *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def make_package(project_file: Path, folder: Path) -> tuple[PackageReport, Path]:
    """Package a project, and store its files like a device."""
    export, device = folder / "export", folder / "device"
    export.mkdir()
    report = NativeEngine().package(project_file, export, lambda _: None)
    for file in report.files:
        target = device / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.path, target)
    (packaged,) = device.glob("*_qfield.qgs")
    return report, packaged


class Trip:
    """A project at every stage: as QGIS sees it, as we report it, and its package in QGIS before and after edits."""

    def __init__(self, project_file: Path, folder: Path) -> None:
        self.origin = run_qgis("describe_project.py", str(project_file))
        self.reported: ProjectReport = NativeEngine().report(project_file, lambda _: None)
        self.package, packaged = make_package(project_file, folder)
        self.packaged = run_qgis("describe_project.py", str(packaged), "edit")


@pytest.fixture(scope="module", params=["survey.qgs", "survey.qgz"])
def trip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trip:
    require("qgis", qgis_is_there(), "no QGIS for /usr/bin/python3 (package python3-qgis)")
    folder = tmp_path_factory.mktemp("trip")
    (folder / "files").mkdir()
    run_qgis("make_project.py", str(folder / "files"), request.param)
    return Trip(folder / "files" / request.param, folder)


@pytest.fixture(scope="module")
def demo_trip(tmp_path_factory: pytest.TempPathFactory) -> Trip:
    require("qgis", qgis_is_there(), "no QGIS for /usr/bin/python3 (package python3-qgis)")
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(DEMO, folder / "files")
    (project,) = (folder / "files").glob("*.qg[sz]")
    return Trip(project, folder)


def by_name(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {layer["name"]: layer for layer in description["layers"].values()}


def comparable(layer: dict[str, Any], names: list[str]) -> list[str]:
    rows = (
        [feature["wkt"], *(_number(feature["attributes"].get(name)) for name in names)] for feature in layer["features"]
    )
    return sorted(json.dumps(row) for row in rows)


def _number(value: object) -> object:
    return float(value) if isinstance(value, bool | int) else value


def check_report(trip: Trip) -> None:
    details = trip.reported.details
    assert set(details["layers_by_id"]) == set(trip.origin["layers"])
    # QGIS's own order leaves out tables, which nothing draws.
    assert [name for name in details["ordered_layer_ids"] if name in trip.origin["order"]] == trip.origin["order"]
    for layer_id, seen in trip.origin["layers"].items():
        told = details["layers_by_id"][layer_id]
        assert (told["name"], told["is_valid"], told["crs"]) == (seen["name"], seen["valid"], seen["crs"])
        assert told["wkb_type"] == seen.get("wkb_type")


def check_package(trip: Trip) -> None:
    assert trip.packaged["read"]
    assert trip.packaged["offline_path"] == "./data.gpkg"
    assert set(trip.packaged["layers"]) == set(trip.origin["layers"])
    for layer_id, before in trip.origin["layers"].items():
        after = trip.packaged["layers"][layer_id]
        assert after["valid"], after["name"]
        assert after["crs"] == before["crs"]
        if "features" in before:
            assert after["wkb_type"] == before["wkb_type"], after["name"]
            names = [name for name in before["types"] if name in after["types"]]
            assert names == list(before["types"])
            assert comparable(after, names) == comparable(before, names)


def test_what_is_reported_is_what_qgis_sees(trip: Trip) -> None:
    check_report(trip)
    details = trip.reported.details
    assert details["extent"] == "Polygon ((7 46, 10 46, 10 48, 7 48, 7 46))"
    assert details["qgis_version"].startswith("3.")
    assert details["crs"] == "EPSG:4326"


def test_the_package_opens_with_every_layer_and_feature(trip: Trip) -> None:
    check_package(trip)
    for name, layer in by_name(trip.packaged).items():
        if name in OFFLINE:
            new_key = next(key for key in ("fid_1", "fid_2", "fid") if key in layer["types"])
            assert (layer["provider"], layer["keys"], layer["offline"]) == ("ogr", [new_key], True)
            assert layer["widgets"][new_key] == "Hidden"


def test_fields_keep_their_types(trip: Trip) -> None:
    before, after = by_name(trip.origin), by_name(trip.packaged)
    for name in ("trees", "areas", "ways", "kinds"):
        types = {field: kind for field, kind in after[name]["types"].items() if field in before[name]["types"]}
        assert types == before[name]["types"]


def test_layers_can_be_edited_in_the_field(trip: Trip) -> None:
    edited = {trip.packaged["layers"][layer_id]["name"]: done for layer_id, done in trip.packaged["edited"].items()}
    assert edited == dict.fromkeys(OFFLINE, True)
    layers = by_name(trip.packaged)
    assert {name for name, layer in layers.items() if layer.get("read_only")} == {"keyless"}


def test_relations_themes_layouts_and_forms_survive(trip: Trip) -> None:
    assert trip.packaged["relations"] == {"link": True}
    assert trip.packaged["themes"] == ["only trees"]
    assert trip.packaged["layouts"] == ["page"]
    assert trip.packaged["order"] == trip.origin["order"]
    trees = by_name(trip.packaged)["trees"]
    assert trees["widgets"]["kind"] == "ValueRelation"
    assert trees["widget_sources"]["kind"].endswith("data.gpkg|layername=kinds")


def test_the_demo_project_too(demo_trip: Trip) -> None:
    check_report(demo_trip)
    check_package(demo_trip)
    assert demo_trip.packaged["edited"]
    assert all(demo_trip.packaged["edited"].values())

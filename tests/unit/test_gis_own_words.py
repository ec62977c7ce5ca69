"""Texts that leave a job name paths inside the project only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gis_samples import layer_xml, write_project
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.own_words import OwnWords
from qfc_node.gis.port import GisError

FILES = Path("/srv/node/jobs/1/files")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"File {FILES}/a/b.shp is damaged", "File a/b.shp is damaged"),
        (f"{FILES}/a.gpkg: {FILES}/a.gpkg", "a.gpkg: a.gpkg"),
        ("/srv/node/jobs/1/result.json", "result.json"),
        (f'File "{sys.prefix}/lib/x.py"', 'File "…/lib/x.py"'),
        ("/home/ada/trees.gpkg", "/home/ada/trees.gpkg"),
        ("no path", "no path"),
    ],
)
def test_paths_of_the_server(text: str, clean: str) -> None:
    assert OwnWords(FILES).text(text) == clean


def test_values_in_lists_and_maps() -> None:
    assert OwnWords(FILES).value({"a": [f"{FILES}/b", 1, None], "c": (f"{FILES}/d",)}) == {
        "a": ["b", 1, None],
        "c": ("d",),
    }


def test_messages_of_gdal_name_the_file_only(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.shp").write_bytes(b"nothing")
    (files / "a.kml").write_bytes(b"<kml")
    lines: list[str] = []
    layers = [layer_xml("a", "./a.shp"), layer_xml("b", "./a.kml")]
    report = NativeEngine(files).report(write_project(files, layers), lines.append)
    assert len(lines) == 2
    assert str(tmp_path) not in f"{lines} {report.details}"


def test_errors_of_the_project_name_the_file_only(tmp_path: Path) -> None:
    (tmp_path / "p.qgz").write_bytes(b"PK")
    with pytest.raises(GisError) as caught:
        NativeEngine(tmp_path).report(tmp_path / "p.qgz", print)
    assert str(tmp_path) not in str(caught.value)

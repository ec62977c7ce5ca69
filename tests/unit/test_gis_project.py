"""Reading project files, valid ones and malicious ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gis_samples import layer_xml, project_xml, write_project
from qfc_node.gis.datasource import FileSource
from qfc_node.gis.port import InvalidProjectFileError, MissingFileError
from qfc_node.gis.project import Extent, Project
from qfc_node.gis.project_archive import embedded_files

LAYERS = [layer_xml("a_1", "./a.gpkg|layername=a"), layer_xml("b_2", "./b.tif", kind="raster", provider="gdal")]


def make_qgz(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_reading_a_qgs(tmp_path: Path) -> None:
    project = Project.read(write_project(tmp_path, LAYERS))
    assert project.version == "3.40.6-Bratislava"
    assert (project.title, project.crs) == ("Survey", "EPSG:4326")
    assert project.extent == Extent(7, 46, 10, 48)
    assert str(project.extent) == "Polygon ((7 46, 10 46, 10 48, 7 48, 7 46))"
    assert [(layer.id, layer.kind, layer.provider) for layer in project.layers] == [
        ("a_1", "vector", "ogr"),
        ("b_2", "raster", "gdal"),
    ]
    assert project.layers[0].source == FileSource(tmp_path / "a.gpkg", "a")
    assert project.layer("b_2") is project.layers[1]
    assert project.layer("c_3") is None


def test_reading_a_qgz_with_embedded_files(tmp_path: Path) -> None:
    members = {"survey.qgs": project_xml(LAYERS).encode(), "survey.qgd": b"aux", "logo.png": b"picture"}
    path = make_qgz(tmp_path / "survey.qgz", members)
    assert [layer.id for layer in Project.read(path).layers] == ["a_1", "b_2"]
    assert embedded_files(path) == {"survey.qgd": b"aux", "logo.png": b"picture"}


def test_saving_and_reading_again(tmp_path: Path) -> None:
    project = Project.read(write_project(tmp_path, LAYERS))
    project.layers[0].set_source(FileSource(tmp_path / "data.gpkg", "é & ü", subset="a < 3"), "ogr")
    project.save(tmp_path / "again.qgs")
    again = Project.read(tmp_path / "again.qgs")
    assert again.layers[0].source == FileSource(tmp_path / "data.gpkg", "é & ü", subset="a < 3")
    assert (tmp_path / "again.qgs").read_bytes().startswith(b"<!DOCTYPE qgis")


def test_layers_are_in_the_order_of_the_tree_and_drawn_in_the_custom_order(tmp_path: Path) -> None:
    layers = [layer_xml(name, f"./{name}.gpkg") for name in ("a", "b", "c")]
    nodes = "<layer-tree-layer id='b'/><layer-tree-group><layer-tree-layer id='a'/></layer-tree-group>"
    order = "<custom-order enabled='{}'><item>a</item><item>b</item><item>gone</item></custom-order>"
    project = Project.read(write_project(tmp_path, layers, tree=nodes + order.format(0)))
    assert [layer.id for layer in project.layers] == ["b", "a", "c"]
    assert project.ordered_layer_ids() == ["b", "a"]
    project = Project.read(write_project(tmp_path, layers, tree=nodes + order.format(1)))
    assert project.ordered_layer_ids() == ["a", "b"]


def test_custom_properties_of_today(tmp_path: Path) -> None:
    xml = layer_xml("a", "./a.gpkg", properties={"QFieldSync/cloud_action": "offline"})
    properties = Project.read(write_project(tmp_path, [xml])).layers[0].custom_properties
    properties["list"] = ["x", "y"]
    properties["QFieldSync/cloud_action"] = "remove"
    properties.set_flag("isOfflineEditable", True)
    assert dict(properties) == {"list": ["x", "y"], "QFieldSync/cloud_action": "remove", "isOfflineEditable": "true"}
    del properties["list"]
    assert "list" not in properties
    assert properties.text("list") is None


def test_custom_properties_before_qgis_3_20(tmp_path: Path) -> None:
    xml = layer_xml("a", "./a.gpkg").replace(
        "<Option type='Map'></Option>",
        "<property key='QFieldSync/action' value='offline'/><property key='l'><value>x</value></property>",
    )
    properties = Project.read(write_project(tmp_path, [xml])).layers[0].custom_properties
    properties["new"] = "1"
    assert dict(properties) == {"QFieldSync/action": "offline", "l": ["x"], "new": "1"}
    assert not Project.read(tmp_path / "survey.qgs").root.findall(".//customproperties/Option")


@pytest.mark.parametrize(
    "properties",
    [
        "<qfieldsync><attachmentDirs type='QStringList'><value>DCIM</value><value>audio</value></attachmentDirs>"
        "<offlineCopyOnlyAoi type='int'>1</offlineCopyOnlyAoi></qfieldsync>",
        "<properties name='qfieldsync'><properties name='attachmentDirs' type='QStringList'><value>DCIM</value>"
        "<value>audio</value></properties><properties name='offlineCopyOnlyAoi' type='int'>1</properties></properties>",
    ],
)
def test_project_entries_of_both_forms(tmp_path: Path, properties: str) -> None:
    entries = Project.read(write_project(tmp_path, [], properties=properties)).entries
    assert entries.texts("qfieldsync", "attachmentDirs") == ["DCIM", "audio"]
    assert entries.flag("qfieldsync", "offlineCopyOnlyAoi")
    assert not entries.flag("qfieldsync", "other")
    assert entries.texts("qfieldsync", "other") is None
    entries.set_text("OfflineEditingPlugin", "OfflineDbPath", "./data.gpkg")
    assert entries.text("OfflineEditingPlugin", "OfflineDbPath") == "./data.gpkg"


def test_old_projects_have_the_coordinate_system_of_their_canvas(tmp_path: Path) -> None:
    system = "<destinationsrs><spatialrefsys><authid>EPSG:2056</authid></spatialrefsys></destinationsrs>"
    extent = "<extent><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></extent>"
    path = tmp_path / "old.qgs"
    path.write_text(f"<qgis version='2.2.0-Valmiera'><mapcanvas>{extent}{system}</mapcanvas></qgis>")
    project = Project.read(path)
    assert (project.crs, project.crs_definition, project.extent) == ("EPSG:2056", "EPSG:2056", Extent(1, 2, 3, 4))


def test_files_outside_of_the_project_are_missing(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (tmp_path / "secret.gpkg").write_bytes(b"secret")
    names = {"../secret.gpkg": "../secret.gpkg", "../../secret.gpkg": "../../secret.gpkg", "/etc/passwd": "/etc/passwd"}
    for text, name in names.items():
        project = Project.read(write_project(folder, [layer_xml("a", text)]))
        source = project.layers[0].source
        assert isinstance(source, FileSource)
        with pytest.raises(MissingFileError, match=f"File '{name}' missing"):
            project.locate(source)


def test_a_project_in_a_folder_of_its_own_reaches_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "qgis").mkdir()
    (tmp_path / "a.gpkg").write_bytes(b"")
    project = Project.read(write_project(tmp_path / "qgis", [layer_xml("a", "../a.gpkg")]), tmp_path)
    source = project.layers[0].source
    assert isinstance(source, FileSource)
    assert project.file_name(project.locate(source)) == "a.gpkg"


LAUGHS = b"""<!DOCTYPE qgis [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><qgis><title>&b;</title></qgis>"""
EXTERNAL = b"""<!DOCTYPE qgis [<!ENTITY a SYSTEM "file:///etc/passwd">]><qgis><title>&a;</title></qgis>"""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.qgs", LAUGHS, "entities"),
        ("p.qgs", EXTERNAL, "entities"),
        ("p.qgs", LAUGHS.decode().encode("utf-16"), "entities"),
        ("p.qgs", b'<?xml version="1.0" encoding="UTF-7"?>' + LAUGHS.decode().encode("utf-7"), "encoding utf-7"),
        ("p.qgs", b'<?xml version="1.0" encoding="utf-16"?><qgis/>!', "not in the encoding"),
        ("p.qgs", b"", "not valid XML"),
        ("p.qgs", b"<qgis><a></qgis>", "not valid XML"),
        ("p.qgs", b"<html/>", "not a QGIS project"),
        ("p.qgz", b"not a zip", "damaged"),
        ("p.txt", b"<qgis/>", "neither in .qgs nor .qgz"),
    ],
)
def test_files_that_are_no_projects(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidProjectFileError, match=words) as raised:
        Project.read(path)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.qgs": b"<qgis/>", "b.qgs": b"<qgis/>"}, "exactly one .qgs"),
        ({"readme.txt": b""}, "exactly one .qgs"),
        ({"a.qgs": b"<qgis/>", "../evil.png": b""}, "unsafe name"),
        ({"/a.qgs": b"<qgis/>"}, "unsafe name"),
        ({"a.qgs": b"<qgis>" + b" " * 30_000_000 + b"</qgis>"}, "more data than a QGIS project"),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    path = make_qgz(tmp_path / "p.qgz", members)
    with pytest.raises(InvalidProjectFileError, match=words):
        Project.read(path)


def test_an_archive_with_a_member_without_name(tmp_path: Path) -> None:
    path = make_qgz(tmp_path / "p.qgz", {"a.qgs": b"<qgis/>", "NAMELESS": b"x"})
    path.write_bytes(path.read_bytes().replace(b"NAMELESS", b"\0AMELESS"))
    with pytest.raises(InvalidProjectFileError, match="unsafe name"):
        Project.read(path)


def test_an_archive_that_lies_about_its_size(tmp_path: Path) -> None:
    path = make_qgz(tmp_path / "p.qgz", {"a.qgs": b"<qgis>" + b"x" * 5000 + b"</qgis>"})
    content = path.read_bytes()
    true_size = (5013).to_bytes(4, "little")
    assert true_size in content
    path.write_bytes(content.replace(true_size, (10).to_bytes(4, "little")))
    with pytest.raises(InvalidProjectFileError):
        Project.read(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"'p.qgs' missing"):
        Project.read(tmp_path / "p.qgs")


def test_a_large_embedded_picture(tmp_path: Path) -> None:
    picture = "base64:" + "A" * 11_000_000
    path = write_project(tmp_path, [layer_xml("a", "./a.gpkg", more=f"<Option name='imageFile' value='{picture}'/>")])
    assert Project.read(path).layers[0].element.find("Option") is not None


def test_a_project_that_nests_without_end(tmp_path: Path) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(b"<qgis>" + b"<a>" * 1_000_000)
    with pytest.raises(InvalidProjectFileError, match="not valid XML"):
        Project.read(path)


def test_projects_of_before_qgis_3_have_their_order_beside_the_tree(tmp_path: Path) -> None:
    layers = [layer_xml(name, f"./{name}.gpkg") for name in ("a", "b")]
    nodes = "<layer-tree-layer id='b'/><layer-tree-layer id='a'/>"
    order = (
        "<layer-tree-canvas><custom-order enabled='1'><item>a</item><item>b</item></custom-order></layer-tree-canvas>"
    )
    project = Project.read(write_project(tmp_path, layers, tree=nodes, more=order))
    assert project.ordered_layer_ids() == ["a", "b"]


def test_projects_of_before_qgis_2_4_have_a_legend_instead_of_a_tree(tmp_path: Path) -> None:
    """As QGIS 3.22 reads it: the order of the legend, whatever its `drawingOrder` says."""
    layers = [layer_xml(name, f"./{name}.gpkg") for name in ("a", "b", "c")]
    entry = "<legendlayer drawingOrder='{}'><filegroup><legendlayerfile layerid='{}'/></filegroup></legendlayer>"
    inner = f"<legendgroup name='g'>{entry.format(0, 'a')}</legendgroup>"
    legend = f"<legend updateDrawingOrder='false'>{entry.format(1, 'c')}{inner}{entry.format(2, 'b')}</legend>"
    path = write_project(tmp_path, layers, more=legend)
    text = path.read_text()
    start, end = text.index("<layer-tree-group"), text.index("</layer-tree-group>") + len("</layer-tree-group>")
    path.write_text(text[:start] + text[end:])
    project = Project.read(path)
    assert project.ordered_layer_ids() == [layer.id for layer in project.layers] == ["c", "a", "b"]
    removed = project.layer("a")
    assert removed is not None
    project.remove_layer(removed)
    assert project.ordered_layer_ids() == ["c", "b"]


def test_of_layers_with_the_same_id_the_first_counts(tmp_path: Path) -> None:
    """As in QGIS."""
    layers = [layer_xml("a", f"./{name}.gpkg", name=name) for name in ("first", "second")]
    project = Project.read(write_project(tmp_path, layers))
    assert [layer.name for layer in project.layers] == ["first"]
    assert [layer.name for layer in project.repeated_layers()] == ["second"]

"""No password travels in a package, except of layers that are online on purpose, which the feedback names."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from gis_samples import layer_xml, trees, write_project
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.passwords import has_password, without_password
from qfc_node.gis.port import PackageReport

ADDRESS = (
    "dbname='field' host=db.example.org port=5432 user='bee' password='{}' key='id' table=\"public\".\"hives\" (geom)"
)
SECRETS = ("hunter2", "correct horse", "swordfish", "it\\'s \\\\ back")


def package(folder: Path, layers: list[str], **parts: str) -> PackageReport:
    export = folder / "export"
    export.mkdir()
    return NativeEngine().package(write_project(folder, layers, **parts), export, lambda _line: None)


def contents(report: PackageReport) -> Iterator[tuple[str, bytes]]:
    """Every file of the package, and the files inside archives."""
    for file in report.files:
        content = file.path.read_bytes()
        yield file.name, content
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from ((f"{file.name}/{name}", archive.read(name)) for name in archive.namelist())


def found_in(report: PackageReport, secret: str) -> list[str]:
    return [name for name, content in contents(report) if secret.encode() in content]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("dbname='x' password='hunter2' user='u' table=\"t\"", "dbname='x' user='u' table=\"t\""),
        ("dbname='x' password='a\\'b\\\\' user='u'", "dbname='x' user='u'"),
        ("service='s' password=hunter2", "service='s'"),
        ("password='hunter2' host=x", " host=x"),
        ("dbname='a  b' password='p  w' table=\"c  d\"", "dbname='a  b' table=\"c  d\""),
        ("PG:dbname=x password=hunter2 host=a", "PG:dbname=x host=a"),
        ("MSSQL:server=x;uid=y;pwd=hunter2;database=z", "MSSQL:server=x;uid=y;database=z"),
        ("https://me:hunter2@host/wfs", "https://me@host/wfs"),
        ("url=https://host/wms&password=hunter2&username=u", "url=https://host/wms&username=u"),
        ("dbname='x' table=\"t\" sql=password='x'", "dbname='x' table=\"t\" sql=password='x'"),
        ("password = 'x' AND height > 3", "password = 'x' AND height > 3"),
        ("the password=x of a user", "the password=x of a user"),
        ("\"password\"='x'", "\"password\"='x'"),
        ("./trees.gpkg|layername=trees|subset=password='x'", "./trees.gpkg|layername=trees|subset=password='x'"),
    ],
)
def test_only_the_password_leaves_an_address(address: str, expected: str) -> None:
    assert without_password(address) == expected
    assert has_password(address) == (address != expected)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_virtual_layer_loses_the_passwords_of_its_parts(secret: str) -> None:
    part = quote(ADDRESS.format(secret), safe="")
    cleaned = without_password(f"?layer=postgres:{part}:hives:UTF-8&query=select * from hives")
    expected = quote(ADDRESS.replace(" password='{}'", ""), safe="")
    assert cleaned == f"?layer=postgres:{expected}:hives:UTF-8&query=select * from hives"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("action", ["remove", "offline", ""])
def test_no_file_of_a_package_has_a_password(tmp_path: Path, secret: str, action: str) -> None:
    trees(tmp_path / "trees.gpkg")
    address = ADDRESS.format(secret)
    settings = {"QFieldSync/cloud_action": action, "remoteSource": address}
    escaped = address.replace('"', "&quot;")
    repeated = (
        f"<referencedLayers><relation dataSource=\"{escaped}\" layerId='m' providerKey='mssql'/></referencedLayers>"
        f'<Option name="LayerSource" type="QString" value="{escaped}"/>'
    )
    virtual = f"?layer=mssql:{quote(address, safe='')}:hives:UTF-8"
    layers = [
        layer_xml("m", address, provider="mssql", properties=settings),
        layer_xml("v", virtual, provider="virtual", properties={"QFieldSync/cloud_action": action}),
        layer_xml("t", "./trees.gpkg|layername=trees", more=repeated),
    ]
    layout = f'<Layouts><Layout><LayoutItem vectorLayerSource="{escaped}"/></Layout></Layouts>'
    tree = f"<layer-tree-layer id='m' source=\"{escaped}\"/><layer-tree-layer id='t'/>"
    report = package(tmp_path, layers, tree=tree, more=layout)
    assert found_in(report, "password=") == found_in(report, "password%3D") == []
    assert found_in(report, secret) == found_in(report, quote(secret)) == []
    assert found_in(report, "db.example.org") == ["survey_qfield.qgs"]
    assert any("its password was removed" in note for note in report.notes) == (action != "remove")


def test_a_layer_that_is_online_on_purpose_keeps_its_password_and_the_feedback_warns(tmp_path: Path) -> None:
    online = {"QFieldSync/cloud_action": "no_action"}
    layers = [
        layer_xml("a", ADDRESS.format("hunter2"), name="hives", provider="postgres", properties=online),
        layer_xml("b", "authcfg=abc1234 dbname='field' table=\"t\"", provider="postgres", properties=online),
        layer_xml("c", "service='field' table=\"t\"", provider="postgres", properties=online),
    ]
    report = package(tmp_path, layers)
    assert found_in(report, ADDRESS.format("hunter2").split(" key")[0]) == ["survey_qfield.qgs"]
    [warning] = report.notes
    assert warning.startswith("Warning: layer 'hives' is online, so its password travels")
    assert "hunter2" not in str(report.layers_before) + str(report.layers_after)


def store_project(path: Path, name: str, xml: str) -> None:
    """Store a project in a GeoPackage, as QGIS does."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.qgs", xml)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS qgis_projects(name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"
        )
        connection.execute("INSERT INTO qgis_projects VALUES (?, '', ?)", (name, zipped.getvalue().hex()))


def test_projects_inside_a_geopackage_travel_if_they_have_no_password(tmp_path: Path) -> None:
    trees(tmp_path / "trees.gpkg")
    store_project(tmp_path / "trees.gpkg", "plain", "<qgis/>")
    kept = {"QFieldSync/cloud_action": "no_action"}
    report = package(tmp_path, [layer_xml("t", "./trees.gpkg|layername=trees", properties=kept)])
    assert report.notes == ()
    (file,) = [file.path for file in report.files if file.name == "trees.gpkg"]
    assert file == tmp_path / "trees.gpkg", "the project's own"


def test_projects_inside_a_geopackage_do_not_travel_with_passwords(tmp_path: Path) -> None:
    trees(tmp_path / "trees.gpkg")
    layer = layer_xml("m", ADDRESS.format("hunter2"), provider="postgres")
    store_project(tmp_path / "trees.gpkg", "secret", f"<qgis><projectlayers>{layer}</projectlayers></qgis>")
    store_project(tmp_path / "trees.gpkg", "plain", "<qgis/>")
    with closing(sqlite3.connect(tmp_path / "trees.gpkg")) as connection, connection:
        connection.execute("CREATE TRIGGER keep BEFORE DELETE ON qgis_projects BEGIN SELECT RAISE(IGNORE); END")
    before = (tmp_path / "trees.gpkg").read_bytes()
    with closing(sqlite3.connect(tmp_path / "trees.gpkg")) as connection:
        ((secret,),) = connection.execute("SELECT content FROM qgis_projects WHERE name = 'secret'")
    kept = {"QFieldSync/cloud_action": "no_action"}
    report = package(tmp_path, [layer_xml("t", "./trees.gpkg|layername=trees", properties=kept)])

    assert "File 'trees.gpkg': the projects stored in it do not travel: one has a password." in report.notes
    (file,) = [file.path for file in report.files if file.name == "trees.gpkg"]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'qgis_projects'").fetchall() == []
        assert connection.execute("SELECT count(*) FROM trees").fetchone()[0] > 0
    assert secret[100:140].encode() not in file.read_bytes(), "nor in the free pages"
    assert (tmp_path / "trees.gpkg").read_bytes() == before


@pytest.mark.parametrize("content", ["no hexadecimal digits", "504b", "3c"])
def test_stored_projects_that_cannot_be_read_do_not_travel(tmp_path: Path, content: str) -> None:
    trees(tmp_path / "trees.gpkg")
    with closing(sqlite3.connect(tmp_path / "trees.gpkg")) as connection, connection:
        connection.execute("CREATE TABLE qgis_projects(name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")
        connection.execute("INSERT INTO qgis_projects VALUES ('odd', '', ?)", (content,))
    kept = {"QFieldSync/cloud_action": "no_action"}
    report = package(tmp_path, [layer_xml("t", "./trees.gpkg|layername=trees", properties=kept)])
    assert any("do not travel" in note for note in report.notes)


def test_a_damaged_geopackage_does_not_stop_a_package(tmp_path: Path) -> None:
    trees(tmp_path / "trees.gpkg")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "broken.gpkg").write_bytes((tmp_path / "trees.gpkg").read_bytes()[:5000])
    settings = "<qfieldsync><dataDirs><value>docs</value></dataDirs></qfieldsync>"
    report = package(tmp_path, [layer_xml("t", "./trees.gpkg|layername=trees")], properties=settings)
    assert "docs/broken.gpkg" not in [file.name for file in report.files]
    assert any("docs/broken.gpkg" in note for note in report.notes)

"""Deltas on SpatiaLite and plain SQLite files, checked with SpatiaLite itself where it is installed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from delta_world import Row, World, create, patch, read, remove, write
from requirements import require

SYSTEM_PYTHON = Path("/usr/bin/python3")
#: The tests' own Python may be built without loadable extensions; the system's has them.
RUNNER = """
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.enable_load_extension(True)
connection.load_extension("mod_spatialite")
json.dump([connection.execute(statement).fetchall() for statement in json.load(sys.stdin)], sys.stdout)
"""


def with_spatialite(path: Path, *statements: str) -> list[Any]:
    """Return the rows of each statement, run by a Python with SpatiaLite."""
    command = [str(SYSTEM_PYTHON), "-c", RUNNER, str(path)]
    run = subprocess.run(command, input=json.dumps(statements), text=True, capture_output=True, check=True)
    return json.loads(run.stdout)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    command = [str(SYSTEM_PYTHON), "-c", RUNNER, ":memory:"]
    has_python = SYSTEM_PYTHON.exists()
    found = has_python and subprocess.run(command, input=b"[]", capture_output=True, check=False).returncode == 0
    require("spatialite", found, "install libsqlite3-mod-spatialite")
    return tmp_path / "trees.sqlite"


@pytest.mark.parametrize(
    ("kind", "dimensions", "wkt", "stored"),
    [
        ("MULTIPOLYGON", "XY", "Polygon ((0 0, 4 0, 4 4, 0 0))", "MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)))"),
        ("POINT", "XYZ", "PointZ (1 2 3)", "POINTZ(1 2 3)"),
        ("LINESTRING", "XYZM", "LineStringZM (0 0 1 2, 1 1 3 4)", "LINESTRINGZM(0 0 1 2, 1 1 3 4)"),
        ("MULTIPOINT", "XYM", "MultiPointM ((0 0 1), (1 1 3))", "MULTIPOINTM(0 0 1, 1 1 3)"),
        ("GEOMETRYCOLLECTION", "XY", "GeometryCollection (Point (1 2))", "GEOMETRYCOLLECTION(POINT(1 2))"),
    ],
)
def test_spatialite_reads_what_is_written(path: Path, kind: str, dimensions: str, wkt: str, stored: str) -> None:
    with_spatialite(
        path,
        "SELECT InitSpatialMetadata(1)",
        "CREATE TABLE trees (id INTEGER PRIMARY KEY, name TEXT, height INTEGER)",
        f"SELECT AddGeometryColumn('trees', 'geom', 4326, '{kind}', '{dimensions}')",
        "SELECT CreateSpatialIndex('trees', 'geom')",
        "INSERT INTO trees (id, name, height) VALUES (1, 'oak', 10)",
    )
    world = World(path.parent)
    world.add_layer("trees", "dbname='./trees.sqlite' table=\"trees\" (geom)", "spatialite")
    report = world.apply(
        create(7, wkt, id=7, name="new"),
        patch(1, {"height": 11}, {"height": 10}, wkt=wkt),
        patch(7, {"name": "newer"}),
        create(8, wkt, id=8),
        remove(8),
        patch(1, {}, wkt="TIN EMPTY"),
    )
    assert [outcome.status for outcome in report.outcomes] == [*["applied"] * 5, "not_applied"]
    rows, index, tree = with_spatialite(
        path,
        f"SELECT id, name, height, AsEWKT(geom) = AsEWKT(GeomFromText('{stored}', 4326)) FROM trees ORDER BY id",
        "SELECT CheckSpatialIndex('trees', 'geom')",
        "SELECT rtreecheck('idx_trees_geom')",
    )
    assert rows == [[1, "oak", 11, 1], [7, "newer", None, 1]]
    assert (index, tree) == ([[1]], [["ok"]])


def test_plain_tables_are_edited(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite") as connection:
        connection.execute("CREATE TABLE codes (code TEXT PRIMARY KEY, label VARCHAR(5), seen TIMESTAMP)")
        connection.execute("INSERT INTO codes VALUES ('a', 'one', '2024-05-01T10:00:00')")
        connection.execute("CREATE TABLE numbered (id BIGINT PRIMARY KEY, label)")
        connection.execute("INSERT INTO numbered VALUES (5, 'x')")
    connection.close()
    world = World(tmp_path)
    world.add_layer("codes", "./data.sqlite|layername=codes")
    world.add_layer("numbered", "./data.sqlite|layername=numbered")
    report = world.apply(
        patch("a", {"label": "two"}, {"label": "one", "seen": "2024-05-01T10:00:00.000"}, layer="codes"),
        create("a", None, layer="codes", code="a"),
        create("b", None, layer="codes", code="b", label="three"),
        create("c", None, layer="codes", label="none"),
        create(5, None, layer="numbered", id=5, label=1.5),
        patch(5, {"label": "new"}, {"label": 1.5}, layer="numbered"),
        remove(5, {"label": "x"}, layer="numbered", client="another"),
    )
    statuses = [outcome.status for outcome in report.outcomes]
    assert statuses == ["applied", "not_applied", "applied", "applied", "applied", "applied", "applied"]
    assert report.outcomes[1].feedback["provider_errors"] == ["UNIQUE constraint failed: codes.code"]
    with sqlite3.connect(tmp_path / "data.sqlite") as connection:
        assert connection.execute("SELECT code, label FROM codes").fetchall() == [
            *(("a", "two"), ("b", "three"), (report.outcomes[3].modified_pk, "none"))
        ]
        assert connection.execute("SELECT * FROM numbered").fetchall() == [(6, "new")]
    connection.close()


def test_sqlite_of_gdal_with_wkb(tmp_path: Path) -> None:
    write(tmp_path / "trees.sqlite", [Row(1, "oak", 10, 1.5, "POINT (0 0)")], driver="SQLite", with_fid=False)
    world = World(tmp_path)
    world.add_layer("trees", "./trees.sqlite|layername=trees")
    report = world.apply(create(9, "MultiPoint ((5 5))", ogc_fid=9, name="x"), patch(1, {}, wkt="Point (3 4)"))
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 2
    assert {fid: row.wkt for fid, row in read(tmp_path / "trees.sqlite").items()} == {
        1: "POINT (3 4)",
        9: "POINT (5 5)",
    }

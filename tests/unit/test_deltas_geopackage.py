"""Deltas on GeoPackages of GDAL and QGIS: rows, R-tree, metadata, bytes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest
import shapely

from delta_world import Row, World, check_geopackage, create, delta, patch, read, remove, write
from qfc_node.gis.deltas.editing import RefusedError
from qfc_node.gis.deltas.editors.geopackage import GeoPackage
from qfc_node.gis.deltas.stores import Stores

TREES = [
    Row(1, "oak", 10, 1.5, "POINT (0 0)"),
    Row(2, "elm", 20, None, "POINT (1 1)"),
    Row(3, None, None, 2.5, None),
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    write(tmp_path / "trees.gpkg", TREES, with_fid=False, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    return world


def sql(world: World, statement: str, file: str = "trees.gpkg") -> list[tuple[object, ...]]:
    with sqlite3.connect(world.folder / file, isolation_level=None) as connection:
        GeoPackage().prepare(connection)
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def trees(world: World) -> dict[int, Row]:
    return read(world.folder / "trees.gpkg", layer="trees")


def test_edits_of_all_methods_arrive(world: World) -> None:
    report = world.apply(
        create(100, "Point (8.5 47.5)", fid=100, name="ash", height=5),
        patch(1, {"height": 999}, {"height": 10}),
        remove(2, {"name": "elm", "height": 20}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3
    assert report.changed_files == {"trees.gpkg"}
    assert trees(world) == {
        1: Row(1, "oak", 999, 1.5, "POINT (0 0)"),
        3: TREES[2],
        100: Row(100, "ash", 5, None, "POINT (8.5 47.5)"),
    }
    check_geopackage(world.folder / "trees.gpkg")


def test_feedback_has_the_keys_that_clients_know(world: World) -> None:
    made = create(100, "Point (8.5 47.5)", fid=100, name="ash")
    outcome = world.apply_one(made)
    assert outcome.modified_pk == "100"
    assert outcome.feedback == {
        "msg": "Successfully applied delta!",
        "e_type": None,
        "method": "create",
        "status": "status_applied",
        "delta_id": made.id,
        "layer_id": "trees",
        "conflicts": None,
        "feature_pk": "100",
        "delta_index": 0,
        "modified_pk": 100,
        "delta_file_id": "deltafile-1",
        "provider_errors": None,
    }


def test_a_taken_key_is_replaced_by_the_next_one(world: World) -> None:
    outcome = world.apply_one(create(2, "Point (5 5)", fid=2, name="new"))
    assert outcome.modified_pk == "4"
    assert trees(world)[2] == TREES[1]
    assert trees(world)[4].name == "new"


@pytest.mark.parametrize("key", [None, "", "Autogenerate", -5, 2**60, 10**40, 1.5])
def test_a_key_that_is_none_is_given_by_the_source(world: World, key: object) -> None:
    outcome = world.apply_one(create("77", "Point (5 5)", fid=key, name="new"))
    assert (outcome.status, outcome.modified_pk) == ("applied", "4")


def test_later_deltas_find_the_feature_by_the_key_of_the_device(world: World) -> None:
    report = world.apply(
        create(2, "Point (5 5)", fid=2, name="new"),
        patch(2, {"name": "newer", "fid": 2}, {"name": "new", "fid": 2}),
        patch(2, {}, wkt="Point (6 6)"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3
    assert trees(world)[4] == Row(4, "newer", None, None, "POINT (6 6)")
    assert trees(world)[2] == TREES[1]


def test_keys_known_from_earlier_runs_count(world: World) -> None:
    change = patch(9, {"height": 1}, {"height": 20}, client="device")
    assert world.apply_one(change).status == "not_applied"
    outcome = world.apply_one(change, known={("device", "trees", "9"): "2"})
    assert (outcome.status, outcome.modified_pk) == ("applied", "2")


def test_edits_of_a_feature_that_was_not_created_do_not_fall_on_another(world: World) -> None:
    report = world.apply(create(2, "LineString (0 0, 1 1)", fid=2, name="new"), patch(2, {"name": "newer"}))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied"]
    assert trees(world)[2] == TREES[1]


def test_nothing_applied_changes_no_byte(world: World) -> None:
    before = world.snapshot()
    report = world.apply(
        patch(1, {"height": 1}, {"height": 11}),
        remove(99),
        create(5, "LineString (0 0, 1 1)"),
        patch(1, {"height": "tall"}),
        patch(1, {}),
        patch(1, {"height": 10, "name": "oak"}),
        delta("patch", layer="gone", new={"attributes": {}}),
        delta("explode"),
    )
    statuses = [outcome.status for outcome in report.outcomes]
    assert statuses == ["conflict", *["not_applied"] * 3, "applied", "applied", "not_applied", "error"]
    assert report.changed_files == frozenset()
    assert world.snapshot() == before


def test_conflicts_are_told_or_overwritten(world: World) -> None:
    change = patch(1, {"height": 30}, {"height": 11, "name": "oak", "weight": None})
    outcome = world.apply_one(change)
    assert (outcome.status, outcome.feedback["status"]) == ("conflict", "status_conflict")
    assert outcome.feedback["e_type"] == "Conflict"
    assert len(outcome.feedback["conflicts"]) == 2
    assert trees(world)[1] == TREES[0]
    outcome = world.apply_one(change, overwrite=True)
    assert outcome.status == "applied"
    assert len(outcome.feedback["conflicts"]) == 2
    assert trees(world)[1].height == 30


def test_conflicts_guard_deletions_too(world: World) -> None:
    assert world.apply_one(remove(1, {"height": 11})).status == "conflict"
    assert world.apply_one(remove(1, {"height": 11}), overwrite=True).status == "applied"
    assert 1 not in trees(world)


def test_values_count_not_their_spelling(world: World) -> None:
    sql(world, "ALTER TABLE trees ADD COLUMN seen DATETIME")
    sql(world, "ALTER TABLE trees ADD COLUMN day DATE")
    sql(world, "ALTER TABLE trees ADD COLUMN tags TEXT")
    sql(world, "ALTER TABLE trees ADD COLUMN alive BOOLEAN")
    values = "seen = '2024-05-01T10:00:00.500Z', day = '2024-05-01', tags = '[1, 2]', alive = 1"
    sql(world, f"UPDATE trees SET {values} WHERE fid = 1")
    old = {
        "seen": "2024-05-01T12:00:00.5+02:00",
        "day": "2024-05-01T00:00:00",
        "tags": [1, 2],
        "alive": True,
        "height": 10.0,
        "weight": "1.50",
        "unknown": "ignored",
    }
    assert world.apply_one(patch(1, {"name": "x"}, old)).status == "applied"
    assert world.apply_one(patch(1, {"name": "y"}, {**old, "seen": "2024-05-01T12:00:01+02:00"})).status == "conflict"


def test_an_empty_text_is_not_null(world: World) -> None:
    assert world.apply_one(patch(3, {"height": 1}, {"name": ""})).status == "conflict"
    assert world.apply_one(patch(3, {"name": ""}, {"name": None})).status == "applied"
    assert sql(world, "SELECT name FROM trees WHERE fid = 3") == [("",)]


def test_values_of_all_kinds_are_written_as_gdal_reads_them(world: World) -> None:
    for column in (
        "seen DATETIME",
        "day DATE",
        "photo BLOB",
        "alive BOOLEAN",
        "tags TEXT",
        "small SMALLINT",
        "w TEXT(3)",
    ):
        sql(world, f"ALTER TABLE trees ADD COLUMN {column}")
    values = {
        "seen": "2024-05-01T12:00:00.250+02:00",
        "day": "2024-05-01",
        "photo": "AP-_",
        "alive": True,
        "tags": ["a", "b"],
        "small": 7.0,
        "w": "äöü",
    }
    assert world.apply_one(patch(1, values)).status == "applied"
    info, _, _, columns = pyogrio.raw.read(world.folder / "trees.gpkg", layer="trees", fids=[1])
    found = {name: column[0] for name, column in zip(info["fields"], columns, strict=True)}
    assert str(found["seen"]).startswith("2024-05-01T10:00:00.250")
    assert str(found["day"]) == "2024-05-01"
    assert found["photo"] == b"\x00\xff\xbf"
    assert found["alive"]
    assert found["tags"] == '["a", "b"]'
    assert (found["small"], found["w"]) == (7, "äöü")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("small SMALLINT", 40000, "outside"),
        ("n INTEGER", "many", "not an integer"),
        ("n INTEGER", 1.5, "not an integer"),
        ("n INTEGER", 2**63, "outside"),
        ("r REAL", "NaN", "not a real number"),
        ("t TEXT", "a\0b", "NUL"),
        ("t TEXT", "\ud800", "Unicode"),
        ("d DATE", "yesterday", "not a date"),
        ("b BLOB", "%%%", "not binary data"),
        ("b BOOLEAN", "perhaps", "not a boolean"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_reason(
    world: World, column: str, value: object, words: str
) -> None:
    sql(world, f"ALTER TABLE trees ADD COLUMN {column}")
    outcome = world.apply_one(patch(1, {column.split()[0]: value, "height": 1}))
    assert (outcome.status, outcome.feedback["status"]) == ("not_applied", "status_apply_failed")
    assert words in outcome.feedback["msg"]
    assert f'"{column.split()[0]}"' in outcome.feedback["msg"]
    assert trees(world)[1] == TREES[0]


def test_constraints_of_the_table_are_provider_errors(world: World) -> None:
    sql(world, "CREATE UNIQUE INDEX only_once ON trees (name)")
    sql(world, "ALTER TABLE trees ADD COLUMN kind TEXT NOT NULL DEFAULT 'tree'")
    report = world.apply(
        create(50, "Point (1 2)", name="oak"),
        patch(1, {"kind": None}),
        create(51, "Point (1 2)", name="beech", kind=None),
    )
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied", "applied"]
    assert report.outcomes[0].feedback["provider_errors"] == ["UNIQUE constraint failed: trees.name"]
    assert report.outcomes[1].feedback["provider_errors"] == ["NOT NULL constraint failed: trees.kind"]
    assert sql(world, "SELECT kind FROM trees WHERE name = 'beech'") == [("tree",)]
    check_geopackage(world.folder / "trees.gpkg")


def test_no_edit_is_applied_without_one_of_its_values(world: World) -> None:
    sql(world, "ALTER TABLE trees ADD COLUMN twice INTEGER AS (height * 2)")
    before = trees(world)
    report = world.apply(
        create(9, None, name="x", girth=3, twice=5, fid_1=4),
        patch(1, {"height": 11, "girth": 3}, {"height": 10, "girth": 2}),
        patch(1, {f"field {n}": n for n in range(1000)}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["not_applied"] * 3
    assert "girth, twice" in report.outcomes[0].feedback["msg"]
    assert "fid_1" not in report.outcomes[0].feedback["msg"]
    assert "990 more" in report.outcomes[2].feedback["msg"]
    assert trees(world) == before


def test_what_a_device_did_not_change_needs_no_field(world: World) -> None:
    unchanged = {"girth": 2, "gone": None}
    report = world.apply(
        patch(1, {**unchanged, "height": 11}, {**unchanged, "height": 10}), create(9, None, name="x", gone=None)
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    assert trees(world)[1].height == 11


def test_fields_that_qgis_calculates_are_in_no_source(world: World) -> None:
    """Older apps send their values; recent ones do not."""
    calculated = '<expressionfields><field name="girth" expression="3"/><field name="height"/></expressionfields>'
    world.add_layer("calculated", "./trees.gpkg|layername=trees", elements=calculated)
    made, changed = (
        create(9, None, layer="calculated", name="x", girth=3),
        patch(1, {"girth": 4, "height": 11}, {"girth": 3, "height": 10}, layer="calculated"),
    )
    assert [outcome.status for outcome in world.apply(made, changed).outcomes] == ["applied", "applied"]
    assert trees(world)[1].height == 11


@pytest.mark.parametrize(
    ("settings", "name"),
    [("", "people_owner"), ("customPrefix='p_'", "p_owner"), ("customPrefix=''", "owner")],
)
def test_fields_that_are_joined_are_in_no_source(world: World, settings: str, name: str) -> None:
    """Older apps send their values too."""
    people = "<layername>people</layername><fieldConfiguration><field name='owner'/></fieldConfiguration>"
    world.add_layer("people", "./people.gpkg", elements=people)
    join = f"<vectorjoins><join joinLayerId='people' joinFieldName='id' {settings}/></vectorjoins>"
    world.add_layer("joined", "./trees.gpkg|layername=trees", elements=join)
    report = world.apply(
        create(9, None, layer="joined", name="x", **{name: "z"}),
        patch(1, {name: "z", "height": 11}, {name: "y", "height": 10}, layer="joined"),
        patch(1, {"p_more": 1}, layer="joined"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied", "not_applied"]
    assert trees(world)[1].height == 11


def test_a_change_that_means_the_same_is_written(world: World) -> None:
    sql(world, "ALTER TABLE trees ADD COLUMN tags TEXT")
    sql(world, "UPDATE trees SET tags = '[1, 2]', weight = 1")
    changes = {"tags": "[1,2]", "weight": 1 + 2**-50}
    assert world.apply_one(patch(1, changes, {"tags": [1, 2], "weight": 1})).status == "applied"
    assert sql(world, "SELECT tags, weight FROM trees WHERE fid = 1") == [("[1,2]", 1 + 2**-50)]


def test_keys_do_not_change(world: World) -> None:
    outcome = world.apply_one(patch(1, {"fid": 50}))
    assert outcome.status == "not_applied"
    assert world.apply_one(patch(1, {"fid": "1", "height": 3})).status == "applied"
    assert world.apply_one(patch(1, {"fid": 7, "height": 4}, local=7)).status == "applied"
    assert trees(world)[1].height == 4


def test_geometries_come_and_go(world: World) -> None:
    world.apply(
        patch(1, {}, wkt=None), patch(3, {}, wkt="PointZ (nan nan nan)"), patch(2, {}, wkt="MultiPoint ((7 7))")
    )
    assert {fid: row.wkt for fid, row in trees(world).items()} == {1: None, 2: "POINT (7 7)", 3: "POINT (0 0)"}
    check_geopackage(world.folder / "trees.gpkg")


def test_a_geometry_that_the_device_did_not_see_stays(world: World) -> None:
    """Devices send null for before and after if they know no geometry, and null alone if they do not say."""
    before = trees(world)
    report = world.apply(
        patch(1, {"height": 11}, {"height": 10}, wkt=None, seen=None),
        delta("patch", key=2, new={"geometry": None, "attributes": {"height": 21}}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    after = trees(world)
    assert {fid: row.wkt for fid, row in after.items()} == {fid: row.wkt for fid, row in before.items()}
    assert (after[1].height, after[2].height) == (11, 21)


def test_an_empty_text_is_no_geometry(world: World) -> None:
    before = trees(world)
    report = world.apply(patch(1, {"height": 11}, wkt=""), create(9, "", name="new"))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied"]
    assert "empty text" in report.outcomes[0].feedback["msg"]
    assert trees(world) == before


def test_times_without_a_zone_stay_without_one(world: World) -> None:
    """A column that mixes both is read as local and as UTC."""
    sql(world, "ALTER TABLE trees ADD COLUMN seen DATETIME")
    report = world.apply(
        patch(1, {"seen": "2024-03-01T10:11:12.345"}), patch(2, {"seen": "2024-03-01T10:11:12.345+02:00"})
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    stored = sql(world, "SELECT seen FROM trees ORDER BY fid LIMIT 2")
    assert stored == [("2024-03-01T10:11:12.345",), ("2024-03-01T08:11:12.345Z",)]


@pytest.mark.parametrize("wkt", ["Polygon ((0 0, 1 0, 1 1, 0 0))", "MultiPoint ((1 1), (2 2))"])
def test_other_geometries_are_refused(world: World, wkt: str) -> None:
    outcome = world.apply_one(patch(1, {"height": 1}, wkt=wkt))
    assert outcome.status == "not_applied"
    assert "does not fit" in outcome.feedback["msg"]
    assert trees(world)[1] == TREES[0]


@pytest.mark.parametrize(
    ("layer_type", "wkt", "stored"),
    [
        ("Point Z", "Point (1 2)", "POINT Z (1 2 0)"),
        ("Point", "PointZM (1 2 3 4)", "POINT (1 2)"),
        ("Point Z", "PointZM (1 2 3 4)", "POINT Z (1 2 3)"),
        ("MultiPolygon", "Polygon ((0 0, 4 0, 4 4, 0 0))", "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)))"),
        ("Polygon", "MultiPolygon (((0 0, 4 0, 4 4, 0 0)))", "POLYGON ((0 0, 4 0, 4 4, 0 0))"),
        ("MultiLineString Z", "LineStringZ (0 0 1, 1 1 2)", "MULTILINESTRING Z ((0 0 1, 1 1 2))"),
        ("Unknown", "Polygon ((0 0, 4 0, 4 4, 0 0))", "POLYGON ((0 0, 4 0, 4 4, 0 0))"),
        ("Point", "Point EMPTY", "POINT EMPTY"),
    ],
)
def test_geometries_are_fitted_to_the_layer(tmp_path: Path, layer_type: str, wkt: str, stored: str) -> None:
    write(tmp_path / "trees.gpkg", [], layer_type, with_fid=False, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    assert world.apply_one(create(1, wkt)).status == "applied"
    assert trees(world)[1].wkt == stored
    check_geopackage(tmp_path / "trees.gpkg")


def test_measures_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "trees.gpkg", [], "Point", with_fid=False, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    sql(world, "UPDATE gpkg_geometry_columns SET z = 1, m = 1")
    world.apply(create(1, "PointZM (1 2 3 4)"))
    [(blob,)] = sql(world, "SELECT geom FROM trees")
    assert isinstance(blob, bytes)
    assert shapely.from_wkb(blob[8:]).wkt == "POINT ZM (1 2 3 4)"


def test_curves_are_kept_with_their_bulge_in_the_index(tmp_path: Path) -> None:
    write(tmp_path / "trees.gpkg", [], "Unknown", with_fid=False, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    sql(world, "UPDATE gpkg_geometry_columns SET geometry_type_name = 'COMPOUNDCURVE'")
    outcome = world.apply_one(create(1, "CircularString (-1 0, -0.6 0.8, 0.6 0.8)"))
    assert outcome.status == "applied"
    [box] = sql(world, "SELECT minx, maxx, miny, maxy FROM rtree_trees_geom")
    assert box == pytest.approx((-1, 0.6, 0, 1), abs=1e-6)
    info = pyogrio.read_info(tmp_path / "trees.gpkg", layer="trees", force_total_bounds=True)
    assert info["total_bounds"] == pytest.approx((-1, 0, 0.6, 1))


def test_the_extent_shrinks_when_the_outermost_feature_goes(world: World) -> None:
    world.apply(create(10, "Point (500.1 -500.1)", fid=10))
    extent = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = 'trees'"
    assert sql(world, extent) == [(0.0, -500.1, 500.1, 1.0)]
    world.apply(patch(10, {}, wkt="Point (0.5 0.25)"), remove(1))
    assert sql(world, extent) == [(0.5, 0.25, 1.0, 1.0)]
    world.apply(remove(2), remove(10))
    assert sql(world, extent) == [(None, None, None, None)]


@pytest.mark.parametrize("far", [(5, 0.5), (-5, 0.5), (0.5, 5), (0.5, -5)])
def test_the_extent_shrinks_on_every_side(world: World, far: tuple[float, float]) -> None:
    x, y = far
    extent = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = 'trees'"
    world.apply(create(10, f"Point ({x} {y})", fid=10))
    assert sql(world, extent) == [(min(x, 0), min(y, 0), max(x, 1), max(y, 1))]
    world.apply(remove(10))
    assert sql(world, extent) == [(0, 0, 1, 1)]


def test_missing_triggers_are_made_up_for(world: World) -> None:
    for (name,) in sql(world, "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trees'"):
        sql(world, f'DROP TRIGGER "{name}"')
    world.apply(create(10, "Point (5 5)"), patch(1, {}, wkt="Point (3 3)"), remove(2), patch(3, {}, wkt="Point (1 2)"))
    check_geopackage(world.folder / "trees.gpkg")


def test_a_write_ahead_file_ends_as_one_file(world: World) -> None:
    sql(world, "PRAGMA journal_mode=WAL")
    before = world.snapshot()
    assert world.apply(remove(77)).changed_files == frozenset()
    assert world.snapshot() == before
    assert world.apply(remove(1)).changed_files == {"trees.gpkg"}
    check_geopackage(world.folder / "trees.gpkg")
    assert sql(world, "PRAGMA journal_mode") == [("delete",)]


def test_a_log_that_came_along_is_merged_and_emptied(world: World) -> None:
    """A client uploads a GeoPackage while QGIS has it open: the newest edits are in the -wal file only."""
    path = world.folder / "trees.gpkg"
    connection = sqlite3.connect(path, isolation_level=None)
    GeoPackage().prepare(connection)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("UPDATE trees SET height = 11 WHERE fid = 1")
    bytes_of = {name: (world.folder / name).read_bytes() for name in ("trees.gpkg", "trees.gpkg-wal")}
    connection.close()
    for name, data in bytes_of.items():
        (world.folder / name).write_bytes(data)
    (world.folder / "trees.gpkg-shm").unlink(missing_ok=True)
    before = world.snapshot()
    assert world.apply(patch(1, {"height": 5}, {"height": 10})).changed_files == frozenset()
    assert world.snapshot() == before
    report = world.apply(patch(1, {"name": "x"}, {"height": 11}))
    assert report.changed_files == {"trees.gpkg", "trees.gpkg-wal"}
    assert (world.folder / "trees.gpkg-wal").read_bytes() == b""
    (world.folder / "trees.gpkg-wal").unlink()
    assert trees(world)[1] == Row(1, "x", 11, 1.5, "POINT (0 0)")
    check_geopackage(path)


def test_a_hard_link_elsewhere_keeps_its_bytes(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    blob = tmp_path_factory.mktemp("store") / "blob"
    os.link(world.folder / "trees.gpkg", blob)
    stored = blob.read_bytes()
    assert world.apply_one(remove(1)).status == "applied"
    assert blob.read_bytes() == stored
    assert 1 not in trees(world)
    assert sorted(path.name for path in world.folder.iterdir()) == ["field.qgs", "trees.gpkg"]


def test_layers_of_one_file_share_a_run(world: World) -> None:
    write(world.folder / "trees.gpkg", TREES, with_fid=False, layer="shrubs", append=True)
    world.add_layer("shrubs", "./trees.gpkg|layername=shrubs|subset=height > 15")
    world.add_layer("again", "./trees.gpkg|layerid=0")
    report = world.apply(remove(1), remove(2, layer="shrubs"), patch(2, {"name": "x"}, layer="again"))
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3
    assert trees(world)[2].name == "x"
    assert 2 not in read(world.folder / "trees.gpkg", layer="shrubs")
    check_geopackage(world.folder / "trees.gpkg", "shrubs")


def test_odd_names_are_names(tmp_path: Path) -> None:
    write(tmp_path / "a b.gpkg", TREES, with_fid=False, layer='tr"ee, s', geometry_name='the"geom')
    world = World(tmp_path)
    world.add_layer("trees", './a b.gpkg|layername=tr"ee, s')
    sql(world, """ALTER TABLE "tr""ee, s" ADD COLUMN "a, 'b"" c" TEXT""", "a b.gpkg")
    assert world.apply_one(create(1, "Point (1 1)", **{"a, 'b\" c": "x"})).status == "applied"
    assert world.apply_one(patch(1, {"a, 'b\" c": "y"}, wkt="Point (2 2)")).status == "applied"
    assert read(tmp_path / "a b.gpkg")[1].wkt == "POINT (2 2)"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("./trees.gpkg|layername=nowhere", "no table"),
        ("./trees.gpkg|layerid=1", "no such layer"),
        ("./missing.gpkg|layername=trees", "missing.gpkg"),
        ("../outside.gpkg|layername=trees", "outside.gpkg"),
        ("./trees.gpkg|layername=seen", "view"),
        ("./trees.gpkg|layername=pairs", "Composite (multi-column)"),
        ("./trees.gpkg|layername=nameless", "has no primary key"),
        ("./broken.gpkg|layername=trees", "damaged"),
        ("./picture.kmz", "cannot be edited"),
        ("https://example.invalid/wfs", "cannot be edited"),
    ],
)
def test_layers_that_cannot_be_edited_say_why(world: World, source: str, words: str) -> None:
    sql(world, "CREATE VIEW seen AS SELECT * FROM trees")
    sql(world, "CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b))")
    sql(world, "CREATE TABLE nameless (c TEXT)")
    (world.folder / "broken.gpkg").write_bytes(b"no database" * 1000)
    (world.folder / "picture.kmz").write_bytes(b"x")
    world.add_layer("odd", source)
    report = world.apply(remove(1, layer="odd"), remove(1, layer="odd"), remove(1))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied", "applied"]
    assert words in report.outcomes[0].feedback["msg"]


def test_a_view_whose_triggers_would_accept_edits_is_not_edited_either(world: World) -> None:
    """What such a trigger does is not known: neither the key nor the R-tree could be trusted."""
    sql(world, "CREATE VIEW seen AS SELECT * FROM trees")
    sql(world, "CREATE TRIGGER t INSTEAD OF DELETE ON seen BEGIN DELETE FROM trees WHERE fid = OLD.fid; END")
    world.add_layer("odd", "./trees.gpkg|layername=seen")
    outcome = world.apply_one(remove(1, layer="odd"))
    assert outcome.status == "not_applied"
    assert "is a view" in outcome.feedback["msg"]
    assert 1 in trees(world)


def test_a_layer_that_is_gone_is_named(world: World) -> None:
    outcome = world.apply_one(remove(1, layer="trees_c07ac20e"))
    assert outcome.status == "not_applied"
    assert 'No layer with id "trees_c07ac20e"' in outcome.feedback["msg"]


def test_read_only_layers_stay(world: World) -> None:
    world.add_layer("locked", "./trees.gpkg|layername=trees", attributes='readOnly="1"')
    assert "read-only" in world.apply_one(remove(1, layer="locked")).feedback["msg"]


def test_the_local_layer_counts_when_the_source_layer_is_empty(world: World) -> None:
    change = delta("delete", "trees", "1")
    content = {**change.content, "sourceLayerId": ""}
    assert world.apply_one(type(change)(change.id, "f", "c", content)).status == "applied"


def test_a_trigger_that_takes_back_everything_leaves_no_delta_applied(world: World) -> None:
    sql(
        world,
        "CREATE TRIGGER nope BEFORE DELETE ON trees WHEN old.fid = 2 BEGIN SELECT RAISE(ROLLBACK, 'not this one'); END",
    )
    before = world.snapshot()
    report = world.apply(patch(1, {"height": 1}), remove(2), patch(3, {"height": 1}))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied"] * 3
    assert "not this one" in report.outcomes[1].feedback["msg"]
    assert report.changed_files == frozenset()
    assert world.snapshot() == before


def test_a_geopackage_needs_no_heavy_library(world: World) -> None:
    script = (
        "import sys, json, pathlib\n"
        "from qfc_node.gis.project import Project\nfrom qfc_node.gis.port import Delta\n"
        "from qfc_node.gis.deltas import apply_deltas\n"
        "content = dict(method='create', localPk='9', localLayerId='trees', new=dict(geometry='Point (1 1)'))\n"
        "report = apply_deltas(Project.read(pathlib.Path(sys.argv[1])), [Delta('d', 'f', 'c', content)],\n"
        "    overwrite_conflicts=False, known_pks={}, log=print)\n"
        "assert report.changed_files, report\n"
        "print(json.dumps([m for m in ('numpy', 'pyogrio', 'shapely', 'psycopg', 'django') if m in sys.modules]))\n"
    )
    path = world.project().file
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_feature_that_was_deleted_is_not_edited_under_the_key_of_another(world: World) -> None:
    """Without AUTOINCREMENT, SQLite gives the number of the last row to the next one."""
    with sqlite3.connect(world.folder / "plain.sqlite") as connection:
        connection.execute("CREATE TABLE trees (id INTEGER PRIMARY KEY, name TEXT)")
    connection.close()
    world.add_layer("plain", "./plain.sqlite|layername=trees")
    report = world.apply(
        create(9, None, layer="plain", name="left"),
        remove(9, layer="plain"),
        create(9, None, layer="plain", name="right", client="right"),
        patch(9, {"name": "lost"}, layer="plain"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied", "applied", "not_applied"]
    assert sql(world, "SELECT name FROM trees", "plain.sqlite") == [("right",)]


def test_deltas_that_do_not_say_their_own_key_are_taken_at_their_word(world: World) -> None:
    nameless = create(2, "Point (5 5)", local="", fid=2, name="new")
    change = patch(2, {"name": "x"}, {"name": "elm"}, local="")
    report = world.apply(nameless, change)
    assert [outcome.modified_pk for outcome in report.outcomes] == ["4", "2"]


def test_an_empty_log_beside_a_file_is_left_alone(world: World) -> None:
    (world.folder / "trees.gpkg-wal").write_bytes(b"")
    assert world.apply(remove(1)).changed_files == {"trees.gpkg"}
    assert 1 not in trees(world)


def test_a_source_that_could_not_be_opened_is_not_tried_again_in_the_same_run(world: World) -> None:
    """Each attempt may take as long as the time-out of a database that does not answer."""
    (world.folder / "broken.gpkg").write_bytes(b"no database" * 1000)
    world.add_layer("broken", "./broken.gpkg|layername=trees")
    project = world.project()
    layer, stores = project.layer("broken"), Stores(project)
    assert layer is not None
    for _ in range(2):
        with pytest.raises(RefusedError, match="damaged"):
            stores.editor(layer)
        (world.folder / "broken.gpkg").write_bytes((world.folder / "trees.gpkg").read_bytes())

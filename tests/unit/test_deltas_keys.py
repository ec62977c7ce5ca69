"""Keys of rows, of the R-tree and of devices, keys that must not be used again, and the metadata of files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from delta_world import Row, World, check_geopackage, create, patch, read, remove, write
from qfc_node.gis.deltas.applying import apply_edit
from qfc_node.gis.deltas.content import read_edit
from qfc_node.gis.deltas.created_keys import CreatedKeys
from qfc_node.gis.deltas.editing import Feature, LayerSchema, Unchanged
from qfc_node.gis.deltas.editors.geopackage import GeoPackage
from qfc_node.gis.deltas.editors.geopackage_blob import read_bounds, write_blob
from qfc_node.gis.deltas.geometry import read_wkt
from qfc_node.gis.deltas.values import Field, FieldKind

POINTS = [Row(1, "oak", 10, None, "POINT (10 1)"), Row(2, "elm", 20, None, "POINT (20 2)")]


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        GeoPackage().prepare(connection)
        return connection.execute(statement).fetchall()


@pytest.fixture
def world(tmp_path: Path) -> World:
    write(tmp_path / "trees.gpkg", POINTS, with_fid=False, layer="trees")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    return world


def with_stations(world: World, key: str, keys: Sequence[str]) -> Path:
    """Add a table whose primary key is not the row number: rows 1 and 2 have other keys."""
    path = world.folder / "trees.gpkg"
    statements = (
        f"CREATE TABLE stations ({key} PRIMARY KEY, name TEXT, geom POINT)",
        f"INSERT INTO stations SELECT {keys[0]}, name, geom FROM trees WHERE fid = 1",
        f"INSERT INTO stations SELECT {keys[1]}, name, geom FROM trees WHERE fid = 2",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id, min_x, min_y, max_x, max_y)"
        " VALUES ('stations', 'features', 'stations', 4326, 10, 1, 20, 2)",
        "INSERT INTO gpkg_geometry_columns VALUES ('stations', 'geom', 'POINT', 4326, 0, 0)",
        "CREATE VIRTUAL TABLE rtree_stations_geom USING rtree(id, minx, maxx, miny, maxy)",
        "INSERT INTO rtree_stations_geom"
        " SELECT rowid, ST_MinX(geom), ST_MaxX(geom), ST_MinY(geom), ST_MaxY(geom) FROM stations",
    )
    for statement in statements:
        sql(path, statement)
    world.add_layer("stations", "./trees.gpkg|layername=stations")
    return path


def places(path: Path) -> dict[str, tuple[object, object]]:
    """Return the place of each station by its key: in its row, and in the R-tree."""
    rows = sql(
        path,
        "SELECT s.code, ST_MinX(s.geom), ST_MinY(s.geom), r.minx, r.miny FROM stations AS s"
        " LEFT JOIN rtree_stations_geom AS r ON r.id = s._rowid_",
    )
    return {str(key): ((x, y), (in_tree_x, in_tree_y)) for key, x, y, in_tree_x, in_tree_y in rows}


@pytest.mark.parametrize(
    ("declared", "keys"),
    [("code TEXT", ("'a'", "'b'", "'c'")), ("code INT", ("2", "1", "77")), ("code BIGINT", ("700", "2", "1"))],
)
def test_the_r_tree_goes_by_the_number_of_the_row_whatever_the_key_is(
    world: World, declared: str, keys: tuple[str, str, str]
) -> None:
    """If keys look like row numbers, an entry under the key would belong to another feature."""
    path = with_stations(world, declared, keys[:2])
    first, second, third = (key.strip("'") for key in keys)
    report = world.apply(
        patch(first, {}, wkt="Point (30 3)", layer="stations"),
        create(third, "Point (40 4)", layer="stations", code=third),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    assert places(path) == {
        first: ((30, 3), (30, 3)),
        second: ((20, 2), (20, 2)),
        third: ((40, 4), (40, 4)),
    }
    assert world.apply_one(remove(second, layer="stations")).status == "applied"
    assert set(places(path)) == {first, third}
    assert sql(path, "SELECT count(*) FROM rtree_stations_geom") == [(2,)]
    assert sql(path, "SELECT rtreecheck('rtree_stations_geom')") == [("ok",)]


def test_keys_of_rows_that_were_deleted_do_not_come_back_in_a_table_that_does_not_number_itself(world: World) -> None:
    with_stations(world, "code INT", ("100", "200"))
    report = world.apply(
        remove(200, layer="stations"),
        create("Autogenerate", "Point (1 1)", layer="stations", name="new"),
        patch(200, {"name": "lost"}, layer="stations"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied", "not_applied"]
    assert report.outcomes[1].modified_pk == "201"


@pytest.mark.parametrize(("given", "key"), [(0, "0"), (2**53, str(2**53)), (2**53 + 1, "3"), (-1, "3"), (2, "3")])
def test_a_key_is_taken_as_it_is_given_where_it_is_free_and_no_larger_than_keys_are(
    world: World, given: int, key: str
) -> None:
    outcome = world.apply_one(create("local", "Point (1 1)", fid=given, name="new"))
    assert (outcome.status, outcome.modified_pk) == ("applied", key)
    assert read(world.folder / "trees.gpkg", layer="trees")[int(key)].name == "new"


# --- keys of files that are rewritten as a whole


def collection(world: World, *keys: object) -> Path:
    """Add a GeoJSON file of features with these values of `fid`."""
    path = world.folder / "t.geojson"
    point = {"type": "Point", "coordinates": [1, 1]}
    features = [
        {"type": "Feature", "properties": {"fid": key, "name": f"old {place}"}, "geometry": point}
        for place, key in enumerate(keys)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    world.add_layer("features", "./t.geojson")
    return path


def names(path: Path) -> list[tuple[object, str]]:
    features = json.loads(path.read_text())["features"]
    return [(feature["properties"]["fid"], feature["properties"]["name"]) for feature in features]


@pytest.mark.parametrize(("given", "key"), [(0, 0), (2**53, 2**53), (2**53 + 1, 3), (-1, 3), (2, 3), (None, 3)])
def test_a_feature_of_a_file_has_its_own_key_where_it_is_free(world: World, given: int | None, key: int) -> None:
    path = collection(world, 1, 2)
    outcome = world.apply_one(create("local", "Point (1 1)", layer="features", fid=given, name="new"))
    assert (outcome.status, outcome.modified_pk) == ("applied", str(key))
    assert names(path)[2] == (key, "new")


def test_numbers_are_counted_on_from_the_largest_that_a_device_gave(world: World) -> None:
    path = collection(world, 1, 2)
    report = world.apply(*(create(f"local {n}", layer="features", fid=key) for n, key in enumerate((7, None, 7, None))))
    assert [outcome.modified_pk for outcome in report.outcomes] == ["7", "8", "9", "10"]
    assert [key for key, _ in names(path)] == [1, 2, 7, 8, 9, 10]


def test_what_is_too_long_for_a_number_is_not_counted_on(world: World) -> None:
    collection(world, 1, 2**63 - 1)
    assert world.apply_one(create("local", layer="features", name="new")).modified_pk == "2"


def test_a_text_that_is_a_key_belongs_to_one_feature_only(world: World) -> None:
    path = collection(world, "a", "b")
    report = world.apply(*(create(key, layer="features", fid=key, name="new") for key in ("b", None, "c", "c")))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "applied", "applied", "not_applied"]
    made = report.outcomes[1].modified_pk
    assert made is not None
    assert UUID(made)
    assert names(path) == [("a", "old 0"), ("b", "old 1"), (made, "new"), ("c", "new")]


@pytest.mark.parametrize("keys", [(1, 1, 2), ("a", "a", "b"), (1, 1.0, 2), ("1", 1, 2)])
def test_of_features_with_the_same_key_none_is_edited(world: World, keys: tuple[object, ...]) -> None:
    path = collection(world, *keys)
    report = world.apply(patch(keys[0], {"name": "new"}, layer="features"), remove(keys[0], layer="features"))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied"]
    assert "Several features" in report.outcomes[0].feedback["msg"]
    assert world.apply_one(patch(keys[2], {"name": "new"}, layer="features")).status == "applied"
    assert [name for _, name in names(path)] == ["old 0", "old 1", "new"]


@pytest.mark.parametrize(("keys", "asked"), [((1.0, 2.5), "1"), (("01", "2"), "01"), ((7, None), "7")])
def test_keys_are_those_that_devices_write(world: World, keys: tuple[object, ...], asked: str) -> None:
    path = collection(world, *keys)
    assert world.apply_one(patch(asked, {"name": "new"}, layer="features")).status == "applied"
    assert [name for _, name in names(path)] == ["new", "old 1"]


def with_properties(world: World, *features: Mapping[str, Any]) -> Path:
    """Add a GeoJSON file of these features."""
    path = world.folder / "t.geojson"
    found = [{"type": "Feature", "geometry": None, **feature} for feature in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}))
    world.add_layer("features", "./t.geojson")
    return path


def test_a_property_id_is_no_key(world: World) -> None:
    """Its values look like the places of features, from 0: an edit of feature 1 changed the second."""
    path = with_properties(world, *({"properties": {"id": n, "name": f"old {n}"}} for n in (1, 2, 3)))
    before = path.read_bytes()
    report = world.apply(patch(1, {"name": "new"}, layer="features"), remove(2, layer="features"))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "not_applied"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("ids", [(5, 9), ("x", "y")])
def test_the_id_of_features_is_a_key(world: World, ids: tuple[object, object]) -> None:
    path = with_properties(world, *({"id": n, "properties": {"name": f"old {n}"}} for n in ids))
    report = world.apply(
        patch(ids[1], {"name": "new", "id": ids[1]}, layer="features"), create("local", layer="features", name="more")
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    assert report.outcomes[1].modified_pk
    assert ids[0] != 5 or report.outcomes[1].modified_pk == "10"
    found = json.loads(path.read_text())["features"]
    assert [(str(each["id"]), each["properties"]) for each in found] == [
        (str(ids[0]), {"name": f"old {ids[0]}"}),
        (str(ids[1]), {"name": "new"}),
        (report.outcomes[1].modified_pk, {"name": "more"}),
    ]


def test_a_table_whose_rows_share_a_key(world: World) -> None:
    sql(world.folder / "trees.gpkg", "CREATE TABLE plain (fid INTEGER, name TEXT)")
    sql(world.folder / "trees.gpkg", "INSERT INTO plain VALUES (1, 'a'), (1, 'b'), (2, 'c')")
    world.add_layer("plain", "./trees.gpkg|layername=plain")
    report = world.apply(*(patch(key, {"name": "new"}, layer="plain") for key in (1, 2)))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "applied"]
    assert sql(world.folder / "trees.gpkg", "SELECT name FROM plain") == [("a",), ("b",), ("new",)]


def test_a_column_may_be_called_like_the_number_of_the_row(world: World) -> None:
    path = with_stations(world, "code TEXT", ("'a'", "'b'"))
    sql(path, "ALTER TABLE stations ADD COLUMN rowid INTEGER DEFAULT 1")
    assert world.apply_one(patch("b", {}, wkt="Point (30 3)", layer="stations")).status == "applied"
    assert places(path) == {"a": ((10, 1), (10, 1)), "b": ((30, 3), (30, 3))}


def test_a_file_that_is_in_the_end_as_it_was_has_not_changed(world: World) -> None:
    collection(world, 1)
    assert world.apply(patch(1, {"name": "new"}, layer="features")).changed_files == {"t.geojson"}
    back_and_forth = (patch(1, {"name": name}, layer="features") for name in ("newer", "new"))
    report = world.apply(*back_and_forth)
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied"]
    assert report.changed_files == frozenset()


# --- keys of devices


def test_a_feature_that_is_gone_is_known_again_when_the_device_creates_it_again() -> None:
    edit = read_edit(create(9, None))
    keys = CreatedKeys({})
    assert (keys.is_mapped(edit), keys.source_key(edit)) == (False, "9")
    keys.created(edit, "17")
    assert (keys.is_mapped(edit), keys.source_key(edit)) == (True, "17")
    keys.gone(edit)
    assert (keys.is_mapped(edit), keys.source_key(edit)) == (False, None)
    keys.created(edit, "18")
    assert (keys.is_mapped(edit), keys.source_key(edit)) == (True, "18")


def test_a_deletion_that_was_not_made_leaves_the_feature_known(world: World) -> None:
    report = world.apply(
        create(9, "Point (1 1)", fid=2, name="new"),
        remove(9, {"name": "not that"}),
        patch(9, {"name": "newer"}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "conflict", "applied"]
    assert read(world.folder / "trees.gpkg", layer="trees")[3].name == "newer"


class OneFeature:
    """A layer with one feature, whose key can change as in PostgreSQL; it records the written values."""

    schema = LayerSchema({"id": Field("id", FieldKind.INTEGER)}, "id", None, key_is_fixed=False)

    def __init__(self) -> None:
        self.written: list[tuple[Mapping[str, object], object]] = []

    def find(self, key: str) -> Feature | None:
        return Feature(key, {"id": int(key)})

    def insert(self, attributes: Mapping[str, object], geometry: object) -> str:
        raise NotImplementedError

    def update(self, feature: Feature, attributes: Mapping[str, object], geometry: object) -> str:
        self.written.append((attributes, geometry))
        return feature.key

    def delete(self, feature: Feature) -> None:
        raise NotImplementedError


def test_the_number_that_a_device_gave_its_feature_is_not_written_over_that_of_the_source() -> None:
    layer, created = OneFeature(), read_edit(create(9, None))
    keys = CreatedKeys({})
    keys.created(created, "17")
    apply_edit(layer, read_edit(patch(9, {"id": 9})), keys, overwrite_conflicts=False)
    assert layer.written == []
    apply_edit(layer, read_edit(patch(5, {"id": 6})), keys, overwrite_conflicts=False)
    assert layer.written == [({"id": 6}, Unchanged.GEOMETRY)]


# --- the file's metadata about the table


@pytest.mark.parametrize("missing", ["insert", "delete"])
def test_features_are_counted_once_where_one_of_the_two_triggers_is_missing(world: World, missing: str) -> None:
    path = world.folder / "trees.gpkg"
    sql(path, f"DROP TRIGGER trigger_{missing}_feature_count_trees")
    world.apply(create(9, "Point (1 1)", name="new"), create(10, "Point (1 1)", name="newer"), remove(1))
    check_geopackage(path)


def test_tables_have_the_same_name_in_the_books_however_it_is_spelled(world: World) -> None:
    path = world.folder / "trees.gpkg"
    for books in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_ogr_contents"):
        sql(path, f"UPDATE {books} SET table_name = 'TREES'")
    sql(path, "UPDATE gpkg_contents SET last_change = '2000-01-01T00:00:00.000Z'")
    world.apply(create(9, "Point (500 500)", name="new"), patch(1, {}, wkt="Point (-500 -500)"))
    [(change, *extent)] = sql(path, "SELECT last_change, min_x, min_y, max_x, max_y FROM gpkg_contents")
    assert str(change) > "2020"
    assert extent == [-500, -500, 500, 500]


# --- bounds of blobs


def test_an_empty_geometry_has_no_bounds_whatever_its_envelope_says() -> None:
    line = write_blob(read_wkt("LineString (1 2, 3 4)"), 4326)
    assert read_bounds(line) == (1, 2, 3, 4)
    assert read_bounds(line[:3] + bytes([line[3] | 0x10]) + line[4:]) is None


def test_an_envelope_is_read_in_the_byte_order_of_its_header() -> None:
    line = write_blob(read_wkt("LineString (1 2, 3 4)"), 4326)
    envelope = b"".join(line[at : at + 8][::-1] for at in range(8, 40, 8))
    assert read_bounds(line[:3] + bytes([line[3] & ~0x01]) + line[4:8] + envelope + line[40:]) == (1, 2, 3, 4)


def test_the_head_of_a_blob_tells_its_bounds_though_it_ends_with_the_envelope() -> None:
    line = write_blob(read_wkt("LineString (1 2, 3 4)"), 4326)
    assert read_bounds(line[:40]) == (1, 2, 3, 4)

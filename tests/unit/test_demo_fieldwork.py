"""The demo's fieldwork: deltas as QField writes them, and the oracle that predicts their result."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely

from qfc.demo import fieldwork
from qfc.demo.geometry import Geometry, from_blob, from_geojson, from_wkt, line, point, same, to_wkt
from qfc.demo.oracle import Expectation, expect
from qfc.demo.survey import Survey, read_survey, shipped_project
from qfc.demo.verification import differences, wrong_statuses

PROJECT = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def survey() -> Survey:
    return read_survey(shipped_project())


@pytest.fixture
def day(survey: Survey) -> dict[str, dict[str, Any]]:
    """A whole day: the deltafiles of both devices."""
    west, east = fieldwork.surveyors(survey, "mira", "jonas", random.Random(4))
    fieldwork.tour(east, 100)
    files = {"tour": fieldwork.push(east, PROJECT)}
    fieldwork.morning(west)
    fieldwork.morning(east)
    files |= {"west": fieldwork.push(west, PROJECT), "east": fieldwork.push(east, PROJECT)}
    fieldwork.afternoon(west)
    return {**files, "evening": fieldwork.push(west, PROJECT)}


def test_the_shipped_project_has_the_layers_that_the_fieldwork_needs(survey: Survey) -> None:
    wanted = {
        "road_closures",
        "cabinets",
        "cables",
        "closures",
        "ducts",
        "inspections",
        "poles",
        "premises",
        "service_areas",
    }

    assert set(survey.layers) == wanted
    assert all(survey.features[layer] for layer in wanted)
    assert {layer.file for layer in survey.layers.values()} == {
        "network.gpkg",
        "premises.gpkg",
        "road_closures.geojson",
    }


def test_every_uuid_of_the_shipped_project_is_there_once(survey: Survey) -> None:
    for rows in survey.features.values():
        assert len({row.uuid for row in rows.values()}) == len(rows)


def test_a_day_has_creates_patches_and_deletes_on_both_devices(day: dict[str, dict[str, Any]]) -> None:
    for side in ("west", "east"):
        methods = Counter(delta["method"] for delta in day[side]["deltas"])
        assert methods["create"] >= 5
        assert methods["patch"] >= 10
        assert methods["delete"] >= 3
    clients = {delta["clientId"] for file in day.values() for delta in file["deltas"]}
    assert len(clients) == 2


def test_a_deltafile_says_what_qfield_says(day: dict[str, dict[str, Any]], survey: Survey) -> None:
    deltafile = day["west"]

    assert deltafile["project"] == PROJECT
    assert deltafile["version"] == "1.0"
    patch = next(delta for delta in deltafile["deltas"] if delta["method"] == "patch")
    assert patch["localLayerId"] == patch["sourceLayerId"] == survey.layers["poles"].id
    assert patch["old"]["attributes"].keys() == patch["new"]["attributes"].keys()
    create = next(delta for delta in deltafile["deltas"] if delta["method"] == "create")
    assert "old" not in create
    assert create["new"]["attributes"]["fid"] == int(create["localPk"])


def test_a_photo_is_announced_with_its_checksum(day: dict[str, dict[str, Any]]) -> None:
    deltas = [delta for delta in day["west"]["deltas"] if "files_sha256" in delta.get("new", {})]

    assert len(deltas) == 1
    (name,) = deltas[0]["new"]["files_sha256"]
    assert deltas[0]["new"]["attributes"]["photo"] == name
    assert name.startswith("DCIM/")


def test_all_uuids_are_different(day: dict[str, dict[str, Any]]) -> None:
    uuids = [delta["uuid"] for file in day.values() for delta in file["deltas"]]

    assert len(set(uuids)) == len(uuids)


@pytest.mark.parametrize("order", [("west", "east"), ("east", "west")])
def test_exactly_one_conflict_whoever_comes_first(
    survey: Survey, day: dict[str, dict[str, Any]], order: tuple[str, str]
) -> None:
    expected = expect(survey, [day[name] for name in order])

    assert Counter(expected.statuses.values())["conflict"] == 1
    assert set(expected.statuses.values()) == {"applied", "conflict"}
    (contested,) = expected.conflicts
    assert contested in {delta["uuid"] for delta in day[order[1]]["deltas"]}


def test_the_order_matters_for_the_contested_pole_only(survey: Survey, day: dict[str, dict[str, Any]]) -> None:
    west_first, east_first = (
        expect(survey, [day[name] for name in order]) for order in (("west", "east"), ("east", "west"))
    )

    for layer, rows in west_first.state.items():
        for uuid, row in rows.items():
            other = east_first.state[layer][uuid]
            contested = row.attributes.get("code") == fieldwork.CONTESTED_POLE
            assert (row.attributes != other.attributes) == contested


def test_two_devices_guess_the_same_key_and_both_features_arrive(
    survey: Survey, day: dict[str, dict[str, Any]]
) -> None:
    made = [d for side in ("west", "east") for d in day[side]["deltas"] if d["method"] == "create"]
    poles = [delta for delta in made if delta["sourceLayerId"] == survey.layers["poles"].id]

    assert len({delta["localPk"] for delta in poles}) < len(poles)
    assert expect(survey, [day["west"], day["east"]]).count("poles") == len(survey.features["poles"]) + len(poles)


def test_a_deltafile_that_is_sent_twice_counts_once(survey: Survey, day: dict[str, dict[str, Any]]) -> None:
    once = expect(survey, [day["west"], day["east"]])
    twice = expect(survey, [day["west"], day["east"], day["west"]])

    assert once == twice


def test_what_was_made_in_the_morning_is_found_in_the_evening(survey: Survey, day: dict[str, dict[str, Any]]) -> None:
    expected = expect(survey, [day["east"], day["tour"], day["west"], day["evening"]])

    assert all(expected.statuses[delta["uuid"]] == "applied" for delta in day["evening"]["deltas"])
    heights = [row.attributes["height_m"] for row in expected.state["poles"].values()]
    assert heights.count(9.5) == 1


def test_an_edit_of_a_removed_feature_is_not_applied(survey: Survey, day: dict[str, dict[str, Any]]) -> None:
    delete = next(delta for delta in day["west"]["deltas"] if delta["method"] == "delete")
    again = {**day["west"], "id": "again", "deltas": [{**delete, "uuid": "again"}]}

    assert expect(survey, [day["west"], again]).statuses["again"] == "not_applied"


def test_the_oracle_agrees_with_a_database(survey: Survey, day: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """The same deltas, applied with SQL to a copy of the files, give the oracle's result."""
    order = [_without_geojson(day[name], survey) for name in ("tour", "west", "east", "evening")]
    folder = Path(shutil.copytree(shipped_project(), tmp_path / "copy"))
    expected = expect(survey, order)

    statuses = _apply_with_sql(folder, survey, [delta for deltafile in order for delta in deltafile["deltas"]])

    assert wrong_statuses(expected, statuses) == []
    assert differences(expected, read_survey(folder)) == []


def test_every_kind_of_damage_is_noticed(survey: Survey) -> None:
    expected = expect(survey, [])
    poles = survey.features["poles"]
    first = poles[1]

    def damaged(rows: dict[int, Any]) -> list[str]:
        return differences(expected, Survey(survey.folder, survey.layers, {**survey.features, "poles": rows}))

    assert damaged(poles) == []
    assert "missing" in damaged({key: row for key, row in poles.items() if key != 1})[0]
    assert "2 times" in damaged({**poles, 900: replace(first, key=900)})[0]
    assert "height_m" in damaged({**poles, 1: replace(first, attributes={**first.attributes, "height_m": 1.0})})[0]
    assert "geometry" in damaged({**poles, 1: replace(first, geometry=point(1, 2))})[0]
    stranger = replace(first, key=901, attributes={**first.attributes, "uuid": "{new}"})
    assert "should not exist" in damaged({**poles, 901: stranger})[0]
    without = {name: rows for name, rows in survey.features.items() if name != "ducts"}
    assert differences(expected, Survey(survey.folder, survey.layers, without)) == ["ducts: the layer is missing"]


def test_lost_invented_and_wrong_deltas_are_noticed() -> None:
    expected = Expectation({}, {"a": "applied", "b": "conflict", "c": "applied"})

    problems = wrong_statuses(expected, {"b": "applied", "c": "applied", "d": "applied"})

    assert problems == ["delta a is lost", "delta d was never sent", "delta b is applied instead of conflict"]


@pytest.mark.parametrize(
    "geometry",
    [
        point(612_000.25, 5_871_000.5),
        line((0, 0), (1.5, -2), (3, 4e-3)),
        from_geojson({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}),
    ],
)
def test_geometries_survive_text(geometry: Geometry) -> None:
    assert from_wkt(to_wkt(geometry)) == geometry


def test_text_is_written_as_qfield_writes_it() -> None:
    assert to_wkt(point(612_000.25, 5_871_000.5)) == "Point (612000.25 5871000.5)"
    assert to_wkt(line((0, 0), (1.5, -2))) == "LineString (0 0, 1.5 -2)"


@pytest.mark.parametrize(("shift", "expected"), [(0.0, True), (0.9e-6, True), (1.1e-6, False)])
def test_geometries_are_the_same_up_to_a_tolerance(shift: float, expected: bool) -> None:
    assert same(line((0, 0), (1, 1)), line((0, 0), (1, 1 + shift)), 1e-6) is expected
    assert not same(line((0, 0), (1, 1)), line((1, 1), (0, 0)), 1e-6)
    assert not same(point(0, 0), None, 1e-6)
    assert same(None, None, 1e-6)


def test_multipoints_are_read_with_and_without_inner_brackets() -> None:
    assert from_wkt("MULTIPOINT ((1 2), (3 4))") == from_wkt("MultiPoint (1 2, 3 4)")


@pytest.mark.parametrize("text", ["", "Point", "Circle (1 2)", "Point (1 2", "Point (a b)"])
def test_broken_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_wkt(text)


def test_broken_blobs_are_refused() -> None:
    with pytest.raises(ValueError):
        from_blob(b"XX\x00\x01")
    with pytest.raises(ValueError):
        from_blob(b"GP\x00\x0f" + bytes(40))
    with pytest.raises(ValueError):
        from_blob(b"GP\x00\x01" + bytes(4) + b"\x01\x01")


def _without_geojson(deltafile: dict[str, Any], survey: Survey) -> dict[str, Any]:
    other = survey.layers["road_closures"].id
    return {**deltafile, "deltas": [delta for delta in deltafile["deltas"] if delta["sourceLayerId"] != other]}


def _apply_with_sql(folder: Path, survey: Survey, deltas: list[dict[str, Any]]) -> dict[str, str]:
    names = {layer.id: layer for layer in survey.layers.values()}
    statuses: dict[str, str] = {}
    keys: dict[tuple[str, str, str], int] = {}
    for delta in deltas:
        layer = names[delta["sourceLayerId"]]
        with closing(_open_without_triggers(folder / layer.file)) as database, database:
            known = keys.get((delta["clientId"], layer.id, delta["localPk"]), int(delta["sourcePk"]))
            statuses[delta["uuid"]], key = _apply_one(database, layer.table, delta, known)
            if delta["method"] == "create":
                keys[delta["clientId"], layer.id, delta["localPk"]] = key
    return statuses


def _open_without_triggers(path: Path) -> sqlite3.Connection:
    """The triggers call functions that only a spatial library has."""
    database = sqlite3.connect(path)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    return database


def _apply_one(database: sqlite3.Connection, table: str, delta: dict[str, Any], key: int) -> tuple[str, int]:
    new, old = delta.get("new", {}), delta.get("old", {}).get("attributes", {})
    values = dict(new.get("attributes", {}))
    if new.get("geometry"):
        values["geom"] = _blob(from_wkt(new["geometry"]))
    if delta["method"] == "create":
        fid = values.pop("fid")
        taken = database.execute(f"SELECT count(*) FROM {table} WHERE fid = ?", [fid]).fetchone()[0]
        row = values if taken else {"fid": fid, **values}
        marks = ", ".join("?" for _ in row)
        return "applied", int(
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()]).lastrowid or 0
        )
    for name, value in old.items():
        same = f"SELECT count(*) FROM {table} WHERE fid = ? AND replace({name}, '.000', '') IS replace(?, '.000', '')"
        if name != "fid" and not database.execute(same, [key, value]).fetchone()[0]:
            return "conflict", key
    if delta["method"] == "delete":
        database.execute(f"DELETE FROM {table} WHERE fid = ?", [key])
    else:
        changes = ", ".join(f"{name} = ?" for name in values)
        database.execute(f"UPDATE {table} SET {changes} WHERE fid = ?", [*values.values(), key])
    return "applied", key


def _blob(geometry: Geometry) -> bytes:
    return b"GP\x00\x01" + struct.pack("<i", 25832) + shapely.to_wkb(geometry)

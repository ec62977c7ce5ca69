"""An edit counts as applied only if the row says so: triggers may ignore or undo it without an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from delta_world import World, create, patch, remove
from gis_samples import trees


def world_with(folder: Path, *triggers: str) -> World:
    trees(folder / "trees.gpkg")
    with closing(sqlite3.connect(folder / "trees.gpkg")) as connection:
        for trigger in triggers:
            connection.execute(f"CREATE TRIGGER {trigger} END")
        connection.commit()
    world = World(folder)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    return world


def rows(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "trees.gpkg")) as connection:
        return connection.execute("SELECT fid, name, height FROM trees ORDER BY fid").fetchall()


@pytest.mark.parametrize(
    ("trigger", "edit", "words"),
    [
        ("t BEFORE UPDATE ON trees BEGIN SELECT RAISE(IGNORE);", "patch", "kept the feature from being changed"),
        ("t BEFORE INSERT ON trees BEGIN SELECT RAISE(IGNORE);", "create", "kept the feature from being added"),
        ("t BEFORE DELETE ON trees BEGIN SELECT RAISE(IGNORE);", "delete", "kept the feature from being deleted"),
        (
            "t AFTER UPDATE ON trees BEGIN UPDATE trees SET name = OLD.name WHERE fid = NEW.fid;",
            "patch",
            "kept the old value of: name",
        ),
        ("t AFTER INSERT ON trees BEGIN DELETE FROM trees WHERE fid = NEW.fid;", "create", "removed the feature"),
        (
            "t AFTER DELETE ON trees BEGIN INSERT INTO trees VALUES (OLD.fid, OLD.geom, OLD.name, OLD.height);",
            "delete",
            "kept the feature from being deleted",
        ),
        (
            "t AFTER UPDATE OF geom ON trees BEGIN UPDATE trees SET geom = OLD.geom WHERE fid = NEW.fid;",
            "move",
            "changed the geometry",
        ),
    ],
)
def test_an_edit_that_vanishes_is_not_applied(trigger: str, edit: str, words: str, tmp_path: Path) -> None:
    world = world_with(tmp_path, trigger)
    before = rows(tmp_path)
    edits = {
        "patch": patch(1, {"name": "oak"}, {"name": "tree 1"}),
        "move": patch(1, {}, {}, wkt="Point (8 47)"),
        "create": create(9, "Point (8 47)", name="ash"),
        "delete": remove(1, {"name": "tree 1"}),
    }
    outcome = world.apply_one(edits[edit])
    assert (outcome.status, words in outcome.feedback["msg"]) == ("not_applied", True), outcome.feedback
    assert rows(tmp_path) == before


def test_a_trigger_refuses_in_bytes_that_are_no_text(tmp_path: Path) -> None:
    world = world_with(tmp_path, "t BEFORE UPDATE ON trees BEGIN SELECT RAISE(ABORT, 'no way');")
    path = tmp_path / "trees.gpkg"
    path.write_bytes(path.read_bytes().replace(b"no way", b"no\xffway"))
    outcome = world.apply_one(patch(1, {"name": "oak"}, {"name": "tree 1"}))
    assert (outcome.status, "no\ufffdway" in outcome.feedback["msg"]) == ("not_applied", True), outcome.feedback


def test_a_value_that_a_trigger_makes_of_the_new_one_counts(tmp_path: Path) -> None:
    world = world_with(
        tmp_path, "t AFTER UPDATE OF name ON trees BEGIN UPDATE trees SET name = upper(NEW.name) WHERE fid = NEW.fid;"
    )
    assert world.apply_one(patch(1, {"name": "oak"}, {"name": "tree 1"})).status == "applied"
    assert rows(tmp_path)[0] == (1, "OAK", 1.5)


def test_a_change_of_nothing_counts(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    assert world.apply_one(patch(1, {"name": "tree 1", "height": 2}, {})).status == "applied"
    assert rows(tmp_path)[0] == (1, "tree 1", 2.0)

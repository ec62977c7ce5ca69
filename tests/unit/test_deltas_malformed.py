"""Malformed deltas: each gets an outcome with a reason, whatever it contains, and the others are applied."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delta_world import Row, World, check_geopackage, delta, patch, read, write
from qfc_node.gis.port import Delta

START = [Row(1, "oak", 10, 1.5, "POINT (0 0)"), Row(2, "elm", 20, None, "POINT (1 1)")]
GOOD: dict[str, Any] = {
    "uuid": "u",
    "clientId": "c",
    "exportId": "e",
    "localPk": "1",
    "sourcePk": "1",
    "localLayerId": "trees",
    "sourceLayerId": "trees",
    "method": "patch",
    "old": {"geometry": "Point (0 0)", "attributes": {"height": 10}, "file_sha256": {}},
    "new": {"geometry": "Point (5 5)", "attributes": {"height": 11, "name": "x"}},
}
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**62, 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["trees", "1", "create", "Point (1 1)", "\0", "\ud800", "9" * 5000, "Point (nan nan)", "NaN"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
PATHS = [
    *([key] for key in GOOD),
    *([side, key] for side in ("old", "new") for key in ("geometry", "attributes")),
    *([side, "attributes", key] for side in ("old", "new") for key in ("height", "name", "fid", "weight")),
]


def world_of(folder: Path) -> World:
    world = World(folder)
    write(folder / "trees.gpkg", START, with_fid=False, layer="trees")
    write(folder / "bushes.shp", START)
    write(folder / "shrubs.geojson", START)
    world.add_layer("trees", "./trees.gpkg|layername=trees")
    world.add_layer("bushes", "./bushes.shp")
    world.add_layer("shrubs", "./shrubs.geojson")
    return world


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A valid delta with some entries removed or replaced by anything; sometimes nothing of it is left."""
    content = json.loads(json.dumps(GOOD))
    layer = draw(st.sampled_from(["trees", "bushes", "shrubs"]))
    content["localLayerId"] = content["sourceLayerId"] = layer
    content["method"] = draw(st.sampled_from(["create", "patch", "delete"]))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        owner = content
        for key in path[:-1]:
            owner = owner.get(key) if isinstance(owner, dict) else None
        if isinstance(owner, dict):
            if draw(st.booleans()):
                owner.pop(path[-1], None)
            else:
                owner[path[-1]] = draw(anything)
    return draw(st.sampled_from([content, content, content, draw(anything)]))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(contents=st.lists(damaged(), min_size=1, max_size=4), overwrite=st.booleans())
def test_whatever_is_sent_gets_an_outcome(
    contents: list[Any], overwrite: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    world = world_of(folder)
    deltas = [Delta(f"d{place}", "f", "c", content) for place, content in enumerate(contents)]
    good = patch(2, {"weight": 9}, {"weight": None})
    before = world.snapshot()
    report = world.apply(*deltas, overwrite=overwrite)
    assert [outcome.delta_id for outcome in report.outcomes] == [delta.id for delta in deltas]
    for outcome in report.outcomes:
        check_feedback(outcome.feedback, outcome.status)
    after = world.snapshot()
    assert report.changed_files == {name for name in after if before[name][0] != after[name][0]}
    check_geopackage(folder / "trees.gpkg")
    assert read(folder / "bushes.shp").keys() >= set()
    if 2 in read(folder / "trees.gpkg"):
        assert world.apply_one(good, overwrite=True).status == "applied"


def check_feedback(feedback: dict[str, Any], status: str) -> None:
    """PostgreSQL accepts it as jsonb: plain JSON, no NUL, no half surrogate pairs."""
    assert "\\u0000" not in json.dumps(feedback, allow_nan=False)
    json.dumps(feedback, ensure_ascii=False).encode()
    assert feedback["msg"]
    assert status in ("applied", "conflict", "not_applied", "error")
    assert (feedback["e_type"] is None) == (status == "applied")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "truncate"}, '"method"'),
        ({"method": None}, '"method"'),
        ({"method": ["create"]}, '"method"'),
        ({"new": None, "method": "create"}, None),
        ({"new": []}, '"new"'),
        ({"new": {"attributes": []}}, '"attributes" of "new"'),
        ({"old": 5}, '"old"'),
        ({"localLayerId": "", "sourceLayerId": None}, "does not name a layer"),
        ({"sourceLayerId": 1.5}, '"sourceLayerId"'),
        ({"sourcePk": True}, '"sourcePk"'),
        ({"localPk": "x" * 2000}, "1000"),
        ({"sourcePk": "1\0"}, "NUL"),
        ({"new": {"geometry": 5}}, '"geometry"'),
        ({"new": {"geometry": "Point (1 2"}}, "well-known text"),
        ({"new": {"geometry": "POINT(" + "(" * 100_000}}, "well-known text"),
        ({"new": {"attributes": {str(number): 1 for number in range(20_000)}}}, "20000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], words: str | None) -> None:
    world = world_of(tmp_path)
    before = world.snapshot()
    outcome = world.apply_one(Delta("d", "f", "c", {**GOOD, **change}))
    if words is None:
        assert outcome.status == "applied"
        return
    assert outcome.status == "error"
    assert words in outcome.feedback["msg"]
    assert len(outcome.feedback["msg"]) < 300
    assert world.snapshot() == before


def test_a_delta_is_taken_up_to_the_length_of_its_keys_and_the_number_of_its_attributes(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    attributes: dict[str, None] = {str(number): None for number in range(10_000)}
    for changes in ({"localPk": "x" * 1000}, {"new": {"attributes": attributes}}):
        content = {**GOOD, "method": "create", **changes}
        assert world.apply_one(Delta("d", "f", "c", content)).status == "applied"
    for changes in ({"localPk": "x" * 1001}, {"new": {"attributes": {**attributes, "one more": None}}}):
        content = {**GOOD, "method": "create", **changes}
        assert world.apply_one(Delta("d", "f", "c", content)).status == "error"


def test_a_patch_without_new_is_an_error(tmp_path: Path) -> None:
    content = {key: value for key, value in GOOD.items() if key != "new"}
    outcome = world_of(tmp_path).apply_one(Delta("d", "f", "c", content))
    assert (outcome.status, outcome.feedback["status"]) == ("error", "status_error")


@pytest.mark.parametrize("content", [None, [], "create", 5, {}])
def test_what_is_no_delta_at_all_is_an_error(tmp_path: Path, content: Any) -> None:
    assert world_of(tmp_path).apply_one(Delta("d", "f", "c", content)).status == "error"


def test_deep_values_are_refused(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    content = {**GOOD, "old": {}, "new": {"attributes": {"name": deep}}}
    outcome = world_of(tmp_path).apply_one(Delta("d", "f", "c", content))
    assert outcome.status == "not_applied"


def test_keys_as_numbers_are_taken(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    content = {**GOOD, "sourcePk": 1, "localPk": 1}
    assert world.apply_one(Delta("d", "f", "c", content)).status == "applied"
    assert world.apply_one(delta("delete", key=10**40)).status == "not_applied"

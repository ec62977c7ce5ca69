"""Random runs of deltas against a model: a dictionary of features, for every kind of file."""

from __future__ import annotations

import csv
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delta_world import Row, World, check_geopackage, create, patch, read, remove, write

START = [Row(1, "oak", 10, 1.5, "POINT (0 0)"), Row(2, "elm", 20, None, "POINT (1 1)"), Row(3, None, None, 2.5, None)]
FILES = {
    "GeoPackage": "trees.gpkg",
    "shapefile": "trees.shp",
    "GeoJSON": "trees.geojson",
    "delimited text": "trees.csv",
    "FlatGeobuf": "trees.fgb",
}
#: Not blank, because shapefiles and delimited text cannot distinguish an empty text from null.
names = st.none() | st.text("abcdefgöß ;,\"'|", min_size=1, max_size=8).map(str.strip).filter(bool)
heights = st.none() | st.integers(-(10**6), 10**6)
weights = st.none() | st.integers(-4000, 4000).map(lambda eighths: eighths / 8)
points = st.none() | st.tuples(st.integers(-90, 90), st.integers(-90, 90)).map(lambda xy: f"POINT ({xy[0]} {xy[1]})")
attributes = st.fixed_dictionaries({}, optional={"name": names, "height": heights, "weight": weights})


@dataclass
class Step:
    """One edit of the feature with that key, on that device."""

    method: str
    key: int
    client: str
    new: dict[str, Any]
    wkt: Any
    stale: bool


steps = st.builds(
    Step,
    method=st.sampled_from(["create", "patch", "patch", "delete"]),
    key=st.integers(1, 8),
    client=st.sampled_from(["left", "right"]),
    new=attributes,
    wkt=points | st.just("absent"),
    stale=st.sampled_from([False, False, False, True]),
)


@dataclass
class Model:
    """The expected result."""

    rows: dict[int, Row]
    largest: int = 3
    mapped: dict[tuple[str, int], int] = field(default_factory=dict)
    gone: set[tuple[str, int]] = field(default_factory=set)

    def apply(self, step: Step, overwrite: bool) -> tuple[str, int | None]:
        """Return the status and the key that the delta must have."""
        if step.method == "create":
            return "applied", self._create(step)
        key = self._key(step)
        if key not in self.rows:
            return "not_applied", None
        if step.stale and not overwrite:
            return "conflict", None
        if step.method == "delete":
            del self.rows[key]
            self.mapped.pop((step.client, step.key), None)
            self.gone.add((step.client, step.key))
        else:
            changes = step.new if step.wkt == "absent" else {**step.new, "wkt": step.wkt}
            self.rows[key] = replace(self.rows[key], **changes)
        return "applied", key

    def _create(self, step: Step) -> int:
        key = step.key if step.key not in self.rows else self.largest + 1
        self.largest = max(self.largest, key)
        self.rows[key] = Row(key, **step.new, wkt=None if step.wkt == "absent" else step.wkt)
        self.mapped[step.client, step.key] = key
        self.gone.discard((step.client, step.key))
        return key

    def _key(self, step: Step) -> int | None:
        """A device does not edit a feature that it deleted, even if another feature has its number now."""
        if (step.client, step.key) in self.gone:
            return None
        return self.mapped.get((step.client, step.key), step.key)

    def old(self, step: Step) -> dict[str, Any]:
        """The values that the device last saw: the current ones, or others."""
        row = self.rows.get(self._key(step) or 0)
        if row is None:
            return {}
        return {"name": row.name, "height": 10**7 if step.stale else row.height, "weight": row.weight}


def world_of(folder: Path, kind: str) -> World:
    world = World(folder)
    path = folder / FILES[kind]
    if kind == "delimited text":
        path.write_text("fid,name,height,weight,wkt\n1,oak,10,1.5,POINT (0 0)\n2,elm,20,,POINT (1 1)\n3,,,2.5,\n")
        world.add_layer("trees", "file:./trees.csv?wktField=wkt", "delimitedtext")
    elif kind == "GeoPackage":
        write(path, START, with_fid=False, layer="trees")
        world.add_layer("trees", "./trees.gpkg|layername=trees")
    else:
        options = {"layer_options": {"SPATIAL_INDEX": "NO"}} if kind == "FlatGeobuf" else {}
        write(path, START, **options)
        world.add_layer("trees", f"./{FILES[kind]}")
    return world


def outcome_of(folder: Path, kind: str) -> dict[int, Row]:
    if kind != "delimited text":
        return read(folder / FILES[kind])
    with (folder / "trees.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        return {
            int(row["fid"]): Row(
                int(row["fid"]),
                row["name"] or None,
                int(row["height"]) if row["height"] else None,
                float(row["weight"]) if row["weight"] else None,
                row["wkt"] or None,
            )
            for row in rows
        }


def delta_of(step: Step, model: Model) -> Any:
    wkt = {} if step.wkt == "absent" else {"wkt": step.wkt}
    if step.method == "create":
        return create(step.key, wkt.get("wkt"), client=step.client, fid=step.key, **step.new)
    if step.method == "delete":
        return remove(step.key, model.old(step), client=step.client)
    return patch(step.key, step.new, model.old(step), client=step.client, **wkt)


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.lists(steps, max_size=6), min_size=1, max_size=3), overwrite=st.booleans())
def test_files_agree_with_the_model(
    kind: str, runs: list[list[Step]], overwrite: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    world, model = world_of(folder, kind), Model({row.fid: row for row in START})
    for run in runs:
        model.largest = max(model.largest if kind == "GeoPackage" else 0, *model.rows, 0)
        known = {(client, "trees", str(key)): str(found) for (client, key), found in model.mapped.items()}
        expected, deltas = [], []
        model.gone.clear()
        for step in run:
            deltas.append(delta_of(step, model))
            expected.append(model.apply(step, overwrite))
        before = world.snapshot()
        report = world.apply(*deltas, overwrite=overwrite, known=known)
        reached = [(outcome.status, outcome.modified_pk) for outcome in report.outcomes]
        assert reached == [(status, key and str(key)) for status, key in expected]
        assert outcome_of(folder, kind) == model.rows
        after = world.snapshot()
        assert report.changed_files == {name for name in after if before[name][0] != after[name][0]}
        if kind == "GeoPackage":
            check_geopackage(folder / "trees.gpkg")
    shutil.rmtree(folder)

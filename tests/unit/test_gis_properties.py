"""Random layers and edits in every format that can be edited, from package to package.

After each run the whole file is compared: exactly the addressed features changed, exactly as was asked.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from field_device import DeviceLayer, FieldDevice
from gis_samples import layer_xml, make_geopackage, point, write_project
from qfc_node.gis.port import Delta
from qfc_node.gis.wkb import strip_header

#: Layers with their edits, for each format.
EXAMPLES = int(os.environ.get("QFC_PROPERTY_EXAMPLES", "8"))

Place = tuple[float, float] | None
Values = dict[str, Any]
#: A feature: its values, and its place.
Feature = tuple[Values, Place]


@dataclass(frozen=True)
class Format:
    """How layers of a format are made; `blank_is_null`: an empty text is null."""

    write: Callable[[Path, Mapping[Any, Feature]], str]
    provider: str = "ogr"
    text_keys: bool = False
    blank_is_null: bool = False
    fields: tuple[str, ...] = ("name", "height", "weight")
    drops_blanks: bool = False


def write_geopackage(folder: Path, features: Mapping[Any, Feature]) -> str:
    key = "TEXT PRIMARY KEY" if any(isinstance(name, str) for name in features) else "INTEGER PRIMARY KEY"
    columns = (
        f"fid {key}, geom POINT, name TEXT(10), height INTEGER, weight REAL, seen DATETIME, day DATE, alive BOOLEAN"
    )
    rows = [
        (name, None if place is None else point(*place), *(values[each] for each in RICH))
        for name, (values, place) in features.items()
    ]
    make_geopackage(folder / "t.gpkg", "t", columns, rows, with_index=False)
    return "./t.gpkg|layername=t"


def write_sqlite(folder: Path, features: Mapping[Any, Feature]) -> str:
    with closing(sqlite3.connect(folder / "t.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE t (fid INTEGER PRIMARY KEY, name VARCHAR(10), height BIGINT, weight FLOAT)")
        rows = [(key, *(values[each] for each in PLAIN)) for key, (values, _) in features.items()]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    return "./t.sqlite|layername=t"


def write_geojson(folder: Path, features: Mapping[Any, Feature]) -> str:
    made = [
        {
            "type": "Feature",
            "properties": {"fid": key, **values},
            "geometry": None if place is None else {"type": "Point", "coordinates": list(place)},
        }
        for key, (values, place) in features.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": made}, ensure_ascii=False)
    (folder / "t.geojson").write_text(text, encoding="utf-8")
    return "./t.geojson"


def write_csv(folder: Path, features: Mapping[Any, Feature]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["fid", *PLAIN, "wkt"])
    for key, (values, place) in features.items():
        wkt = "" if place is None else f"POINT ({place[0]!r} {place[1]!r})"
        writer.writerow([key, *("" if values[each] is None else values[each] for each in PLAIN), wkt])
    (folder / "t.csv").write_text(text.getvalue(), newline="")
    return "./t.csv"


def write_delimited(folder: Path, features: Mapping[Any, Feature]) -> str:
    write_csv(folder, features)
    return "file:./t.csv?type=csv&wktField=wkt&crs=EPSG:4326"


def by_gdal(name: str) -> Callable[[Path, Mapping[Any, Feature]], str]:
    def write(folder: Path, features: Mapping[Any, Feature]) -> str:
        values = [values for values, _ in features.values()]
        columns = [
            np.array(list(features), dtype=np.int64),
            np.array([each["name"] for each in values], dtype=object),
            np.array([each["height"] or 0 for each in values], dtype=np.int64),
            np.array([math.nan if each["weight"] is None else each["weight"] for each in values]),
        ]
        places = [None if place is None else shapely.to_wkb(shapely.Point(place)) for _, place in features.values()]
        masks = [None, None, np.array([each["height"] is None for each in values]), None]
        options = {"SPATIAL_INDEX": "NO"} if name.endswith(".fgb") else {}
        kind = {"geometry_type": "Point", "crs": "EPSG:4326", "layer_options": options}
        geometries = np.array(places, dtype=object)
        encoding = {"encoding": "UTF-8"} if name.endswith(".shp") else {}
        pyogrio.raw.write(folder / name, geometries, columns, ["fid", *PLAIN], field_mask=masks, **kind, **encoding)
        return f"./{name}"

    return write


PLAIN = ("name", "height", "weight")
RICH = (*PLAIN, "seen", "day", "alive")
FORMATS = {
    "GeoPackage": Format(write_geopackage, text_keys=True, fields=RICH),
    "SQLite": Format(write_sqlite),
    "shapefile": Format(by_gdal("t.shp"), blank_is_null=True, drops_blanks=True),
    "FlatGeobuf": Format(by_gdal("t.fgb")),
    "GeoJSON": Format(write_geojson, text_keys=True, fields=RICH),
    "CSV": Format(write_csv, text_keys=True, blank_is_null=True),
    "delimited text": Format(write_delimited, "delimitedtext", text_keys=True, blank_is_null=True),
}

#: Not the look of a date: where all texts of a field have it, devices show a field of dates.
texts = st.sampled_from(["007", "1e5", "", " x ", "a,b", 'q"q', "line\nline", "null", "[1, 2]"])
names = texts | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
seconds = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: moment.replace(microsecond=345000)
)
moments = seconds.map(lambda each: each.isoformat(timespec="milliseconds")) | seconds.map(
    lambda each: each.isoformat(timespec="milliseconds") + "Z"
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": names,
    "height": st.integers(-(2**31), 2**31 - 1),
    "weight": st.floats(-1e6, 1e6).map(lambda value: round(value, 6) + 0.0),
    "seen": moments,
    "day": st.dates(date(2000, 1, 1), date(2089, 12, 31)).map(date.isoformat),
    "alive": st.booleans(),
}
places = st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(lambda xy: (xy[0] + 0.0, xy[1] + 0.0))
number_keys = st.integers(0, 2**40)
text_keys = st.text("abcäß -_", max_size=6).map(lambda text: f"k{text}".strip())


@dataclass(frozen=True)
class Edit:
    """What a device does to the feature at `place` of the package."""

    method: str
    place: int
    new: Values
    geometry: Place
    moves: bool


@dataclass
class Case:
    """A layer, and edits of it."""

    features: dict[Any, Feature]
    edits: list[Edit] = field(default_factory=list[Edit])


@st.composite
def cases(draw: st.DrawFn, kind: Format) -> Case:
    values = {name: st.none() | VALUES[name] for name in kind.fields}
    keys = text_keys if kind.text_keys and draw(st.booleans()) else number_keys
    rows = st.tuples(st.fixed_dictionaries(values), places)
    features = draw(st.dictionaries(keys, rows, min_size=1, max_size=5))
    # Where all texts look like numbers, devices show a field of numbers and cannot write other texts.
    next(iter(features.values()))[0]["name"] = "a text"
    edit = st.builds(
        Edit,
        st.sampled_from(["patch", "patch", "create", "delete"]),
        st.integers(0, 9),
        st.fixed_dictionaries({}, optional=values),
        places,
        st.booleans(),
    )
    return Case(features, draw(st.lists(edit, max_size=6)))


class Run:
    """One project through packaging, edits, and packaging again."""

    def __init__(self, kind: Format, case: Case, folder: Path) -> None:
        self._kind, self._folder = kind, folder
        (folder / "files").mkdir()
        source = kind.write(folder / "files", case.features)
        write_project(folder / "files", [layer_xml("t", source, provider=kind.provider)])
        self.device = self._packaged("first")
        assert self.device.notes == ""
        self.layer = self.device.editable()["t"]
        self.before = state(self.device, self.layer)
        self.expected = dict(self.before)
        self.keys = list(self.before)

    def _packaged(self, name: str) -> FieldDevice:
        return FieldDevice(self._folder / "files/survey.qgs", self._folder / name)

    def delta(self, number: int, edit: Edit) -> Delta:
        geometry = None if edit.geometry is None else f"Point ({edit.geometry[0]!r} {edit.geometry[1]!r})"
        if edit.method == "create":
            return self.device.create(self.layer, 9000 + number, edit.new, geometry if self.layer.geometry else None)
        row = self._row(edit)
        if edit.method == "delete":
            return self.device.remove(self.layer, row)
        moved = {"geometry": geometry} if edit.moves and self.layer.geometry else {}
        return self.device.patch(self.layer, row, edit.new, **moved)

    def key(self, edit: Edit) -> str:
        return self.keys[edit.place % len(self.keys)]

    def _row(self, edit: Edit) -> Mapping[str, Any]:
        rows = {self.device._key(self.layer, row): row for row in self.device.rows(self.layer)}
        return rows[self.key(edit)]

    def expect(self, edit: Edit, status: str, modified_key: str | None) -> None:
        """Note what an edit must have done: nothing, or exactly what was asked."""
        if status != "applied":
            assert edit.method != "create" and self.key(edit) not in self.expected, (edit, status)
            return
        place = edit.geometry if self.layer.geometry else None
        if edit.method == "create":
            assert modified_key is not None
            assert modified_key not in self.expected
            values = {**dict.fromkeys(self._kind.fields), **edit.new}
            self.expected[modified_key] = (values, place)
            return
        key = self.key(edit)
        values, old_place = self.expected.pop(key)
        if edit.method == "patch":
            place = place if edit.moves and self.layer.geometry else old_place
            self.expected[key] = ({**values, **edit.new}, place)

    def check(self) -> None:
        seen = self._packaged("second")
        if not self.expected and "t" not in seen.editable():
            assert self._kind.write is write_geojson  # without features, it has no fields
            return
        found = state(seen, seen.editable()["t"])
        assert found.keys() == self.expected.keys()
        for key, (values, place) in self.expected.items():
            held, held_place = found[key]
            assert held_place == place, key
            for name, value in values.items():
                assert means_the_same(self._kind, value, held[name]), (key, name, value, held[name])


def state(device: FieldDevice, layer: DeviceLayer) -> dict[str, Feature]:
    """Every feature of the package by its key in the source."""
    hidden = {layer.local_key, layer.source_key, layer.geometry}
    return {
        device._key(layer, row): ({name: row[name] for name in row if name not in hidden}, place_of(row, layer))
        for row in device.rows(layer)
    }


def place_of(row: Mapping[str, Any], layer: DeviceLayer) -> Place:
    blob = row[layer.geometry] if layer.geometry else None
    content = strip_header(blob) if blob else None
    return struct.unpack_from("<2d", content, 5) if content else None


def means_the_same(kind: Format, asked: Any, held: Any) -> bool:
    """Whether a value in the package is the one that was asked for, in the package's own form."""
    if kind.drops_blanks and isinstance(asked, str):
        asked = asked.strip(" ")
    if kind.blank_is_null:
        asked, held = (None if value == "" else value for value in (asked, held))
    if asked is None or held is None:
        return asked is None and held is None
    if isinstance(asked, bool):
        return bool(held) == asked
    if isinstance(asked, (int, float)):
        return math.isclose(asked, float(held), rel_tol=1e-9, abs_tol=1e-9)
    return str(asked) == str(held) or same_number(asked, held) or same_moment(asked, held)


def same_number(asked: str, held: Any) -> bool:
    """Whether the package shows a text as a number, which it does once no other text is left in the field."""
    try:
        return isinstance(held, (int, float)) and float(asked) == held
    except ValueError:
        return False


def same_moment(asked: Any, held: Any) -> bool:
    try:
        one, other = datetime.fromisoformat(asked), datetime.fromisoformat(held)
    except (TypeError, ValueError):
        return False
    has_zone = one.tzinfo is not None
    return has_zone == (other.tzinfo is not None) and one.astimezone(UTC) == other.astimezone(UTC)


@pytest.mark.parametrize("kind", FORMATS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    # Shrinking would take minutes: each example packages a project twice.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_exactly_the_addressed_features_change_exactly_as_asked(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(FORMATS[kind]))
    folder = Path(tempfile.mkdtemp())
    try:
        run = Run(FORMATS[kind], case, folder)
        deltas = [run.delta(number, edit) for number, edit in enumerate(case.edits)]
        report = run.device.send(*deltas, overwrite=True)
        for edit, outcome in zip(case.edits, report.outcomes, strict=True):
            run.expect(edit, outcome.status, outcome.modified_pk)
        run.check()
    finally:
        shutil.rmtree(folder)

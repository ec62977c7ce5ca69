"""Random layers in every format that can be edited, with values of every type, and random edits of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from hypothesis import strategies as st

FieldKind = tuple[str, str, int, int]
PLAIN_FIELDS: tuple[FieldKind, ...] = (
    ("text", "text", 0, 0),
    ("short_text", "text", 10, 0),
    ("number", "integer", 0, 0),
    ("big", "long", 0, 0),
    ("weight", "real", 0, 0),
    ("day", "date", 0, 0),
    ("seen", "moment", 0, 0),
)
RICH_FIELDS = (*PLAIN_FIELDS, ("small", "short", 0, 0), ("alive", "boolean", 0, 0), ("single", "single", 0, 0))
#: Numbers of shapefiles within the width of their fields: QGIS cuts others, the node widens the field.
DBF_FIELDS: tuple[FieldKind, ...] = (
    ("text", "text", 20, 0),
    ("short_text", "text", 10, 0),
    ("number", "integer", 11, 0),
    ("big", "long", 18, 0),
    ("weight", "real within limits", 24, 15),
    ("size", "real within limits", 10, 3),
    ("day", "date", 0, 0),
)
#: QGIS writes a text that looks like JSON as JSON.
JSON_FIELDS: tuple[FieldKind, ...] = (("text", "text without brackets", 0, 0), *PLAIN_FIELDS[2:])
FLAT = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
RAISED = tuple(f"{kind}Z" for kind in FLAT)
MEASURED = tuple(f"{kind}{more}" for kind in FLAT for more in ("M", "ZM"))
SHAPES = (
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "PointZ",
    "LineStringZ",
    "PolygonZ",
    "PointZM",
    "MultiPolygon",
)


@dataclass(frozen=True)
class Format:
    """How GDAL makes a layer of a format. `key`: the field that identifies features; `has_ids`: it is their FID.

    `twin`: the format in which QGIS edits the same features, where it cannot edit this one.
    """

    driver: str
    file: str
    fields: tuple[FieldKind, ...]
    geometries: tuple[str, ...]
    key: str = "fid"
    has_ids: bool = False
    options: tuple[str, ...] = ()
    dataset_options: tuple[str, ...] = ()
    text_keys: bool = False
    layer: str = ""
    twin: str | None = None
    needs_geometry: bool = False


FORMATS = {
    "GeoPackage": Format(
        "GPKG",
        "t.gpkg",
        (*RICH_FIELDS, ("photo", "binary", 0, 0), ("details", "json", 0, 0)),
        (*FLAT, *RAISED, *MEASURED, ""),
        has_ids=True,
        options=("FID=fid",),
        layer="|layername=t",
    ),
    "SpatiaLite": Format(
        "SQLite",
        "t.sqlite",
        (*PLAIN_FIELDS, ("photo", "binary", 0, 0)),
        (*FLAT, *RAISED, *MEASURED),
        key="ogc_fid",
        has_ids=True,
        dataset_options=("SPATIALITE=YES", "INIT_WITH_EPSG=NO"),
        layer="|layername=t",
    ),
    "shapefile": Format("ESRI Shapefile", "t.shp", DBF_FIELDS, SHAPES, options=("ENCODING=UTF-8",)),
    "GeoJSON": Format("GeoJSON", "t.geojson", JSON_FIELDS, (*FLAT, *RAISED), text_keys=True),
    "CSV": Format("CSV", "t.csv", PLAIN_FIELDS[:2], ("",), text_keys=True),
    # It has no dates, and GDAL 3.6 does not write features without geometry.
    "FlatGeobuf": Format(
        "FlatGeobuf",
        "t.fgb",
        (*PLAIN_FIELDS[:5], PLAIN_FIELDS[6]),
        (*FLAT, *RAISED),
        options=("SPATIAL_INDEX=NO",),
        twin="GeoPackage",
        needs_geometry=True,
    ),
}

#: Texts that formats confuse with numbers, nulls, lists or their own signs.
odd_texts = st.sampled_from(["007", "1e5", "", " x ", "a,b", 'q"q', "line\nline", "null", "[1, 2]", "x" * 40])
texts = odd_texts | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10)
moments = st.datetimes(datetime(1902, 1, 1), datetime(2090, 1, 1)).map(lambda each: each.replace(microsecond=0))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "text without brackets": texts.filter(lambda each: each[:1] not in "[{"),
    "json": st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | texts, min_size=1, max_size=2),
    "short": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**53), 2**53),
    "boolean": st.booleans(),
    "real": st.floats(-1e9, 1e9) | st.floats(allow_nan=False, allow_infinity=False),
    "real within limits": st.floats(-99999, 99999),
    "single": st.floats(-1e9, 1e9, width=32),
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    "moment": st.tuples(moments, st.integers(0, 999), st.sampled_from(["", "Z"])).map(
        lambda each: f"{each[0].isoformat()}.{each[1]:03}{each[2]}"
    ),
    "time": st.times(time(0), time(23, 59)).map(lambda each: each.isoformat("seconds")),
    # QGIS ends binary data at the first zero.
    "binary": st.binary(min_size=1, max_size=6).map(lambda each: base64.b64encode(each.replace(b"\0", b"0")).decode()),
}
#: With as many decimals as GDAL writes to text files.
ordinates = st.floats(-180, 180).map(lambda each: round(each, 12) + 0.0) | st.integers(-90, 90).map(float)


@dataclass(frozen=True)
class Edit:
    """An edit: values by field (the key too, in a new feature) and well-known text; `moves`: the geometry changes."""

    method: str
    key: Any
    attributes: dict[str, Any]
    geometry: str | None
    moves: bool


@dataclass
class Layer:
    """A layer: its features by key, each with values in the order of the fields and well-known text."""

    format: Format
    geometry: str
    features: dict[Any, tuple[list[Any], str | None]]
    edits: list[Edit] = field(default_factory=list[Edit])


@st.composite
def geometries(draw: st.DrawFn, kind: str, most_parts: int = 2) -> str:
    """Well-known text of a kind, such as `MultiPolygonZ`."""
    name = kind.rstrip("ZM")
    dimensions = 2 + len(kind) - len(name)
    single = name.removeprefix("Multi")
    if single == name:
        return f"{kind} {_body(draw, name, dimensions)}"
    count = draw(st.integers(1, most_parts))
    return f"{kind} ({', '.join(_body(draw, single, dimensions) for _ in range(count))})"


def _body(draw: st.DrawFn, name: str, dimensions: int) -> str:
    if name == "Polygon":
        return _square(draw, dimensions)
    count = 1 if name == "Point" else draw(st.integers(2, 3))
    points = [draw(st.tuples(*[ordinates] * dimensions)) for _ in range(count)]
    if name == "LineString" and len(set(points)) == 1:
        points[-1] = (points[0][0] + 1, *points[0][1:])
    return _positions(points)


def _square(draw: st.DrawFn, dimensions: int) -> str:
    """A square, perhaps with a hole in it; the first ordinates differ, so that parts do not cover each other."""
    x, y, *more = draw(st.tuples(*[ordinates] * dimensions))
    corners = [(0, 0), (0, 8), (8, 8), (8, 0), (0, 0)]
    hole = [(2, 2), (4, 2), (4, 4), (2, 4), (2, 2)]
    rings = [corners, hole] if draw(st.booleans()) else [corners]
    return f"({', '.join(_positions([(x + dx, y + dy, *more) for dx, dy in ring]) for ring in rings)})"


def _positions(points: list[tuple[float, ...]]) -> str:
    return f"({', '.join(' '.join(map(repr, each)) for each in points)})"


def alike(kind: str) -> list[str]:
    """The kinds that a device may send for a layer of `kind`: mostly its own, also single or multi ones."""
    dimensions = kind[len(kind.rstrip("ZM")) :]
    single = kind.removesuffix(dimensions).removeprefix("Multi")
    return [kind, kind, f"{single}{dimensions}", f"Multi{single}{dimensions}"]


@st.composite
def layers(draw: st.DrawFn, kind: Format, count: int) -> Layer:
    """A layer with `count` edits. Its first feature has every value and is never edited: it shows the types."""
    geometry = draw(st.sampled_from(kind.geometries))
    keys = _keys(kind, draw)
    first, *others = draw(st.lists(keys, min_size=3, max_size=8, unique=True))
    full = [2**40 if name == "long" else draw(VALUES[name].filter(bool)) for _, name, _, _ in kind.fields]
    places = geometries(geometry) if geometry else st.none()
    features: dict[Any, tuple[list[Any], str | None]] = {first: (full, draw(places))}
    for key in others:
        values = [draw(st.none() | VALUES[name]) for _, name, _, _ in kind.fields]
        features[key] = (values, draw(places if kind.needs_geometry else st.none() | places))
    layer = Layer(kind, geometry, features)
    for _ in range(count):
        layer.edits.append(draw(_edits(layer, others, keys)))
    return layer


def _keys(kind: Format, draw: st.DrawFn) -> st.SearchStrategy[Any]:
    if kind.text_keys and draw(st.booleans()):
        return st.text("abcäß -_", max_size=6).map(lambda text: f"k{text}".strip())
    return st.integers(0, 2**31 - 1)


@st.composite
def _edits(draw: st.DrawFn, layer: Layer, others: list[Any], keys: st.SearchStrategy[Any]) -> Edit:
    """An edit of a feature; of one that earlier edits made or deleted, too."""
    method = draw(st.sampled_from(["patch", "patch", "patch", "create", "delete"]))
    kinds = {name: kind for name, kind, _, _ in layer.format.fields}
    names = draw(st.lists(st.sampled_from(list(kinds)), unique=True, min_size=1, max_size=4))
    attributes = {} if method == "delete" else {name: draw(st.none() | VALUES[kinds[name]]) for name in names}
    geometry = _new_geometry(draw, layer)
    if method != "create":
        return Edit(method, draw(st.sampled_from(others)), attributes, geometry, draw(st.booleans()))
    key = draw(keys.filter(lambda key: key not in layer.features and key not in others))
    others.append(key)
    return Edit(method, key, attributes, geometry, moves=True)


def _new_geometry(draw: st.DrawFn, layer: Layer) -> str | None:
    if not layer.geometry or (not layer.format.needs_geometry and draw(st.integers(0, 4)) == 0):
        return None
    kind = draw(st.sampled_from(alike(layer.geometry)))
    return draw(geometries(kind, most_parts=2 if layer.geometry.startswith("Multi") else 1))

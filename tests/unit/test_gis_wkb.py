"""Our reader and writer of well-known binary compared with shapely, and geometries split into pieces."""

from __future__ import annotations

import contextlib
import struct

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from qfc_node.gis import wkb

GEOMETRIES = [
    "POINT (1 2)",
    "POINT Z (1 2 3)",
    "POINT M (1 2 3)",
    "POINT ZM (1 2 3 4)",
    "LINESTRING (0 0, 2 1, 3 -5)",
    "LINESTRING ZM (0 0 1 1, 2 1 1 1)",
    "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))",
    "MULTIPOINT ((1 2), (3 4))",
    "MULTILINESTRING ((0 0, 1 1), (5 5, 9 6))",
    "MULTIPOLYGON Z (((0 0 1, 4 0 1, 4 4 1, 0 0 1)), ((8 8 1, 9 8 1, 9 9 1, 8 8 1)))",
    "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 7 7))",
]


@pytest.mark.parametrize("text", GEOMETRIES)
@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
def test_parts_and_extent(text: str, flavor: str, byte_order: int) -> None:
    geometry = shapely.set_srid(shapely.from_wkt(text), 4326)
    binary = shapely.to_wkb(
        geometry, output_dimension=4, flavor=flavor, byte_order=byte_order, include_srid=flavor == "extended"
    )
    shape = wkb.parse(binary)
    assert wkb.wkb_envelope(binary) == geometry.bounds
    assert sorted(shape.coordinates()) == sorted(map(tuple, shapely.get_coordinates(geometry).tolist()))
    parts = list(getattr(geometry, "geoms", [geometry]))
    assert len(shape.polygons) == sum(part.geom_type == "Polygon" for part in parts)
    assert len(shape.lines) == sum(part.geom_type == "LineString" for part in parts)


@pytest.mark.parametrize(
    ("text", "vertices"),
    [
        ("POINT EMPTY", 0),
        ("POLYGON EMPTY", 0),
        ("CIRCULARSTRING (0 0, 1 1, 2 0)", 3),
        ("COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 2 0), (2 0, 5 5))", 5),
        ("CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))", 5),
    ],
)
def test_empty_geometries_and_curves(text: str, vertices: int) -> None:
    binary = shapely.to_wkb(shapely.from_wkt(text), flavor="iso") if "EMPTY" in text else CURVES[text]
    assert len(wkb.parse(binary).coordinates()) == vertices
    assert (wkb.wkb_envelope(binary) is None) == (vertices == 0)


def _doubles(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def _sequence(kind: int, *values: float) -> bytes:
    return bytes([1]) + kind.to_bytes(4, "little") + (len(values) // 2).to_bytes(4, "little") + _doubles(*values)


CURVES = {"CIRCULARSTRING (0 0, 1 1, 2 0)": _sequence(8, 0, 0, 1, 1, 2, 0)}
CURVES["COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 2 0), (2 0, 5 5))"] = (
    bytes([1, 9, 0, 0, 0, 2, 0, 0, 0]) + _sequence(8, 0, 0, 1, 1, 2, 0) + _sequence(2, 2, 0, 5, 5)
)
CURVES["CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))"] = bytes([1, 10, 0, 0, 0, 1, 0, 0, 0]) + _sequence(
    8, 0, 0, 4, 0, 4, 4, 0, 4, 0, 0
)


def test_geopackage_headers() -> None:
    plain = shapely.to_wkb(shapely.from_wkt("LINESTRING (0 0, 2 1)"))
    assert wkb.envelope(b"GP\0\1\xe6\x10\0\0" + plain) == (0, 0, 2, 1)
    assert wkb.envelope(b"GP\0\3\xe6\x10\0\0" + _doubles(5, 6, 7, 8) + plain) == (5, 7, 6, 8)
    assert wkb.strip_header(b"GP\0\5\xe6\x10\0\0" + _doubles(5, 6, 7, 8, 0, 0) + plain) == plain
    assert wkb.envelope(b"GP\0\x11\xe6\x10\0\0" + plain) is None
    assert wkb.envelope(None) is None
    assert wkb.strip_header(b"nothing of that kind") is None


@given(st.binary(max_size=200))
def test_broken_geometries_end_in_one_error(binary: bytes) -> None:
    for data in (binary, b"\1" + binary, b"\1\7\0\0\0" + binary):
        with contextlib.suppress(wkb.BadWkbError):
            wkb.read(data)
        with contextlib.suppress(wkb.BadWkbError):
            wkb.parse(data)


#: Any numbers but those that mean "no point here".
numbers = st.floats(allow_nan=False)


SIMPLE, EVERY = (1, 2, 3, 8, 17), tuple(range(1, 18))
#: The parts of curves; all other kinds are split whatever they contain.
MEMBERS = {9: (2, 8), 10: (2, 8, 9)}


@st.composite
def parts(draw: st.DrawFn, depth: int = 2, kinds: tuple[int, ...] = EVERY) -> wkb.Part:
    """A geometry of any kind: points, lines and arcs, rings, and those composed of others."""
    has_z, has_m = draw(st.booleans()), draw(st.booleans())

    def positions(least: int, most: int) -> tuple[tuple[float, ...], ...]:
        position = st.tuples(*[numbers] * (2 + has_z + has_m))
        return tuple(draw(st.lists(position, min_size=least, max_size=most)))

    kind = draw(st.sampled_from([kind for kind in kinds if depth or kind in SIMPLE]))
    if kind == 1:
        return wkb.Part(kind, has_z, has_m, positions(0, 1))
    if kind in (2, 8):
        return wkb.Part(kind, has_z, has_m, positions(0, 5))
    if kind in (3, 17):
        rings = [wkb.Part(2, has_z, has_m, positions(0, 5)) for _ in range(draw(st.integers(0, 3)))]
        return wkb.Part(kind, has_z, has_m, (), tuple(rings))
    members = st.lists(parts(depth - 1, MEMBERS.get(kind, EVERY)), max_size=3)
    return wkb.Part(kind, has_z, has_m, (), tuple(draw(members)))


@given(parts())
def test_what_is_written_is_read(part: wkb.Part) -> None:
    assert wkb.read(wkb.write(part)) == part
    assert wkb.read(wkb.write(part, 4326)) == part


@given(parts(), st.data())
def test_what_ends_too_early_is_refused_at_every_byte(part: wkb.Part, data: st.DataObject) -> None:
    whole = wkb.write(part)
    with pytest.raises(wkb.BadWkbError):
        wkb.read(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert wkb.read(whole + b"more") == part


@given(parts())
def test_a_shape_has_every_position_in_two_dimensions(part: wkb.Part) -> None:
    def all_of(one: wkb.Part) -> list[tuple[float, ...]]:
        return [position[:2] for position in one.positions] + [place for inner in one.parts for place in all_of(inner)]

    wanted = all_of(part)
    assert sorted(wkb.parse(wkb.write(part)).coordinates()) == sorted(wanted)
    xs, ys = [place[0] for place in wanted], [place[1] for place in wanted]
    assert wkb.wkb_envelope(wkb.write(part)) == ((min(xs), min(ys), max(xs), max(ys)) if wanted else None)


@pytest.mark.parametrize("text", GEOMETRIES)
def test_geos_reads_what_is_written_and_writes_the_same(text: str) -> None:
    theirs = shapely.to_wkb(shapely.from_wkt(text), output_dimension=4, flavor="iso", byte_order=1)
    assert wkb.write(wkb.read(theirs)) == theirs
    placed = shapely.from_wkb(wkb.write(wkb.read(theirs), 25832))
    assert (shapely.get_srid(placed), placed) == (25832, shapely.from_wkt(text))


def test_members_may_have_another_order_of_bytes_than_the_whole() -> None:
    big, little = (shapely.to_wkb(shapely.Point(1, 2), byte_order=order) for order in (0, 1))
    mixed = b"\0\0\0\0\7\0\0\0\3" + little + big + little
    assert [part.positions for part in wkb.read(mixed).parts] == [((1.0, 2.0),)] * 3


def nested(depth: int) -> bytes:
    return b"\1\7\0\0\0\1\0\0\0" * depth + b"\1\7\0\0\0\0\0\0\0"


def test_geometries_are_nested_so_deep_and_no_deeper() -> None:
    assert wkb.parse(nested(32)).coordinates() == []
    with pytest.raises(wkb.BadWkbError, match="nested"):
        wkb.read(nested(33))


@pytest.mark.parametrize("kind", [2, 3, 4, 7])
def test_a_number_that_the_bytes_cannot_hold_costs_no_memory(kind: int) -> None:
    with pytest.raises(wkb.BadWkbError):
        wkb.read(struct.pack("<BII", 1, kind, 0xFFFFFFFF) + bytes(64))


def test_geometries_of_unlike_dimensions_have_one_extent() -> None:
    mixed = wkb.Part(
        7, False, False, (), (wkb.Part(1, True, False, ((1, 2, 3),)), wkb.Part(1, False, False, ((4, 0),)))
    )
    assert wkb.wkb_envelope(wkb.write(mixed)) == (1, 0, 4, 2)

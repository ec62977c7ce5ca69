"""Geometries taken apart by hand, held against shapely."""

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
    with contextlib.suppress(ValueError):
        wkb.parse(binary)

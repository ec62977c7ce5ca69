"""Geometries of deltas: well-known text in all spellings, well-known binary, fitting to a layer's type."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from qfc_node.gis.deltas.editors.bounds import bounds_of
from qfc_node.gis.deltas.editors.geopackage_blob import read_bounds, write_blob
from qfc_node.gis.deltas.geometry import (
    BadWktError,
    Geometry,
    GeometryType,
    Kind,
    Ordinate,
    UnfitGeometryError,
    fit,
    read_wkb,
    read_wkt,
    write_wkb,
    write_wkt,
)
from qfc_node.gis.deltas.geometry.wkt import MAXIMUM_LENGTH

#: Numbers that GEOS writes exactly as text, unlike others.
places = st.integers(-80_000_000, 80_000_000).map(lambda eighths: eighths / 8)


def _points(dimension: int, least: int) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(*[places] * dimension), min_size=least, max_size=6)


@st.composite
def shapes(draw: st.DrawFn) -> Any:
    """A shapely geometry of any kind, with or without Z."""
    dimension = draw(st.sampled_from([2, 3]))
    lines = _points(dimension, 2)
    rings = _points(dimension, 4).map(lambda ring: [*ring, ring[0]])
    polygons = st.lists(rings, min_size=1, max_size=3).map(lambda rings: shapely.Polygon(rings[0], rings[1:]))
    simple: list[st.SearchStrategy[Any]] = [
        st.tuples(*[places] * dimension).map(shapely.Point),
        lines.map(shapely.LineString),
        polygons,
        _points(dimension, 1).map(shapely.MultiPoint),
        st.lists(lines, min_size=1, max_size=3).map(shapely.MultiLineString),
        st.lists(polygons, min_size=1, max_size=3).map(shapely.MultiPolygon),
    ]
    one = st.one_of(simple)
    return draw(st.one_of(*simple, st.lists(one, min_size=1, max_size=3).map(shapely.GeometryCollection)))


@given(shapes())
def test_text_and_binary_say_the_same_as_geos(shape: Any) -> None:
    wkb = shapely.to_wkb(shape, flavor="iso", byte_order=1)
    geometry = read_wkt(shapely.to_wkt(shape, rounding_precision=-1))
    assert write_wkb(geometry) == wkb
    assert read_wkb(wkb) == geometry
    assert read_wkb(shapely.to_wkb(shape, flavor="iso", byte_order=0)) == geometry
    assert read_wkb(shapely.to_wkb(shape, flavor="extended", include_srid=True)) == geometry
    assert read_wkt(write_wkt(geometry)) == geometry


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=4))
def test_numbers_survive_as_text(ordinates: list[float]) -> None:
    point = Geometry(Kind.POINT, len(ordinates) > 2, len(ordinates) > 3, (tuple(ordinates),))
    assert read_wkt(write_wkt(point)) == point


@given(shapes())
def test_blobs_tell_their_bounds(shape: Any) -> None:
    blob = write_blob(read_wkb(shapely.to_wkb(shape)), 4326)
    # Not shape.bounds, which ignore holes even outside the polygon.
    coordinates = shapely.get_coordinates(shape)
    assert read_bounds(blob) == (*coordinates.min(axis=0), *coordinates.max(axis=0))
    assert shapely.from_wkb(blob[8 + {0: 0, 1: 32, 2: 48}[blob[3] >> 1 & 7] :]) == shape


@given(shapes(), st.sampled_from(list(Kind)), st.sampled_from(list(Ordinate)), st.sampled_from(list(Ordinate)))
def test_what_fits_keeps_its_shape(shape: Any, kind: Kind, z: Ordinate, m: Ordinate) -> None:
    geometry = read_wkb(shapely.to_wkb(shape, flavor="iso"))
    try:
        fitted = fit(geometry, GeometryType(kind, z, m))
    except UnfitGeometryError:
        return
    assert [p[:2] for p in fitted.all_positions()] == [p[:2] for p in geometry.all_positions()]
    assert fitted.kind is kind or kind in (Kind.GEOMETRY, Kind.CURVE, Kind.SURFACE)
    assert fitted.has_z is (z is Ordinate.PRESENT or (z is Ordinate.FREE and geometry.has_z))
    assert {len(position) for position in fitted.all_positions()} == {2 + fitted.has_z + fitted.has_m}


@pytest.mark.parametrize(
    ("text", "wkt"),
    [
        ("Point (8.5 47.5)", "POINT (8.5 47.5)"),
        ("PointZ (1 2 3)", "POINT Z (1 2 3)"),
        ("POINT Z (1 2 3)", "POINT Z (1 2 3)"),
        ("point(1 2 3)", "POINT Z (1 2 3)"),
        ("Point25D (1 2 3)", "POINT Z (1 2 3)"),
        ("PointM (1 2 3)", "POINT M (1 2 3)"),
        ("PointZM (1 2 3 4)", "POINT ZM (1 2 3 4)"),
        ("PointZ (1 2 nan)", "POINT Z (1 2 0)"),
        ("Point (nan NaN)", "POINT (0 0)"),
        ("  LineString\n(0 0 , 1e3\t-1.5E-2)", "LINESTRING (0 0, 1000 -0.015)"),
        ("MultiPoint ((1 2),(3 4))", "MULTIPOINT (1 2, 3 4)"),
        ("MULTIPOINT (1 2, 3 4)", "MULTIPOINT ((1 2), (3 4))"),
        ("GeometryCollection (Point (1 2), LineString (0 0, 1 1))", None),
        ("Polygon EMPTY", "POLYGON EMPTY"),
        ("MultiPolygonZ EMPTY", "MULTIPOLYGON Z EMPTY"),
    ],
)
def test_spellings(text: str, wkt: str | None) -> None:
    assert shapely.from_wkb(write_wkb(read_wkt(text))) == shapely.from_wkt(wkt or text)


@pytest.mark.parametrize(
    "text",
    [
        "CircularString (0 0, 1 1, 2 0)",
        "CompoundCurve (CircularString (0 0, 1 1, 2 0), (2 0, 3 0))",
        "CurvePolygon (CompoundCurve (CircularString (0 0, 1 1, 2 0), (2 0, 0 0)), (0 0, 1 1, 2 2, 0 0))",
        "MultiSurfaceZ (CurvePolygonZ (CircularStringZ (0 0 1, 1 1 1, 0 0 1)), ((0 0 1, 1 0 1, 1 1 1, 0 0 1)))",
        "MultiCurve ((0 0, 1 1), CircularString (0 0, 1 1, 2 0))",
        "TIN (((0 0, 1 0, 1 1, 0 0)))",
        "PolyhedralSurface Z (((0 0 0, 1 0 0, 1 1 0, 0 0 0)))",
    ],
)
def test_curves_and_surfaces_come_back(text: str) -> None:
    geometry = read_wkt(text)
    assert read_wkb(write_wkb(geometry)) == geometry
    assert read_wkt(write_wkt(geometry)) == geometry


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Point",
        "Point (1)",
        "Point (1 2",
        "Point (1 2, 3 4)",
        "Point (a b)",
        "Point (1_0 2)",
        "Point (inf 2)",
        "Point (1 2 3 4 5)",
        "Circle (1 2)",
        "MultiPolygon ((0 0, 1 1))",
        "MultiPoint (Point (1 2))",
        "MultiCurve (Point (1 2))",
        "GeometryCollection (" * 50 + "Point (1 2)" + ")" * 50,
        "Polygon (((0 0, 1 1)))",
        "PointM (1 2 3 4)",
        "LineString (1 1, 2)",
        "Polygon ((1 1, 2 1, 2 2, 1 1)",
    ],
)
def test_what_is_no_geometry_is_refused(text: str) -> None:
    with pytest.raises(BadWktError):
        read_wkt(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("PointZ (666 0)", "PointZ (666 0 0)"),
        ("PointZM (666 0)", "PointZM (666 0 0 0)"),
        ("PointM (666 0)", "PointM (666 0 0)"),
        ("PointZ (1 2 3 4)", "PointZM (1 2 3 4)"),
        ("LineString (1 1 5, 2 2)", "LineStringZ (1 1 5, 2 2 0)"),
        ("LineString (1 1, 2 2 5)", "LineStringZ (1 1 0, 2 2 5)"),
        ("LineString (1 1,, 2 2,)", "LineString (1 1, 2 2)"),
        ("Point ()", "Point EMPTY"),
        ("Polygon (())", "Polygon (EMPTY)"),
        ("GeometryCollection ()", "GeometryCollection EMPTY"),
        ("Point (1 2))", "Point (1 2)"),
        ("Point (1 2);", "Point (1 2)"),
        ("Point (1 2) junk", "Point (1 2)"),
        ("Polygon ((1 1, 2 1, 2 2, 1 2, 1 1))'", "Polygon ((1 1, 2 1, 2 2, 1 2, 1 1))"),
    ],
)
def test_what_qgis_reads_is_read(text: str, meant: str) -> None:
    assert read_wkt(text) == read_wkt(meant)


def test_geometries_are_read_as_deep_and_as_long_as_is_said() -> None:
    """Deeper geometries and longer texts are attacks on the reader."""

    def text(depth: int) -> str:
        return "GeometryCollection (" * depth + "Point (1 2)" + ")" * depth

    def binary(depth: int) -> bytes:
        return struct.pack("<BII", 1, Kind.GEOMETRYCOLLECTION, 1) * depth + write_wkb(read_wkt("Point (1 2)"))

    read_wkt(text(16))
    read_wkb(binary(32))
    read_wkt("Point (1 2)".ljust(MAXIMUM_LENGTH))
    with pytest.raises(BadWktError, match="nested"):
        read_wkt(text(17))
    with pytest.raises(ValueError, match="nested"):
        read_wkb(binary(33))
    with pytest.raises(BadWktError, match="characters long"):
        read_wkt("Point (1 2)".ljust(MAXIMUM_LENGTH + 1))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"Point ({text})", f"MultiPolygon (({text}"):
        try:
            read_wkt(candidate)
        except BadWktError:
            continue


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_bounds(b"GP" + data)
    read_bounds(data)
    try:
        read_wkb(b"\x01" + data)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Point (1 2)", Kind.MULTIPOINT, "MultiPoint ((1 2))"),
        ("MultiPoint ((1 2))", Kind.POINT, "Point (1 2)"),
        ("MultiPoint ((1 2), (3 4))", Kind.POINT, None),
        ("LineString (0 0, 1 1)", Kind.COMPOUNDCURVE, "CompoundCurve ((0 0, 1 1))"),
        ("LineString (0 0, 1 1)", Kind.MULTICURVE, "MultiCurve ((0 0, 1 1))"),
        ("MultiLineString ((0 0, 1 1))", Kind.MULTICURVE, "MultiCurve ((0 0, 1 1))"),
        ("Polygon ((0 0, 1 0, 1 1, 0 0))", Kind.CURVEPOLYGON, "CurvePolygon ((0 0, 1 0, 1 1, 0 0))"),
        ("Polygon ((0 0, 1 0, 1 1, 0 0))", Kind.MULTISURFACE, "MultiSurface (((0 0, 1 0, 1 1, 0 0)))"),
        ("CircularString (0 0, 1 1, 2 0)", Kind.LINESTRING, None),
        ("CircularString (0 0, 1 1, 2 0)", Kind.CURVE, "CircularString (0 0, 1 1, 2 0)"),
        ("LineString (0 0, 1 1)", Kind.POINT, None),
        ("Point (1 2)", Kind.GEOMETRYCOLLECTION, None),
        ("MultiPoint EMPTY", Kind.POINT, "Point EMPTY"),
        ("Point EMPTY", Kind.MULTIPOINT, "MultiPoint EMPTY"),
    ],
)
def test_fitting(text: str, kind: Kind, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(UnfitGeometryError):
            fit(read_wkt(text), GeometryType(kind))
    else:
        assert fit(read_wkt(text), GeometryType(kind)) == read_wkt(expected)


@given(places, places, st.floats(0.1, 1e4), st.floats(0, 6.28), st.floats(0.1, 6.2), st.booleans())
def test_arcs_are_bounded(x: float, y: float, radius: float, start: float, sweep: float, backwards: bool) -> None:
    """Compare with many points of the same arc."""
    angles = start + np.linspace(0, -sweep if backwards else sweep, 721)
    points = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
    three = tuple(tuple(points[place]) for place in (0, 360, 720))
    bounds = bounds_of(Geometry(Kind.CIRCULARSTRING, positions=three))
    tolerance = radius * 1e-3 + 1e-3
    assert bounds == pytest.approx((*points.min(axis=0), *points.max(axis=0)), abs=tolerance)

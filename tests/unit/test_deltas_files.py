"""Deltas on shapefiles, GeoJSON, delimited text and FlatGeobuf: edits arrive, everything else stays."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import pytest
import shapely

from delta_world import Row, World, create, patch, read, remove, write

TREES = [
    Row(1, "oak", 10, 1.5, "POINT (0 0)"),
    Row(2, "elm", 20, None, "POINT (1 1)"),
    Row(5, None, None, 2.5, "POINT (2 2)"),
]


def shapefile(folder: Path, rows: list[Row] = TREES, kind: str = "Point", **options: Any) -> World:
    write(folder / "trees.shp", rows, kind, **options)
    world = World(folder)
    world.add_layer("trees", "./trees.shp")
    return world


def geojson(folder: Path, rows: list[Row] = TREES, kind: str = "Point", **options: Any) -> World:
    write(folder / "trees.geojson", rows, kind, **options)
    world = World(folder)
    world.add_layer("trees", "./trees.geojson")
    return world


def edits() -> list[Any]:
    return [
        create(3, "Point (8.5 47.5)", fid=3, name="äsh", height=5),
        patch(1, {"height": 999, "name": "öak"}, {"height": 10}),
        remove(2, {"name": "elm", "height": 20}),
        create(5, "MultiPoint ((9 9))", fid=5, name="new", weight=0.25),
        patch(5, {"name": "newer"}, {"name": "new"}, wkt="Point (7 7)"),
    ]


EDITED = {
    1: Row(1, "öak", 999, 1.5, "POINT (0 0)"),
    3: Row(3, "äsh", 5, None, "POINT (8.5 47.5)"),
    5: TREES[2],
    6: Row(6, "newer", None, 0.25, "POINT (7 7)"),
}


def test_shapefile_edits_of_all_methods_arrive(tmp_path: Path) -> None:
    world = shapefile(tmp_path, encoding="UTF-8")
    report = world.apply(*edits())
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 5
    assert report.outcomes[3].modified_pk == "6"
    assert report.changed_files == {"trees.shp", "trees.shx", "trees.dbf"}
    assert read(tmp_path / "trees.shp") == EDITED


def test_shapefile_without_geometry_edits_keeps_its_shapes(tmp_path: Path) -> None:
    world = shapefile(tmp_path)
    before = world.snapshot()
    assert world.apply(patch(1, {"height": 4})).changed_files == {"trees.dbf"}
    after = world.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"trees.dbf"}


def test_shapefile_nothing_applied_changes_no_byte(tmp_path: Path) -> None:
    world = shapefile(tmp_path)
    before = world.snapshot()
    report = world.apply(
        patch(1, {"height": 4}, {"height": 11}), remove(77), patch(1, {}, wkt="Polygon ((0 0, 1 1, 1 0, 0 0))")
    )
    assert {outcome.status for outcome in report.outcomes} == {"conflict", "not_applied"}
    assert report.changed_files == frozenset()
    assert world.snapshot() == before


def test_shapefile_keeps_widths_encoding_and_untouched_records(tmp_path: Path) -> None:
    world = shapefile(tmp_path, encoding="ISO-8859-1")
    before = (tmp_path / "trees.dbf").read_bytes()
    length, record = struct.unpack_from("<HH", before, 8)
    world.apply(patch(1, {"name": "größer"}))
    after = (tmp_path / "trees.dbf").read_bytes()
    assert after[32:length] == before[32:length]
    assert after[length + record : length + 3 * record] == before[length + record : length + 3 * record]
    assert "größer".encode("latin-1") in after
    assert read(tmp_path / "trees.shp")[1].name == "größer"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x" * 255}, "255 bytes"),
        ({"name": "€" * 10}, "encoding"),
        ({"height": 10**18}, "outside"),
        ({"height": "many"}, "not an integer"),
        ({"weight": "Infinity"}, "not a real number"),
    ],
)
def test_shapefile_values_that_do_not_fit_are_refused(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    world = shapefile(tmp_path, encoding="ISO-8859-1")
    before = world.snapshot()
    outcome = world.apply_one(patch(1, values))
    assert outcome.status == "not_applied"
    assert words in outcome.feedback["msg"]
    assert world.snapshot() == before


@pytest.mark.parametrize("weight", [0.1, 1e9, -1234567.891, 1e20, 1e-9, 123456789.123456789])
def test_shapefile_numbers_keep_their_value(tmp_path: Path, weight: float) -> None:
    world = shapefile(tmp_path)
    assert world.apply_one(patch(1, {"weight": weight})).status == "applied"
    assert read(tmp_path / "trees.shp")[1].weight == pytest.approx(weight, rel=1e-9)
    assert (
        world.apply_one(patch(1, {"height": 1}, {"weight": read(tmp_path / "trees.shp")[1].weight})).status == "applied"
    )


def test_shapefile_dates_and_flags(tmp_path: Path) -> None:
    columns = [np.array([1, 2]), np.array(["2024-05-01", "NaT"], dtype="datetime64[D]"), np.array([True, False])]
    points = np.array([shapely.to_wkb(shapely.Point(1, 1))] * 2, dtype=object)
    pyogrio.raw.write(
        tmp_path / "t.shp", points, columns, ["fid", "day", "alive"], geometry_type="Point", crs="EPSG:4326"
    )
    world = World(tmp_path)
    world.add_layer("trees", "./t.shp")
    report = world.apply(
        patch(1, {"day": None, "alive": False}, {"day": "2024-05-01", "alive": True}),
        patch(2, {"day": "2025-12-31T00:00:00", "alive": True}, {"day": None, "alive": False}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 2
    info, _, _, values = pyogrio.raw.read(tmp_path / "t.shp")
    found = dict(zip(info["fields"], values, strict=True))
    assert [str(day) for day in found["day"]] == ["NaT", "2025-12-31"]
    assert [bool(flag) for flag in found["alive"]] == [False, True]


@pytest.mark.parametrize(
    ("kind", "wkt", "stored"),
    [
        ("LineString", "LineString (0 0, 1 1, 2 0)", "LINESTRING (0 0, 1 1, 2 0)"),
        ("LineString", "MultiLineString ((0 0, 1 1), (5 5, 6 6))", "MULTILINESTRING ((0 0, 1 1), (5 5, 6 6))"),
        ("MultiPoint", "MultiPoint ((0 0), (1 1))", "MULTIPOINT ((0 0), (1 1))"),
        ("Point Z", "PointZ (1 2 3)", "POINT Z (1 2 3)"),
        ("Point Z", "Point (1 2)", "POINT Z (1 2 0)"),
        ("LineString Z", "LineStringZ (0 0 1, 1 1 2)", "LINESTRING Z (0 0 1, 1 1 2)"),
        ("Polygon", "Polygon EMPTY", None),
    ],
)
def test_shapefile_geometries(tmp_path: Path, kind: str, wkt: str, stored: str | None) -> None:
    world = shapefile(tmp_path, [Row(1, "x")], kind)
    assert world.apply_one(create(2, wkt, fid=2)).status == "applied"
    assert read(tmp_path / "trees.shp")[2].wkt == stored
    info = pyogrio.read_info(tmp_path / "trees.shp", force_total_bounds=True)
    if stored is not None:
        assert info["total_bounds"] == pytest.approx(shapely.from_wkt(stored).bounds)


@pytest.mark.parametrize(
    "wkt",
    [
        "Polygon ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))",
        "Polygon ((0 0, 0 4, 4 4, 4 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))",
        "MultiPolygon (((0 0, 4 0, 4 4, 0 0)), ((10 10, 14 10, 14 14, 10 10), (12 11, 13 11, 13 12, 12 11)))",
    ],
)
def test_shapefile_polygons_keep_their_holes(tmp_path: Path, wkt: str) -> None:
    world = shapefile(tmp_path, [Row(1, "x")], "Polygon")
    assert world.apply_one(create(2, wkt, fid=2)).status == "applied"
    stored = shapely.from_wkt(read(tmp_path / "trees.shp")[2].wkt)
    assert stored.equals(shapely.from_wkt(wkt))
    assert stored.is_valid


def test_shapefile_index_of_gdal_finds_every_feature(tmp_path: Path) -> None:
    rows = [Row(fid, "x", wkt=f"POINT ({fid} {fid})") for fid in range(1, 200)]
    world = shapefile(tmp_path, rows, layer_options={"SPATIAL_INDEX": "YES"})
    assert (tmp_path / "trees.qix").exists()
    report = world.apply(patch(1, {}, wkt="Point (500 500)"), remove(3), create(900, "Point (2.5 2.5)", fid=900))
    assert "trees.qix" in report.changed_files
    assert read(tmp_path / "trees.shp", bbox=(499, 499, 501, 501)).keys() == {1}
    assert read(tmp_path / "trees.shp", bbox=(0, 0, 4.5, 4.5)).keys() == {2, 4, 900}


def test_shapefile_esri_index_is_not_left_stale(tmp_path: Path) -> None:
    world = shapefile(tmp_path)
    (tmp_path / "trees.sbn").write_bytes(b"stale")
    (tmp_path / "trees.sbx").write_bytes(b"stale")
    report = world.apply(patch(1, {}, wkt="Point (500 500)"))
    assert {"trees.sbn", "trees.sbx", "trees.qix"} < report.changed_files
    assert read(tmp_path / "trees.shp", bbox=(499, 499, 501, 501)).keys() == {1}


def test_shapefile_without_key_is_not_edited(tmp_path: Path) -> None:
    """Numbers of records identify nothing: GDAL and QGIS give them to other records when one is deleted."""
    world = shapefile(tmp_path, with_fid=False)
    before = world.snapshot()
    report = world.apply(remove(0), patch(1, {"name": "elder"}, {"name": "elm"}), create(77, "Point (4 4)", name="new"))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied"] * 3
    assert 'no field "fid"' in report.outcomes[0].feedback["msg"]
    assert world.snapshot() == before


@pytest.mark.parametrize("victim", ["trees.shp", "trees.dbf", "trees.shx"])
@pytest.mark.parametrize("damage", ["cut", "junk", "empty", "gone"])
def test_shapefile_damage_is_told(tmp_path: Path, victim: str, damage: str) -> None:
    world = shapefile(tmp_path)
    path = tmp_path / victim
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "junk": b"junk" * 50, "empty": b""}[damage])
    before = world.snapshot()
    outcome = world.apply_one(remove(1))
    if (victim, damage) in {("trees.shx", "gone"), ("trees.shx", "empty")}:
        assert outcome.status == "applied"  # the shapes themselves contain their bounds
    else:
        assert outcome.status == "not_applied"
        assert world.snapshot() == before


def test_dbf_alone_is_a_table(tmp_path: Path) -> None:
    write(tmp_path / "trees.shp", TREES)
    for suffix in (".shp", ".shx", ".prj"):
        (tmp_path / "trees").with_suffix(suffix).unlink()
    world = World(tmp_path)
    world.add_layer("trees", "./trees.dbf")
    report = world.apply(create(9, None, fid=9, name="new"), remove(1), create(10, "Point (1 1)", fid=10))
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied", "not_applied"]
    info, _, _, columns = pyogrio.raw.read(tmp_path / "trees.dbf")
    assert list(columns[list(info["fields"]).index("fid")]) == [2, 5, 9]


def test_geojson_edits_of_all_methods_arrive(tmp_path: Path) -> None:
    world = geojson(tmp_path)
    report = world.apply(*edits())
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 5
    assert report.changed_files == {"trees.geojson"}
    assert read(tmp_path / "trees.geojson") == EDITED


def test_geojson_keeps_what_it_does_not_know(tmp_path: Path) -> None:
    document = {
        "type": "FeatureCollection",
        "name": "trees",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2056"}},
        "bbox": [0, 0, 1, 1],
        "features": [
            {
                "type": "Feature",
                "id": 7,
                "properties": {"name": "öak", "tags": {"a": [1, 2.50]}, "seen": "2024-05-01T10:00:00Z"},
                "geometry": {"type": "Point", "coordinates": [0.1, 0.2]},
                "extra": [True],
            },
            {"type": "Feature", "id": 9, "bbox": [1, 1, 1, 1], "properties": None, "geometry": None},
        ],
    }
    (tmp_path / "t.geojson").write_text(json.dumps(document))
    world = World(tmp_path)
    world.add_layer("trees", "./t.geojson")
    report = world.apply(
        patch(9, {"name": "elm", "tags": {"b": 1}}, {"name": None}, wkt="PointZ (5 6 7)"),
        patch(7, {"seen": "2025-01-01T00:00:00.000Z"}, {"seen": "2024-05-01T12:00:00.000+02:00"}),
        create(1, "Point (3 4)", name="new"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3
    assert report.outcomes[2].modified_pk == "10"
    changed = json.loads((tmp_path / "t.geojson").read_text())
    assert changed == {
        **document,
        "bbox": [0.1, 0.2, 5, 6],
        "features": [
            {
                **document["features"][0],
                "properties": {"name": "öak", "tags": {"a": [1, 2.5]}, "seen": "2025-01-01T00:00:00Z"},
            },
            {
                "type": "Feature",
                "id": 9,
                "bbox": [5, 6, 5, 6],
                "properties": {"name": "elm", "tags": {"b": 1}},
                "geometry": {"type": "Point", "coordinates": [5, 6]},
            },
            {
                "type": "Feature",
                "id": 10,
                "properties": {"name": "new", "tags": None, "seen": None},
                "geometry": {"type": "Point", "coordinates": [3, 4]},
            },
        ],
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"type": "Feature"}', '{"features": {}}', '{"features": [1]}', "[" * 100_000]
)
def test_geojson_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.geojson").write_text(text)
    world = World(tmp_path)
    world.add_layer("trees", "./t.geojson")
    assert world.apply_one(remove(1)).status == "not_applied"
    assert (tmp_path / "t.geojson").read_text() == text


def test_geojson_curves_are_refused(tmp_path: Path) -> None:
    world = geojson(tmp_path, [Row(1, "a", wkt="POINT (1 1)"), Row(2, "b", wkt="LINESTRING (0 0, 1 1)")], "Unknown")
    outcome = world.apply_one(create(3, "CircularString (0 0, 1 1, 2 0)", fid=3))
    assert (outcome.status, "CircularString" in outcome.feedback["msg"]) == ("not_applied", True)


CSV = 'fid;name;x;y;note\r\n1;"oak; old";1,5;2,5;"a ""b""\r\nc"\r\n2;elm;;;\r\n4;ash;3;4;d'


def text_world(folder: Path, text: str, query: str, encoding: str = "utf-8") -> World:
    (folder / "trees.csv").write_bytes(text.encode(encoding))
    world = World(folder)
    world.add_layer("trees", f"file:./trees.csv?{query}", "delimitedtext")
    return world


def test_delimited_text_keeps_lines_that_are_not_edited(tmp_path: Path) -> None:
    world = text_world(tmp_path, CSV, "type=csv&delimiter=;&decimalPoint=,&xField=x&yField=y")
    report = world.apply(
        patch(2, {"name": 'e"l;m'}, {"name": "elm", "x": None}, wkt="Point (0.25 10)"),
        create(9, "Point (7 8)", fid=9, note="new"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 2
    expected = CSV.replace("2;elm;;;", '2;"e""l;m";0,25;10;') + "\r\n9;;7;8;new\r\n"
    assert (tmp_path / "trees.csv").read_bytes().decode() == expected
    assert report.changed_files == {"trees.csv"}


def test_delimited_text_with_well_known_text(tmp_path: Path) -> None:
    text = "a comment\nfid,name,wkt\n1,oak,POINT (1 2)\n2,elm,\n"
    world = text_world(tmp_path, text, "type=csv&skipLines=1&wktField=wkt")
    report = world.apply(
        patch(2, {}, {"name": "elm"}, wkt="LineStringZ (0 0 0.1, 1 1 2)"),
        create(50, "Polygon ((0 0, 1 0, 1 1, 0 0))", name="new"),
        remove(1),
    )
    assert [outcome.modified_pk for outcome in report.outcomes] == ["2", "3", "1"]
    rows = ['2,elm,"LINESTRING Z (0 0 0.1, 1 1 2)"', '3,new,"POLYGON ((0 0, 1 0, 1 1, 0 0))"']
    assert (tmp_path / "trees.csv").read_text().splitlines() == ["a comment", "fid,name,wkt", *rows]


def test_delimited_text_without_key_is_not_edited(tmp_path: Path) -> None:
    world = text_world(tmp_path, "oak\t1\nelm\t2\n", "type=csv&delimiter=%5Ct&useHeader=No&geomType=none")
    outcome = world.apply_one(patch(2, {"field_2": 5}, {"field_1": "elm", "field_2": 2}))
    assert (outcome.status, 'no field "fid"' in outcome.feedback["msg"]) == ("not_applied", True)
    assert (tmp_path / "trees.csv").read_text() == "oak\t1\nelm\t2\n"


def test_delimited_text_with_tabs(tmp_path: Path) -> None:
    world = text_world(tmp_path, "fid\tage\n1\t1\n2\t2\n", "type=csv&delimiter=%5Ct&geomType=none")
    assert world.apply_one(patch(2, {"age": 5}, {"age": 2})).status == "applied"
    assert (tmp_path / "trees.csv").read_text() == "fid\tage\n1\t1\n2\t5\n"


def test_lines_inside_a_text_stay_inside(tmp_path: Path) -> None:
    """Unquoted, the second line would be a feature of its own."""
    world = text_world(tmp_path, "fid,name\n1,oak\n2,elm\n", "geomType=none")
    assert world.apply_one(patch(1, {"name": "two\nlines\rthree"}, {"name": "oak"})).status == "applied"
    assert (tmp_path / "trees.csv").read_bytes() == b'fid,name\n1,"two\nlines\rthree"\n2,elm\n'
    assert world.apply_one(remove(1, {"name": "two\nlines\rthree"})).status == "applied"
    assert (tmp_path / "trees.csv").read_bytes() == b"fid,name\n2,elm\n"


@pytest.mark.parametrize(
    ("column", "value"),
    [("0.0", 1.5), ("007", "008"), ("01.5", "x"), ("1e5", 2.5), ("+5", 6), ("12", -7), ("true", True)],
)
def test_a_column_of_text_takes_what_gdal_sees_in_it(tmp_path: Path, column: str, value: object) -> None:
    world = text_world(tmp_path, f"fid,a\n1,{column}\n", "geomType=none")
    assert world.apply_one(patch(1, {"a": value})).status == "applied"
    written = json.dumps(value) if value is True else str(value)
    assert (tmp_path / "trees.csv").read_text() == f"fid,a\n1,{written}\n"


def test_delimited_text_in_another_encoding(tmp_path: Path) -> None:
    world = text_world(tmp_path, "fid,name\n1,größer\n", "encoding=ISO-8859-1&geomType=none", "latin-1")
    report = world.apply(patch(1, {"name": "süß"}, {"name": "größer"}), patch(1, {"name": "€"}, {"name": "süß"}))
    assert [outcome.status for outcome in report.outcomes] == ["applied", "not_applied"]
    assert (tmp_path / "trees.csv").read_bytes() == "fid,name\n1,süß\n".encode("latin-1")


@pytest.mark.parametrize(
    "query", ["type=regexp&delimiter=x", "delimiter=::", "xField=gone&yField=y", "encoding=klingon"]
)
def test_delimited_text_of_unknown_layout_is_told(tmp_path: Path, query: str) -> None:
    world = text_world(tmp_path, CSV, query)
    assert world.apply_one(remove(1)).status == "not_applied"


def test_csv_of_gdal_is_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("fid;name;height\n1;oak;10\n")
    world = World(tmp_path)
    world.add_layer("trees", "./t.csv")
    report = world.apply(patch(1, {"height": 11}, {"height": "10"}), create("b", None, fid="b", height=2.5))
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 2
    assert (tmp_path / "t.csv").read_text() == "fid;name;height\n1;oak;11\nb;;2.5\n"


def test_flatgeobuf_edits_of_all_methods_arrive(tmp_path: Path) -> None:
    write(tmp_path / "trees.fgb", TREES)
    world = World(tmp_path)
    world.add_layer("trees", "./trees.fgb")
    before = pyogrio.read_info(tmp_path / "trees.fgb")
    report = world.apply(*edits())
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 5
    assert report.changed_files == {"trees.fgb"}
    assert read(tmp_path / "trees.fgb") == EDITED
    after = pyogrio.read_info(tmp_path / "trees.fgb")
    for kept in ("layer_name", "crs", "geometry_type", "ogr_types", "fid_column"):
        assert str(after[kept]) == str(before[kept])
    assert read(tmp_path / "trees.fgb", bbox=(6, 6, 8, 8)).keys() == {6}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["field.qgs", "trees.fgb"]


def test_flatgeobuf_nothing_applied_changes_no_byte(tmp_path: Path) -> None:
    write(tmp_path / "trees.fgb", TREES)
    world = World(tmp_path)
    world.add_layer("trees", "./trees.fgb")
    before = world.snapshot()
    assert world.apply(remove(99)).changed_files == frozenset()
    assert world.snapshot() == before


def test_flatgeobuf_without_key_or_damaged_is_told(tmp_path: Path) -> None:
    write(tmp_path / "nameless.fgb", TREES, with_fid=False)
    (tmp_path / "damaged.fgb").write_bytes(b"fgb\x03" * 100)
    world = World(tmp_path)
    world.add_layer("trees", "./nameless.fgb")
    world.add_layer("damaged", "./damaged.fgb")
    assert '"fid"' in world.apply_one(remove(1)).feedback["msg"]
    assert world.apply_one(remove(1, layer="damaged")).status == "not_applied"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.fgb", "field.qgs", "nameless.fgb"]


def test_layers_of_several_files_in_one_run(tmp_path: Path) -> None:
    world = shapefile(tmp_path)
    write(tmp_path / "data.gpkg", TREES, with_fid=False, layer="shrubs")
    world.add_layer("shrubs", "./data.gpkg|layername=shrubs")
    report = world.apply(remove(1, layer="shrubs"), remove(2), patch(2, {"name": "x"}, layer="shrubs"))
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3
    assert report.changed_files == {"data.gpkg", "trees.shp", "trees.shx", "trees.dbf"}


def test_shapefile_that_cannot_be_written_stays_whole(tmp_path: Path) -> None:
    """A truncated record is only noticed when the new file is written; the edits of other layers are kept."""
    world = shapefile(tmp_path, [Row(1, "x", wkt="LINESTRING (0 0, 1 1)"), Row(2, "y")], "LineString")
    write(tmp_path / "data.geojson", TREES)
    world.add_layer("shrubs", "./data.geojson")
    shx = bytearray((tmp_path / "trees.shx").read_bytes())
    shx[104:108] = struct.pack(">i", 6)
    (tmp_path / "trees.shx").write_bytes(bytes(shx))
    before = world.snapshot()
    report = world.apply(create(7, "LineString (0 0, 1 1)", fid=7), remove(1, layer="shrubs"))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "applied"]
    assert report.changed_files == {"data.geojson"}
    assert {name for name, state in world.snapshot().items() if state != before[name]} == {"data.geojson"}


@pytest.mark.parametrize("geometry", [5, {"type": 5}, {"type": "Point", "coordinates": 5}, {"coordinates": [[[]], 3]}])
def test_geojson_with_odd_geometries_is_edited_or_told(tmp_path: Path, geometry: Any) -> None:
    feature = {"type": "Feature", "properties": {"fid": 1, "name": "x"}, "geometry": geometry}
    (tmp_path / "t.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    world = World(tmp_path)
    world.add_layer("trees", "./t.geojson")
    assert world.apply_one(patch(1, {"name": "y"})).status in ("applied", "not_applied")

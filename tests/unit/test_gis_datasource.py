"""Datasource texts: decoded, and encoded to the same text again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc_node.gis.datasource import DatabaseSource, FileSource, OtherSource, TextSource, decode, encode

FOLDER = Path("/project/files")


@pytest.mark.parametrize(
    ("provider", "text", "expected"),
    [
        ("ogr", "./trees.gpkg|layername=trees", FileSource(FOLDER / "trees.gpkg", "trees")),
        ("ogr", "./a/my data.shp", FileSource(FOLDER / "a/my data.shp")),
        ("ogr", "./t.gpkg|layerid=2", FileSource(FOLDER / "t.gpkg", None, 2)),
        (
            "ogr",
            "./t.gpkg|layername=t|subset=\"a\" = 'x|y'",
            FileSource(FOLDER / "t.gpkg", "t", subset="\"a\" = 'x|y'"),
        ),
        (
            "ogr",
            "./t.gpkg|layername=t|geometrytype=Point|option:LIST_ALL_TABLES=YES",
            FileSource(FOLDER / "t.gpkg", "t", options={"geometrytype": "Point", "option:LIST_ALL_TABLES": "YES"}),
        ),
        ("ogr", "../other/t.gpkg|layername=t", FileSource(Path("/project/other/t.gpkg"), "t")),
        ("gdal", "./r.tif", FileSource(FOLDER / "r.tif", provider="gdal")),
        (
            "gdal",
            "GPKG:./r.gpkg:tiles",
            FileSource(FOLDER / "r.gpkg", "tiles", options={"prefix": "GPKG"}, provider="gdal"),
        ),
        (
            "spatialite",
            'dbname=\'./s.sqlite\' table="t" (geom) sql="a" > 3',
            FileSource(FOLDER / "s.sqlite", "t", subset='"a" > 3', provider="spatialite", geometry_column="geom"),
        ),
        (
            "delimitedtext",
            "file:./p.csv?type=csv&delimiter=;&xField=x&yField=y",
            TextSource(FOLDER / "p.csv", {"type": "csv", "delimiter": ";", "xField": "x", "yField": "y"}),
        ),
        (
            "WFS",
            "url='https://example.org/wfs' typename='a'",
            OtherSource("url='https://example.org/wfs' typename='a'"),
        ),
        ("ogr", "/vsicurl/https://example.org/a.shp", OtherSource("/vsicurl/https://example.org/a.shp")),
        ("ogr", "PG:dbname=x", OtherSource("PG:dbname=x")),
        (
            "ogr",
            "/vsizip/./z.zip/a/b.shp|layername=b|subset=c > 1",
            FileSource(FOLDER / "z.zip", "b", subset="c > 1", member="a/b.shp"),
        ),
        ("ogr", "/vsizip/./z.zip", FileSource(FOLDER / "z.zip", member="")),
        ("ogr", "/vsitar/./z.tar/b.shp", OtherSource("/vsitar/./z.tar/b.shp")),
    ],
)
def test_text_is_understood_and_written_back(provider: str, text: str, expected: object) -> None:
    source = decode(provider, text, FOLDER)
    assert source == expected
    assert encode(source, FOLDER) == text


def test_database_source_with_everything() -> None:
    text = (
        "dbname='gis db' host=db.example.org port=5432 user='o\\'hara' password='p w' sslmode=disable key='id'"
        ' srid=2056 type=Point table="field"."Trees ""old""" (geom) sql="height" > 3 AND name = \'a b\''
    )
    source = decode("postgres", text, FOLDER)
    assert isinstance(source, DatabaseSource)
    assert (source.schema, source.table, source.geometry_column) == ("field", 'Trees "old"', "geom")
    assert source.subset == "\"height\" > 3 AND name = 'a b'"
    assert source.key == "id"
    assert source.parameters["user"] == "o'hara"
    assert decode("postgres", encode(source, FOLDER), FOLDER) == source


def test_database_source_hides_its_password_from_logs() -> None:
    source = decode("postgres", "dbname='a' password='hunter2' table=\"t\" sql=", FOLDER)
    assert "hunter2" not in repr(source)


def test_query_as_table() -> None:
    source = decode("postgres", "service='s' key='id' table=\"(SELECT 1 AS id\nFROM a)\" sql=", FOLDER)
    assert isinstance(source, DatabaseSource)
    assert source.table == "(SELECT 1 AS id\nFROM a)"
    assert source.subset is None


@pytest.mark.parametrize(
    ("provider", "text", "path"),
    [
        ("ogr", "localized:maps/basemap.gpkg|layername=a", "maps/basemap.gpkg"),
        ("gdal", "localized:100 %25.tif", "100 %25.tif"),
        ("delimitedtext", "file:localized:my%20list.csv?delimiter=,", "my list.csv"),
        ("wms", "type=mbtiles&url=file:localized:a.mbtiles", "a.mbtiles"),
        ("vectortile", "styleUrl=x&url=localized:a.mbtiles&type=mbtiles", "a.mbtiles"),
    ],
)
def test_localized_paths_stay_as_they_are(provider: str, text: str, path: str) -> None:
    source = decode(provider, text, FOLDER)
    assert source == OtherSource(text)
    assert isinstance(source, OtherSource)
    assert (source.is_localized, source.localized_path) == (True, path)


def test_windows_paths_are_taken_apart_too() -> None:
    assert decode("ogr", ".\\data\\t.shp", FOLDER) == FileSource(FOLDER / "data/t.shp")
    absolute = decode("ogr", "C:/data/t.shp|layerid=0", FOLDER)
    assert isinstance(absolute, FileSource)
    assert absolute.path.is_absolute()


def test_delimited_text_with_special_characters() -> None:
    source = decode("delimitedtext", "file:///data/a%20b.csv?delimiter=%5Ct&subset=%22a%22%20%3D%201", FOLDER)
    assert source == TextSource(Path("/data/a b.csv"), {"delimiter": "\\t", "subset": '"a" = 1'})
    assert isinstance(source, TextSource)
    assert source.subset == '"a" = 1'
    assert decode("delimitedtext", encode(source, FOLDER), FOLDER) == source


names = st.text(st.characters(blacklist_characters="|/\\:\0\n<'", blacklist_categories=["Cs", "Cc"]), min_size=1).map(
    lambda text: f"x{text.strip()}"
)


@given(file=names, layer=names, subset=st.one_of(st.none(), st.text(min_size=1)))
def test_any_file_source_survives(file: str, layer: str, subset: str | None) -> None:
    source = FileSource(FOLDER / file, layer, subset=subset)
    assert decode("ogr", encode(source, FOLDER), FOLDER) == source


@given(st.text())
def test_no_text_makes_decoding_fail(text: str) -> None:
    for provider in ("ogr", "gdal", "postgres", "spatialite", "delimitedtext", "memory", ""):
        decode(provider, text, FOLDER)

"""Names in a GeoPackage's tables that would become SQL in a package."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gis_samples import layer_xml, make_geopackage, point, trees, write_project
from qfc_node.gis.native import NativeEngine


@pytest.mark.parametrize("kind", ["POINT DEFAULT (sqlite_version())", "POINT, extra TEXT", 'POINT"', "POINT --"])
def test_the_type_of_a_geometry_is_a_word(kind: str, tmp_path: Path) -> None:
    files, export = tmp_path / "files", tmp_path / "export"
    files.mkdir()
    export.mkdir()
    make_geopackage(files / "a.gpkg", "a", "fid INTEGER PRIMARY KEY, geom POINT", [(1, point(8, 47))], with_index=False)
    with closing(sqlite3.connect(files / "a.gpkg")) as connection:
        connection.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = ?", (kind,))
        connection.commit()
    NativeEngine(files).package(write_project(files, [layer_xml("a", "./a.gpkg|layername=a")]), export, print)
    with closing(sqlite3.connect(export / "data.gpkg")) as connection:
        columns = connection.execute("SELECT name, type, dflt_value FROM pragma_table_info('a')").fetchall()
    assert columns[1:] == [("geom", "GEOMETRY", None), ("fid", "INTEGER", None)]


def test_the_type_of_a_column_is_words(tmp_path: Path) -> None:
    files, export = tmp_path / "files", tmp_path / "export"
    files.mkdir()
    export.mkdir()
    columns = 'fid INTEGER PRIMARY KEY, geom POINT, name "TEXT DEFAULT (sqlite_version())", height REAL'
    make_geopackage(files / "a.gpkg", "a", columns, [(1, point(8, 47), "oak", 1.5)], with_index=False)
    NativeEngine(files).package(write_project(files, [layer_xml("a", "./a.gpkg|layername=a")]), export, print)
    with closing(sqlite3.connect(export / "data.gpkg")) as connection:
        (found,) = connection.execute("SELECT dflt_value FROM pragma_table_info('a') WHERE name = 'name'").fetchone()
    assert found is None


def test_bytes_that_are_no_text_in_a_schema_are_said(tmp_path: Path) -> None:
    """SQLite's message quotes them; Python cannot read it."""
    trees(tmp_path / "a.gpkg")
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        name = "CAST(x'6bbb' AS TEXT)"
        connection.execute(f"INSERT INTO sqlite_master VALUES ('table', {name}, {name}, 99999, 'CREATE TABLE k (a)')")
        connection.commit()
    said: list[str] = []
    NativeEngine(tmp_path).report(write_project(tmp_path, [layer_xml("a", "./a.gpkg|layername=trees")]), said.append)
    assert said[0].startswith(
        "Layer 'a': invalid_dataprovider, File 'a.gpkg' is damaged or not a GeoPackage: malformed"
    )
    assert "k\ufffd" in said[0]


def test_a_column_whose_name_no_project_can_contain_ends_no_package(tmp_path: Path) -> None:
    files, export = tmp_path / "files", tmp_path / "export"
    files.mkdir()
    export.mkdir()
    (files / "a.csv").write_bytes(b"fid,nam\x11\0\0\n1,oak\n")
    NativeEngine(files).package(write_project(files, [layer_xml("a", "./a.csv")]), export, print)
    (packaged,) = export.glob("*_qfield.qgs")
    assert b"nam\xef\xbf\xbd" in packaged.read_bytes()

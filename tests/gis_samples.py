"""Small QGIS projects and GeoPackages for the tests of `qfc_node.gis`, written from scratch in milliseconds."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from qfc_node.gis import geopackage
from qfc_node.gis.geopackage_index import build_index

WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
Row = tuple[object, ...]


def point(x: float, y: float, *more: float, kind: int = 1) -> bytes:
    """A GeoPackage point; `kind` 1001 with Z, 2001 with M, 3001 with both."""
    header = b"GP\0\1" + struct.pack("<i", 4326)
    return header + struct.pack(f"<BI{2 + len(more)}d", 1, kind, x, y, *more)


def square(x: float, y: float, size: float) -> bytes:
    """A GeoPackage polygon, with its envelope in the header."""
    ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    header = b"GP\0\3" + struct.pack("<i4d", 4326, x, x + size, y, y + size)
    return header + struct.pack("<BIII10d", 1, 3, 1, 5, *(value for vertex in ring for value in vertex))


def make_geopackage(
    path: Path,
    table: str,
    columns: str,
    rows: Sequence[Row],
    *,
    geometry: str | None = "POINT",
    with_index: bool = True,
    dimensions: tuple[int, int] = (0, 0),
) -> None:
    """Write a table; `columns` is SQL, in which `geom` is the geometry; rows have a value for every column."""
    new = not path.exists()
    with closing(geopackage.create(path) if new else sqlite3.connect(path, isolation_level=None)) as connection:
        if new:
            srs = ("WGS 84", 4326, "EPSG", 4326, WGS84, "")
            connection.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", srs)
        connection.execute(f'CREATE TABLE "{table}" ({columns})')
        kind, srs_id = ("features", 4326) if geometry else ("attributes", 0)
        contents = "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)"
        connection.execute(contents, (table, kind, table, srs_id))
        if geometry:
            entry = (table, "geom", geometry, 4326, *dimensions)
            connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", entry)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
        if geometry and with_index:
            build_index(connection, table, "fid", "geom", None)


def trees(path: Path, count: int = 3) -> None:
    """A GeoPackage `trees` with features 1, 2, 3, … at (7.1, 46.1), (7.2, 46.2), …"""
    rows = [(n, point(7 + n / 10, 46 + n / 10), f"tree {n}", n * 1.5) for n in range(1, count + 1)]
    columns = "fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, name TEXT(40), height REAL"
    make_geopackage(path, "trees", columns, rows)


def layer_xml(
    layer_id: str,
    source: str,
    *,
    name: str = "",
    kind: str = "vector",
    provider: str = "ogr",
    wkb_type: str = "Point",
    properties: dict[str, str] | None = None,
    crs: str = "EPSG:4326",
    more: str = "",
) -> str:
    """A `<maplayer>`; `more` is XML for its content."""
    options = "".join(
        f"<Option type='QString' name={quoteattr(key)} value={quoteattr(value)}/>"
        for key, value in (properties or {}).items()
    )
    return (
        f"<maplayer type='{kind}' wkbType='{wkb_type}' readOnly='0'><id>{layer_id}</id>"
        f"<datasource>{escape(source)}</datasource><layername>{escape(name or layer_id)}</layername>"
        f"<srs><spatialrefsys><authid>{crs}</authid></spatialrefsys></srs><provider>{provider}</provider>"
        f"<customproperties><Option type='Map'>{options}</Option></customproperties>{more}</maplayer>"
    )


def project_xml(layers: Sequence[str], *, tree: str | None = None, properties: str = "", more: str = "") -> str:
    """A project with the extent (7 46, 10 48); `tree` is the content of the layer tree, by default every layer."""
    ids = [layer.split("<id>")[1].split("</id>")[0] for layer in layers]
    nodes = "".join(
        f"<layer-tree-layer id='{layer_id}' checked='Qt::Checked' source='' providerKey=''/>" for layer_id in ids
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        "<qgis version='3.40.6-Bratislava' projectname=''><title>Survey</title>"
        "<autotransaction active='1'/><evaluateDefaultValues active='1'/>"
        "<projectCrs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></projectCrs>"
        f"<layer-tree-group>{nodes if tree is None else tree}</layer-tree-group>"
        "<mapcanvas name='theMapCanvas'><extent><xmin>7</xmin><ymin>46</ymin><xmax>10</xmax><ymax>48</ymax>"
        f"</extent></mapcanvas><projectlayers>{''.join(layers)}</projectlayers>"
        f"<properties>{properties}</properties>{more}</qgis>"
    )


def write_project(folder: Path, layers: Sequence[str], name: str = "survey.qgs", **parts: str) -> Path:
    """Write a project file; `parts` as of `project_xml`."""
    path = folder / name
    path.write_text(project_xml(layers, **parts), encoding="utf-8")
    return path

"""Vector files, filters and coordinate systems that name something outside the project."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from contextlib import closing
from pathlib import Path

from gis_samples import make_geopackage, point, trees
from hostile_corpus.case import Case, Place, delta, project

_COLUMNS = "fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, name TEXT(40), height REAL"


#: A condition that ends, and a query of the virtual table, in the SQL of both SQLite and GDAL.
_JOINED = "1=1) UNION ALL SELECT fid, name FROM leak WHERE (1=1"


def _virtual(path: Path, table: str, statement: str) -> None:
    """Put a virtual table into a schema, whose module this program does not have."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        entry = "INSERT INTO sqlite_master VALUES ('table', ?, ?, 0, ?)"
        connection.execute(entry, (table, table, f"CREATE VIRTUAL TABLE {table} USING {statement}"))
        connection.commit()


def _sqlite(place: Place, statement: str, name: str = "a.sqlite") -> None:
    path = place.files / name
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO plain VALUES (1, 'oak')")
        connection.commit()
    _virtual(path, "leak", statement)
    project(place, f"./{name}|layername=plain|subset={_JOINED}", wkb_type="NoGeometry")


def _sqlite_in_zip(place: Place) -> None:
    _sqlite(place, f"VirtualOGR('CSV:{place.canaries.path('secret.csv')}')")
    with zipfile.ZipFile(place.files / "a.zip", "w") as archive:
        archive.write(place.files / "a.sqlite", "a.sqlite")
    (place.files / "a.sqlite").unlink()
    project(place, f"/vsizip/./a.zip/a.sqlite|layername=plain|subset={_JOINED}", wkb_type="NoGeometry")


def _geopackage_with_virtual_table(place: Place) -> None:
    path = place.files / "a.gpkg"
    trees(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('leak', 'attributes')")
        connection.commit()
    _virtual(path, "leak", f"VirtualOGR('CSV:{place.canaries.path('secret.csv')}')")
    project(place, "./a.gpkg|layername=leak", wkb_type="NoGeometry")


def _view(place: Place, query: str, name: str = "a.gpkg") -> None:
    """A view of a GeoPackage that is a layer."""
    path = place.files / name
    if name.endswith(".gpkg"):
        trees(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE VIEW leak AS {query}")
        if name.endswith(".gpkg"):
            connection.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('leak', 'attributes')")
        connection.commit()
    project(place, f"./{name}|layername=leak", wkb_type="NoGeometry")


def _journal(place: Place) -> None:
    """A journal of a transaction over several files: SQLite removes the file that it names."""
    path = place.files / "a.gpkg"
    trees(path)
    page = path.read_bytes()[:4096]
    size = struct.unpack(">H", page[16:18])[0]
    name = place.canaries.path("secret.txt").encode()
    magic = bytes.fromhex("d9d505f920a163d7")
    header = magic + struct.pack(">IIIII", 1, 7, path.stat().st_size // size, 512, size)
    page = page[:size]
    total = 7
    for offset in range(size - 200, 0, -200):
        total += page[offset]
    record = struct.pack(">I", 1) + page + struct.pack(">I", total & 0xFFFFFFFF)
    check = sum(name) & 0xFFFFFFFF
    tail = struct.pack(">I", 0x40000000 // size + 1) + name + struct.pack(">II", len(name), check) + magic
    path.with_name("a.gpkg-journal").write_bytes(header.ljust(512, b"\0") + record + tail)
    project(place, "./a.gpkg|layername=trees")


def _shapes(place: Place, name: str = "a.geojson") -> None:
    rows = [{"fid": n, "name": f"tree {n}"} for n in range(1, 4)]
    features = [
        {"type": "Feature", "properties": row, "geometry": {"type": "Point", "coordinates": [8, 47]}} for row in rows
    ]
    (place.files / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _filter(place: Place, text: str) -> None:
    _shapes(place)
    project(place, f"./a.geojson|subset={text}")


def _filter_of_text(place: Place, text: str) -> None:
    from urllib.parse import quote

    (place.files / "a.csv").write_text("name,number\noak,1\nelm,2\n")
    project(
        place,
        f"file:./a.csv?type=csv&geomType=none&subset={quote(text)}",
        provider="delimitedtext",
        wkb_type="NoGeometry",
    )


def _union(place: Place) -> str:
    """A condition that ends, and a second query of other data."""
    return f"1=1) UNION ALL SELECT * FROM '{place.canaries.path('secret.csv')}'.secret WHERE (1=1"


def _content(place: Place, name: str, content: str) -> None:
    (place.files / name).write_text(content)
    project(place, f"./{name}", wkb_type="NoGeometry")


def _union_vrt(place: Place) -> str:
    return (
        f"<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>{place.canaries.path('secret.csv')}"
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )


def _pipeline(place: Place) -> str:
    return json.dumps({"type": "gdal_streamed_alg", "command_line": f"vector read {place.canaries.path('secret.csv')}"})


def _seamless(place: Place) -> None:
    (place.files / "a.tab").write_text(
        '!table\n!version 100\nopen table "../../outside/secret.tab"\n\ncreate view a as\nSelect name From secret\n'
    )
    project(place, "./a.tab", wkb_type="NoGeometry")


def _index(place: Place) -> None:
    import shutil

    from pyogrio.raw import write  # noqa: F401 -- its driver is what reads the index

    shutil.copy(place.canaries.path("secret.csv"), place.files / "a.csv")
    (place.files / "a.idm").write_text(
        "<OGRMILayerAttrIndex><MIIDFilename>/etc/passwd</MIIDFilename></OGRMILayerAttrIndex>"
    )
    (place.files / "a.csv").write_text("fid,name\n1,oak\n")
    project(place, "./a.csv", wkb_type="NoGeometry")


def _source(place: Place, source: str, provider: str = "ogr") -> None:
    project(place, source, provider=provider, wkb_type="NoGeometry")


def _linked(place: Place, name: str) -> None:
    (place.files / f"a{Path(name).suffix}").symlink_to(place.canaries.path(name))
    _source(place, f"./a{Path(name).suffix}")


def _linked_folder(place: Place) -> None:
    (place.files / "data").symlink_to(place.canaries.folder)
    properties = "<QFieldSync><dataDirs type='QStringList'><value>data</value></dataDirs></QFieldSync>"
    project(place, "./data/secret.gpkg|layername=trees", properties_xml=properties)


def _unsafe_zip(place: Place) -> None:
    with zipfile.ZipFile(place.files / "a.zip", "w") as archive:
        archive.write(place.canaries.path("secret.csv"), "../../outside/secret.csv")
        archive.writestr("a.csv", "fid,name\n1,oak\n")
    _source(place, "/vsizip/./a.zip/../../outside/secret.csv")


def _bomb(place: Place) -> None:
    with zipfile.ZipFile(place.files / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"fid,name\n" + b"1,oak\n" * 50_000_000)
    _source(place, "/vsizip/./a.zip/a.csv")


def _in_archive(place: Place) -> None:
    with zipfile.ZipFile(place.files / "inner.zip", "w") as archive:
        archive.writestr("a.csv", "fid,name\n1,oak\n")
    with zipfile.ZipFile(place.files / "a.zip", "w") as archive:
        archive.write(place.files / "inner.zip", "inner.zip")
    _source(place, "/vsizip/{/vsizip/{/srv/a.zip}/inner.zip}/a.csv")


def _system(place: Place, crs: str) -> None:
    trees(place.files / "a.gpkg")
    _shapes(place)
    project(place, "./a.geojson", crs=crs)


def _geometry_type(place: Place) -> None:
    make_geopackage(place.files / "a.gpkg", "a", _COLUMNS, [(1, point(8, 47), "oak", 1)], with_index=False)
    with closing(sqlite3.connect(place.files / "a.gpkg")) as connection:
        kind = "POINT DEFAULT (readfile('/etc/passwd')), leak TEXT DEFAULT (sqlite_version())"
        connection.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = ?", (kind,))
        connection.commit()
    project(place, "./a.gpkg|layername=a")


def _broken_index(place: Place) -> None:
    trees(place.files / "a.gpkg")
    with closing(sqlite3.connect(place.files / "a.gpkg")) as connection:
        connection.execute("UPDATE rtree_trees_geom_node SET data = substr(data, 1, 4) || zeroblob(length(data) - 4)")
        connection.execute("UPDATE rtree_trees_geom_node SET data = x'00004242' || substr(data, 5)")
        connection.commit()
    project(place, "./a.gpkg|layername=trees")


#: Sources that GDAL or SQLite would open; the others are of no kind that is opened, wherever they lead.
_REACHING = ("above the project", "above it in disguise", "absolute", "as GPKG", "as a GeoPackage above")
_EDITS = (delta("patch", "1", {"name": "changed"}), delta("delete", "2"), delta("create", "9", {"name": "new"}))
_TWO = ("schema", "drivers", "references")
CASES = [
    Case(
        "virtual table of a foreign file",
        lambda p: _sqlite(p, f"VirtualOGR('CSV:{p.canaries.path('secret.csv')}')"),
        _TWO,
    ),
    Case(
        "virtual table of an address",
        lambda p: _sqlite(p, f"VirtualOGR('CSV:/vsicurl/{p.canaries.url('a.csv')}')"),
        _TWO,
    ),
    Case("virtual table in a zip file", _sqlite_in_zip, _TWO),
    Case("virtual table in a GeoPackage", _geopackage_with_virtual_table, ("schema",), is_real=False),
    Case(
        "virtual table of text",
        lambda p: _sqlite(p, f"VirtualText('{p.canaries.path('secret.csv')}', UTF-8)"),
        _TWO,
        is_real=False,
    ),
    Case(
        "view that describes the server",
        lambda p: _view(p, "SELECT seq AS fid, file AS name FROM pragma_database_list"),
    ),
    Case("view that loads code", lambda p: _view(p, "SELECT 1 AS fid, load_extension('/tmp/x') AS name")),
    Case(
        "view with a function of GDAL",
        lambda p: _view(
            p,
            f"SELECT 1 AS fid, gdal_get_pixel_value('{p.canaries.path('secret.tif')}', 1, 'pixel', 1, 1) AS name",
            "a.sqlite",
        ),
    ),
    Case("journal of several files", _journal, ("schema",), ("apply",), deltas=_EDITS),
    Case("filter with a second query", lambda p: _filter(p, _union(p))),
    Case("filter of text with a second query", lambda p: _filter_of_text(p, _union(p)), actions=("package",)),
    Case(
        "filter that is a query of text",
        lambda p: _filter(p, f"SELECT * FROM '{p.canaries.path('secret.csv')}'.secret"),
    ),
    Case("VRT in a file of GeoJSON", lambda p: _content(p, "a.geojson", _union_vrt(p)), ("list",)),
    Case("VRT file", lambda p: _content(p, "a.vrt", _union_vrt(p)), ("list",)),
    Case("VRT as the source", lambda p: _source(p, _union_vrt(p)), ("list",)),
    Case("pipeline in a file", lambda p: _content(p, "a.json", _pipeline(p)), ("list",)),
    Case("pipeline in a file of its own kind", lambda p: _content(p, "a.gdalg.json", _pipeline(p)), ("list",)),
    Case("pipeline as the source", lambda p: _source(p, _pipeline(p)), ("list",)),
    Case("table of tables", _seamless),
    Case("index that names a file", _index),
    *(
        Case(f"source {name}", lambda p, make=make: _source(p, make(p)), ("paths",), is_real=name in _REACHING)
        for name, make in {
            "above the project": lambda _: "../../outside/secret.geojson",
            "above it in disguise": lambda _: "./x/../../../outside/secret.geojson",
            "absolute": lambda p: p.canaries.path("secret.geojson"),
            "as file:": lambda p: f"file://{p.canaries.path('secret.geojson')}",
            "in the processes": lambda _: "/proc/self/environ",
            "in a network of Windows": lambda _: "\\\\host\\share\\secret.geojson",
            "with a drive": lambda _: "C:/secret.geojson",
            "as CSV": lambda p: f"CSV:{p.canaries.path('secret.csv')}",
            "as GPKG": lambda p: f"GPKG:{p.canaries.path('secret.gpkg')}:trees",
            "by an address": lambda p: p.canaries.url("a.geojson"),
            "by GDAL's address": lambda p: f"/vsicurl/{p.canaries.url('a.geojson')}",
            "in a part of a file": lambda p: f"/vsisubfile/0_1000,{p.canaries.path('secret.geojson')}",
            "with a null": lambda _: "./a\\0.geojson",
            "as a GeoPackage above": lambda _: "../../outside/secret.gpkg|layername=trees",
        }.items()
    ),
    Case(
        "text above the project",
        lambda p: _source(p, "file:../../outside/secret.csv?type=csv&geomType=none", "delimitedtext"),
        ("paths",),
    ),
    Case(
        "text above in percents",
        lambda p: _source(p, "file:%2e%2e%2F%2e%2e%2Foutside%2Fsecret.csv?type=csv&geomType=none", "delimitedtext"),
        ("paths",),
    ),
    Case(
        "spatialite above the project",
        lambda p: _source(p, "dbname='../../outside/secret.gpkg' table=\"trees\" (geom)", "spatialite"),
        ("paths",),
    ),
    Case(
        "virtual layer of a foreign file",
        lambda p: _source(p, f"?layer=ogr:{p.canaries.path('secret.csv')}:a:UTF-8&query=select", "virtual"),
        ("paths",),
        is_real=False,
    ),
    Case("link to GeoJSON", lambda p: _linked(p, "secret.geojson"), ("paths", "references")),
    Case("link to a GeoPackage", lambda p: _linked(p, "secret.gpkg"), ("paths",), deltas=_EDITS),
    Case("link to a folder", _linked_folder, ("paths",), deltas=_EDITS),
    Case("zip file with a name that leads out", _unsafe_zip, ("list",)),
    Case("zip bomb", _bomb, ("list",), ("report", "package")),
    Case("zip file in a zip file", _in_archive, ("list",)),
    Case(
        "coordinate system by an address", lambda p: _system(p, p.canaries.url("crs")), ("references",), is_real=False
    ),
    Case(
        "coordinate system from a file",
        lambda p: _system(p, p.canaries.path("secret.txt")),
        ("references",),
        is_real=False,
    ),
    Case(
        "coordinate system with a grid",
        lambda p: _system(p, f"+proj=longlat +nadgrids={p.canaries.path('secret.txt')}"),
        ("references",),
        is_real=False,
    ),
    Case("type of geometry that is SQL", _geometry_type),
    Case("index that is damaged", _broken_index, deltas=_EDITS),
    Case(
        "edits of a foreign GeoPackage",
        lambda p: project(p, "../../outside/secret.gpkg|layername=trees"),
        ("paths",),
        ("apply",),
        deltas=_EDITS,
    ),
]

"""What is fuzzed: a reader, the errors that it may raise, and inputs to begin with."""

from __future__ import annotations

import json
import sqlite3
import uuid
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from gis_samples import layer_xml, point, project_xml, square, trees
from qfc_node.gis import wkb
from qfc_node.gis.deltas import apply_deltas
from qfc_node.gis.deltas.content import MalformedDeltaError, read_edit
from qfc_node.gis.deltas.editing import RefusedError
from qfc_node.gis.deltas.geometry import BadWktError, read_wkt, write_wkb
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import Delta, GisError
from qfc_node.gis.project import Project

_EXPECTED = (GisError, RefusedError, BadWktError, MalformedDeltaError, wkb.BadWkbError)


@dataclass(frozen=True)
class Target:
    """A reader. `reader` gets the input and an empty folder; `seeds` gets a folder to make inputs in."""

    name: str
    reader: Callable[[bytes, Path], object]
    seeds: Callable[[Path], Iterable[bytes]]

    def read(self, data: bytes, folder: Path) -> None:
        """Read an input. Raises only what no reader should raise."""
        with suppress(_EXPECTED):
            self.reader(data, folder)


def _silent(_line: str) -> None:
    return None


def _project(data: bytes, folder: Path) -> None:
    """The whole description of a project file, thumbnail included."""
    path = folder / ("p.qgz" if data[:2] == b"PK" else "p.qgs")
    path.write_bytes(data)
    NativeEngine(folder).report(path, _silent)


def _layers(folder: Path, *sources: str) -> Path:
    layers = [layer_xml(f"l{number}", source) for number, source in enumerate(sources)]
    path = folder / "p.qgs"
    path.write_text(project_xml(layers), encoding="utf-8")
    return path


def _as_layer(name: str, suffix: str = "") -> Callable[[bytes, Path], None]:
    """A reader of a file as a layer: described, drawn, packaged, edited."""

    def read(data: bytes, folder: Path) -> None:
        (folder / name).write_bytes(data)
        path = _layers(folder, f"./{name}{suffix}")
        engine = NativeEngine(folder)
        engine.report(path, _silent)
        export = folder / "export"
        export.mkdir(exist_ok=True)
        for old in export.rglob("*"):
            if old.is_file():
                old.unlink()
        engine.package(path, export, _silent)
        engine.apply(path, [_delta()], overwrite_conflicts=True, known_pks={}, log=_silent)

    return read


def _delta() -> Delta:
    content = {"method": "patch", "localPk": "1", "sourcePk": "1", "localLayerId": "l0", "sourceLayerId": "l0"}
    return Delta(str(uuid.UUID(int=1)), "d", "c", {**content, "new": {"attributes": {"name": "x"}}, "old": {}})


def _shapefile(data: bytes, folder: Path) -> None:
    """The first byte says which of the files is damaged."""
    files = _shapefile_files()
    suffix = sorted(files)[data[0] % len(files)] if data else ".shp"
    for ending, content in files.items():
        (folder / f"a{ending}").write_bytes(data[1:] if ending == suffix else content)
    _as_layer("a.shp")((folder / "a.shp").read_bytes(), folder)


_kept: dict[str, bytes] = {}


def _shapefile_files() -> dict[str, bytes]:
    if not _kept:
        import struct

        record = struct.pack(">ii", 1, 10) + struct.pack("<idd", 1, 8.0, 47.0)
        box = struct.pack("<dddddddd", 8, 47, 8, 47, 0, 0, 0, 0)
        head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + len(record)) // 2) + struct.pack("<ii", 1000, 1) + box
        index = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, 54) + struct.pack("<ii", 1000, 1) + box
        fields = b"fid".ljust(11, b"\0") + b"N" + b"\0" * 4 + b"\x0a\0" + b"\0" * 14
        fields += b"name".ljust(11, b"\0") + b"C" + b"\0" * 4 + b"\x0a\0" + b"\0" * 14
        table = (
            struct.pack("<BBBBIHH20x", 3, 24, 1, 1, 1, 97, 21)
            + fields
            + b"\r"
            + b" "
            + b"1".rjust(10)
            + b"oak".ljust(10)
        )
        _kept.update({".shp": head + record, ".shx": index + struct.pack(">ii", 50, 10), ".dbf": table + b"\x1a"})
    return _kept


def _wkb(data: bytes, _folder: Path) -> None:
    wkb.parse(data)
    wkb.envelope(data)


def _wkt(data: bytes, _folder: Path) -> None:
    write_wkb(read_wkt(data.decode("utf-8", "replace")))


def _edit(data: bytes, folder: Path) -> None:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return
    delta = Delta("1", "d", "c", content)
    try:
        read_edit(delta)
    except RecursionError:
        return  # the caller reports it
    trees(folder / "a.gpkg") if not (folder / "a.gpkg").exists() else None
    project = Project.read(_layers(folder, "./a.gpkg|layername=trees"), folder)
    apply_deltas(project, [delta], overwrite_conflicts=True, known_pks={}, log=_silent)


def _geopackage_seeds(folder: Path) -> Iterable[bytes]:
    path = folder / "seed.gpkg"
    trees(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")  # small, so that changes hit what matters
        connection.execute("VACUUM")
    yield path.read_bytes()


def _project_seeds(folder: Path) -> Iterable[bytes]:
    text = project_xml([layer_xml("a", "./a.gpkg|layername=trees"), layer_xml("r", "./a.tif", kind="raster")])
    yield text.encode()
    with zipfile.ZipFile(folder / "seed.qgz", "w") as archive:
        archive.writestr("p.qgs", text)
    yield (folder / "seed.qgz").read_bytes()


def _edit_seeds(_folder: Path) -> Iterable[bytes]:
    yield json.dumps(dict(_delta().content)).encode()
    yield json.dumps({**_delta().content, "method": "create", "new": {"geometry": "Point (1 2)"}}).encode()


def _json(_folder: Path) -> Iterable[bytes]:
    geometry = {"type": "Point", "coordinates": [8, 47]}
    feature = {"type": "Feature", "properties": {"fid": 1, "name": "oak"}, "geometry": geometry}
    yield json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


TARGETS = {
    target.name: target
    for target in (
        Target("csv", _as_layer("a.csv"), lambda _: [b"fid,name\n1,oak\n2,elm\n"]),
        Target("deltas", _edit, _edit_seeds),
        Target("geojson", _as_layer("a.geojson"), _json),
        Target("geopackage", _as_layer("a.gpkg", "|layername=trees"), _geopackage_seeds),
        Target("projects", _project, _project_seeds),
        Target(
            "shapefile",
            _shapefile,
            lambda _: [bytes([n]) + c for n, (_, c) in enumerate(sorted(_shapefile_files().items()))],
        ),
        Target("wkb", _wkb, lambda _: [point(1, 2), square(1, 2, 3), point(1, 2)[8:], square(1, 2, 3)[40:]]),
        Target(
            "wkt",
            _wkt,
            lambda _: [b"PointZ (1 2 3)", b"MULTIPOLYGON (((0 0, 1 1, 1 0, 0 0)))", b"GEOMETRYCOLLECTION M EMPTY"],
        ),
    )
}

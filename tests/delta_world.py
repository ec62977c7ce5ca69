"""A project folder with layers of every kind, for tests of deltas; GDAL writes them, so the files are realistic."""

from __future__ import annotations

import itertools
import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pyogrio.raw
import shapely

from postgis_world import LOOPBACK
from qfc_node.gis.deltas import apply_deltas
from qfc_node.gis.port import ApplyReport, Delta, DeltaOutcome
from qfc_node.gis.project import Project

CLIENT = "539f0f4a-2294-4030-b7d3-28dd5edb87c0"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Row:
    """A feature, as written at the beginning or read back."""

    fid: int
    name: str | None = None
    height: int | None = None
    weight: float | None = None
    wkt: str | None = None


class World:
    """A folder with a project file. Every new layer is added to the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._layers: list[str] = []

    def add_layer(
        self, layer_id: str, datasource: str, provider: str = "ogr", attributes: str = "", elements: str = ""
    ) -> None:
        """Add a layer to the project, with further XML attributes and elements."""
        self._layers.append(
            f'<maplayer type="vector" {attributes}><id>{layer_id}</id><layername>{layer_id}</layername>'
            f"<datasource>{escape(datasource)}</datasource><provider>{provider}</provider>"
            f"{elements}</maplayer>"
        )

    def project(self) -> Project:
        """The project with the layers so far."""
        path = self.folder / "field.qgs"
        path.write_text(f'<qgis version="3.40.1"><projectlayers>{"".join(self._layers)}</projectlayers></qgis>')
        return Project.read(path, databases=LOOPBACK)

    def apply(
        self,
        *deltas: Delta,
        overwrite: bool = False,
        known: Mapping[tuple[str, str, str], str] | None = None,
    ) -> ApplyReport:
        """Apply deltas."""
        return apply_deltas(
            self.project(), deltas, overwrite_conflicts=overwrite, known_pks=known or {}, log=lambda _line: None
        )

    def apply_one(self, delta: Delta, **options: Any) -> DeltaOutcome:
        """Apply one delta and return its outcome."""
        return self.apply(delta, **options).outcomes[0]

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        """Bytes and time of change of every file of the project's data."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".qgs")
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(files)}


def delta(method: str, layer: str = "trees", key: object = "1", **content: Any) -> Delta:
    """A delta as a device sends it; `local` and `client` set its own key and name."""
    local, client = content.pop("local", key), content.pop("client", CLIENT)
    body: dict[str, Any] = {
        "uuid": str(uuid.UUID(int=next(_numbers))),
        "clientId": client,
        "exportId": "e",
        "localPk": str(local),
        "sourcePk": str(key),
        "localLayerId": layer,
        "sourceLayerId": layer,
        "method": method,
    }
    return Delta(body["uuid"], "deltafile-1", client, json.loads(json.dumps({**body, **content})))


def create(
    key: object = "1000",
    wkt: str | None = None,
    layer: str = "trees",
    local: object = None,
    client: str = CLIENT,
    **fields: Any,
) -> Delta:
    """A feature created on the device."""
    new = {"geometry": wkt, "attributes": fields}
    return delta("create", layer, key, new=new, local=key if local is None else local, client=client)


def patch(key: object, new: Mapping[str, Any], old: Mapping[str, Any] | None = None, **more: Any) -> Delta:
    """A change of attributes; `wkt=` for a change of the geometry, of which the device saw `seen`."""
    before: dict[str, Any] = {"attributes": dict(old or {})}
    changed: dict[str, Any] = {"attributes": dict(new)}
    if "wkt" in more:
        before["geometry"], changed["geometry"] = more.pop("seen", "Point (0 0)"), more.pop("wkt")
    return delta("patch", key=key, new=changed, old=before, **more)


def remove(key: object, old: Mapping[str, Any] | None = None, **more: Any) -> Delta:
    """A feature deleted on the device."""
    return delta("delete", key=key, old={"attributes": dict(old or {})}, **more)


def arrays(rows: Sequence[Row]) -> tuple[Any, list[Any], list[Any]]:
    """Geometries, columns and masks of nulls for pyogrio: fid, name, height, weight."""
    geometries = np.array([_wkb(row.wkt) for row in rows], dtype=object)
    heights = [row.height for row in rows]
    columns = [
        np.array([row.fid for row in rows], dtype=np.int64),
        np.array([row.name for row in rows], dtype=object),
        np.array([height or 0 for height in heights], dtype=np.int64),
        np.array([np.nan if row.weight is None else row.weight for row in rows], dtype=np.float64),
    ]
    return geometries, columns, [None, None, np.array([height is None for height in heights]), None]


def write(path: Path, rows: Sequence[Row], geometry_type: str = "Point", with_fid: bool = True, **options: Any) -> Path:
    """A file of trees. GeoPackages number their rows themselves, from 1."""
    geometries, columns, masks = arrays(rows)
    first = 0 if with_fid else 1
    names = ["fid", "name", "height", "weight"]
    options = {"crs": "EPSG:4326", **options}
    pyogrio.raw.write(
        path,
        geometries,
        columns[first:],
        names[first:],
        field_mask=masks[first:],
        geometry_type=geometry_type,
        **options,
    )
    return path


def read(path: Path, **options: Any) -> dict[int, Row]:
    """All features as GDAL reads them, by their fid."""
    info, fids, geometries, columns = pyogrio.raw.read(path, return_fids=True, **options)
    names = list(info["fields"])
    values = dict(zip(names, columns, strict=True))
    keys = values.get("fid", fids)
    return {
        int(keys[place]): Row(
            int(keys[place]),
            _text(values["name"][place]),
            _number(values["height"][place], int),
            _number(values["weight"][place], float),
            None if geometries[place] is None else shapely.from_wkb(geometries[place]).wkt,
        )
        for place in range(len(keys))
    }


def check_geopackage(path: Path, table: str = "trees", geometry: str = "geom") -> None:
    """Integrity, R-tree against geometries, count, extent, and no journal beside the file."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    index = f"rtree_{table}_{geometry}"
    assert connection.execute(f"SELECT rtreecheck('{index}')").fetchone() == ("ok",)
    boxes = {row[0]: row[1:] for row in connection.execute(f'SELECT * FROM "{index}"')}
    stored = connection.execute(f'SELECT fid, "{geometry}" FROM "{table}"').fetchall()
    expected = {fid: _box(blob) for fid, blob in stored if _box(blob) is not None}
    assert boxes.keys() == expected.keys()
    for fid, (xmin, ymin, xmax, ymax) in expected.items():
        assert np.allclose(boxes[fid], (xmin, xmax, ymin, ymax), rtol=1e-6, atol=1e-6)
        low_x, high_x, low_y, high_y = boxes[fid]
        assert low_x <= xmin and xmax <= high_x and low_y <= ymin and ymax <= high_y
    count = connection.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (table,)).fetchone()
    assert count == (len(stored),)
    extent = connection.execute("SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?", (table,))
    _check_extent(extent.fetchone(), list(expected.values()))
    connection.close()
    assert [other.name for other in path.parent.iterdir() if other.name.startswith(f"{path.name}-")] == []


def _check_extent(extent: tuple[float, ...], boxes: Iterable[tuple[float, ...]]) -> None:
    for xmin, ymin, xmax, ymax in boxes:
        assert extent[0] <= xmin and extent[1] <= ymin and extent[2] >= xmax and extent[3] >= ymax


def _box(blob: bytes | None) -> tuple[float, ...] | None:
    if blob is None:
        return None
    header = 8 + {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[blob[3] >> 1 & 7]
    bounds = shapely.from_wkb(blob[header:]).bounds
    return None if np.isnan(bounds[0]) else bounds


def _wkb(wkt: str | None) -> bytes | None:
    return None if wkt is None else shapely.to_wkb(shapely.from_wkt(wkt), flavor="iso")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any, kind: type[Any]) -> Any:
    return None if value is None or np.isnan(value) else kind(value)

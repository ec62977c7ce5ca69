"""Reads a QGIS project and its editable layers (GeoPackage, GeoJSON): as shipped, as packaged, as edited.

It uses only the standard library and shapely, so it checks the work of phones and servers independently of their code.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405 -- our own demo project

from .geometry import Geometry, from_blob, from_geojson

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """A layer in a GeoPackage or a GeoJSON (`table` is empty then). `name` is the first part of its id."""

    id: str
    name: str
    file: str
    table: str


@dataclass(frozen=True)
class Feature:
    """A row: its key, its geometry if it has one, its other columns."""

    key: int
    attributes: Attributes
    geometry: Geometry | None

    @property
    def uuid(self) -> str:
        """The identity of the feature on every device."""
        return str(self.attributes["uuid"])


@dataclass(frozen=True)
class Survey:
    """A project in a folder: its editable layers and their features by layer name and key."""

    folder: Path
    layers: dict[str, Layer]
    features: dict[str, dict[int, Feature]]

    def find(self, layer: str, **wanted: Any) -> list[Feature]:
        """Return the features of a layer whose attributes have these values, sorted by key."""
        rows = self.features[layer].values()
        return [row for row in rows if all(row.attributes[name] == value for name, value in wanted.items())]


def shipped_project() -> Path:
    """Return the folder of the demo project in the installed package."""
    return Path(__file__).resolve().parent.parent / "demo_project"


def read_survey(folder: Path) -> Survey:
    """Read the only .qgs file of a folder and its layers. Raises FileNotFoundError, ValueError, sqlite3.Error."""
    layers = read_layers(project_file(folder))
    features = {name: _read_features(folder, layer) for name, layer in layers.items()}
    return Survey(folder, layers, features)


def project_file(folder: Path) -> Path:
    """Return the only .qgs file of a folder. Raises ValueError for none or several."""
    files = sorted(folder.glob("*.qgs"))
    if len(files) != 1:
        raise ValueError(f"{folder} must contain one .qgs file, but contains {len(files)}")
    return files[0]


def read_layers(path: Path) -> dict[str, Layer]:
    """Return the layers of a project file that read a GeoPackage or a GeoJSON, by name."""
    layers: dict[str, Layer] = {}
    for element in ElementTree.parse(path).iterfind("projectlayers/maplayer"):  # nosec B314 -- our own demo project
        source, _, options = (element.findtext("datasource") or "").partition("|")
        layer_id = element.findtext("id") or ""
        if source.endswith((".gpkg", ".geojson")):
            name = layer_id[: -len("_00000000_0000_0000_0000_000000000000")]
            layers[name] = Layer(layer_id, name, source.removeprefix("./"), _table_name(options) if options else "")
    return layers


def _table_name(options: str) -> str:
    """Return the value of `layername` in the options of an OGR source."""
    names = [
        value for name, _, value in (option.partition("=") for option in options.split("|")) if name == "layername"
    ]
    if not names:
        raise ValueError(f"a GeoPackage layer without a table name: {options}")
    return names[0].strip("'\"")


def _read_features(folder: Path, layer: Layer) -> dict[int, Feature]:
    return _read_table(folder, layer) if layer.file.endswith(".gpkg") else _read_geojson(folder / layer.file)


def _read_geojson(path: Path) -> dict[int, Feature]:
    features: dict[int, Feature] = {}
    for row in json.loads(path.read_text(encoding="utf-8"))["features"]:
        attributes, shape = dict(row["properties"]), row["geometry"]
        key = int(attributes.pop("fid"))
        features[key] = Feature(key, attributes, from_geojson(shape) if shape else None)
    return features


def _read_table(folder: Path, layer: Layer) -> dict[int, Feature]:
    address = f"file:{folder / layer.file}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.row_factory = sqlite3.Row
        types = _columns(database, layer.table)
        key = next(name for name, (_, is_key) in types.items() if is_key)
        shape = _geometry_column(database, layer.table)
        rows = database.execute(f"SELECT * FROM {_quoted(layer.table)} ORDER BY {_quoted(key)}").fetchall()
    kinds = {name: kind for name, (kind, _) in types.items() if name not in (key, shape)}
    return {row[key]: _feature(row, key, shape, kinds) for row in rows}


def _columns(database: sqlite3.Connection, table: str) -> dict[str, tuple[str, bool]]:
    rows = database.execute(f"PRAGMA table_info({_quoted(table)})")
    return {row["name"]: (str(row["type"]).upper(), bool(row["pk"])) for row in rows}


def _geometry_column(database: sqlite3.Connection, table: str) -> str | None:
    query = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
    row = database.execute(query, (table,)).fetchone()
    return row["column_name"] if row else None


def _feature(row: sqlite3.Row, key: str, shape: str | None, kinds: dict[str, str]) -> Feature:
    attributes = {name: plain_value(row[name], kind) for name, kind in kinds.items()}
    blob = row[shape] if shape else None
    return Feature(row[key], attributes, from_blob(blob) if blob else None)


def plain_value(value: Any, column_type: str) -> Any:
    """Return a column's value as in JSON: booleans as such, times without a zone and to the second."""
    if value is None:
        return None
    if column_type == "BOOLEAN":
        return bool(value)
    if column_type == "DATETIME":
        return str(value).replace(" ", "T")[:19]
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

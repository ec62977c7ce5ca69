"""GeoJSON feature collections (RFC 7946, and the older form with a coordinate system), edited as JSON.

Everything else in the file (foreign members, ids, nested values) stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ..editing import GeometryChange, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry, GeometryType, Kind, Ordinate
from ..values import Value, coerce_or_keep
from .guessing import guess_field, written
from .rows import RowStore, replace_file

Json = dict[str, Any]
_KINDS = {
    kind.label: kind
    for kind in (
        Kind.POINT,
        Kind.LINESTRING,
        Kind.POLYGON,
        Kind.MULTIPOINT,
        Kind.MULTILINESTRING,
        Kind.MULTIPOLYGON,
        Kind.GEOMETRYCOLLECTION,
    )
}
_MULTI = {Kind.POINT: Kind.MULTIPOINT, Kind.LINESTRING: Kind.MULTILINESTRING, Kind.POLYGON: Kind.MULTIPOLYGON}
_dump = json.JSONEncoder(ensure_ascii=False).encode
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class GeoJson:
    """A RowFormat; a row is a feature object. A property `fid` identifies it, else its `id`, else its place, from 0."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = path.read_bytes()
        self._document = _read(path.name, self._data)
        self._features = cast("list[Json]", self._document["features"])
        self._has_numbers = any(isinstance(feature.get("id"), int) for feature in self._features)
        fields = {name: guess_field(name, values) for name, values in self._columns().items()}
        self.schema = LayerSchema(
            fields=fields,
            key=next((name for name in fields if name.lower() == "fid"), None),
            geometry=_geometry_type(self._features),
        )

    def _columns(self) -> dict[str, list[Value]]:
        columns: dict[str, list[Value]] = {}
        for feature in self._features:
            for name, value in _properties(feature).items():
                columns.setdefault(name, []).append(value)
        return columns

    def rows(self) -> Sequence[Json | None]:
        """Return the features."""
        return self._features

    def number(self, row: Json, position: int) -> int:
        """Return the feature's id if it is a number, else its position."""
        number = row.get("id")
        return number if isinstance(number, int) else position

    def value(self, row: Json, name: str) -> Value:
        """Return a property; None if it is missing."""
        return coerce_or_keep(self.schema.fields[name], _properties(row).get(name))

    def new_row(self, number: int, attributes: Mapping[str, Value], geometry: Geometry | None) -> Json:
        """Return a feature with all properties that the others have."""
        feature: Json = {"type": "Feature"}
        if self._has_numbers:
            feature["id"] = number
        feature["properties"] = dict.fromkeys(self.schema.fields)
        return self.changed_row(feature, attributes, geometry)

    def changed_row(self, row: Json, attributes: Mapping[str, Value], geometry: GeometryChange) -> Json:
        """Return the feature with changed properties."""
        values = {name: written(value) for name, value in attributes.items()}
        changed = {**row, "properties": {**_properties(row), **values}}
        if not isinstance(geometry, Unchanged):
            changed["geometry"] = _encode(geometry) if geometry else None
            if "bbox" in changed:
                _measure(changed, [changed])
        return changed

    def write(self, rows: Sequence[Json | None]) -> frozenset[Path]:
        """Write one feature per line, like GDAL."""
        features = [row for row in rows if row is not None]
        head = {name: value for name, value in self._document.items() if name != "features"}
        if "bbox" in head:
            _measure(head, features)
        members = [f"{json.dumps(name)}: {_dump(value)}" for name, value in head.items()]
        lines = ",\n".join(map(_dump, features))
        text = "{\n" + ",\n".join([*members, f'"features": [\n{lines}\n]']) + "\n}\n"
        mark = _BYTE_ORDER_MARK if self._data.startswith(_BYTE_ORDER_MARK) else b""
        return replace_file(self._path, mark + text.encode(errors="surrogatepass"))


def open_geojson(path: Path) -> RowStore[Json]:
    """Return the store of a feature collection."""
    try:
        return RowStore(GeoJson(path))
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise RefusedError(f"The file {path.name} is damaged: {error}") from error


def _read(name: str, data: bytes) -> Json:
    try:
        document: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"The file {name} is damaged or not GeoJSON: {error}") from error
    features = cast("Json", document).get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(each, dict) for each in cast("list[Any]", features)):
        raise RefusedError(f"The file {name} is not a GeoJSON feature collection; other GeoJSON cannot be edited here")
    return cast("Json", document)


def _properties(feature: Json) -> Json:
    properties = feature.get("properties")
    return cast("Json", properties) if isinstance(properties, dict) else {}


def _geometry_type(features: Iterable[Json]) -> GeometryType:
    """Return the common type of all geometries; a collection without geometries accepts every kind."""
    geometries = [feature["geometry"] for feature in features if isinstance(feature.get("geometry"), dict)]
    kinds = {_KINDS.get(geometry.get("type"), Kind.GEOMETRY) for geometry in geometries}
    lengths = {len(position) for geometry in geometries for position in _positions(geometry)}
    z = Ordinate.ABSENT if lengths == {2} else Ordinate.PRESENT if lengths and min(lengths) > 2 else Ordinate.FREE
    return GeometryType(_common(kinds), z, Ordinate.ABSENT)


def _common(kinds: set[Kind]) -> Kind:
    if len(kinds) == 1:
        return kinds.pop()
    return next((multi for single, multi in _MULTI.items() if kinds == {single, multi}), Kind.GEOMETRY)


def _encode(geometry: Geometry) -> Json:
    if geometry.kind.label not in _KINDS:
        raise RefusedError(f"GeoJSON does not support the geometry type {geometry.kind.label}")
    if geometry.kind is Kind.GEOMETRYCOLLECTION:
        return {"type": geometry.kind.label, "geometries": [_encode(part) for part in geometry.parts]}
    return {"type": geometry.kind.label, "coordinates": _coordinates(geometry)}


def _coordinates(geometry: Geometry) -> list[Any]:
    if geometry.kind is Kind.POINT:
        return list(geometry.positions[0]) if geometry.positions else []
    return [*map(list, geometry.positions), *map(_coordinates, geometry.parts)]


def _positions(geometry: Json) -> Iterator[list[float]]:
    for part in geometry.get("geometries") or ():
        yield from _positions(part)
    yield from _flat(geometry.get("coordinates") or ())


def _flat(coordinates: Sequence[Any]) -> Iterator[list[float]]:
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield list(coordinates)
    else:
        for each in coordinates:
            yield from _flat(each)


def _measure(owner: Json, features: Iterable[Json]) -> None:
    """Recompute the `bbox`; remove it if there are no geometries."""
    geometries = [feature["geometry"] for feature in features if isinstance(feature.get("geometry"), dict)]
    axes = list(zip(*(position for geometry in geometries for position in _positions(geometry)), strict=False))
    if axes:
        owner["bbox"] = [*map(min, axes), *map(max, axes)]
    else:
        del owner["bbox"]

"""GeoJSON feature collections (RFC 7946, and the older form with a coordinate system), edited as JSON.

Everything else in the file (foreign members, ids, nested values) stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ...emptied import MEMBER, features_or_example
from ..editing import GeometryChange, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry, GeometryType, Kind, Ordinate
from ..values import Value, coerce_or_keep
from .geojson_example import example
from .guessing import guess_field, written
from .keys import key_field, without_key
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
#: The errors of values that have other types than GeoJSON says.
_ODD = (TypeError, LookupError, AttributeError, RecursionError)
_dump = json.JSONEncoder(ensure_ascii=False).encode
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class GeoJson:
    """A RowFormat; a row is a feature object. A property `fid` identifies it, else its `id`."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._data = path.read_bytes()
        self._document = _read(path.name, self._data)
        self._features = cast("list[Json]", self._document["features"])
        #: What shows fields and types; not the same as the features if the last one was deleted.
        self._examples = features_or_example(self._document)
        self._names = _names(self._examples)
        #: The `id` of the features, if it is their key: a member of the feature, not a property.
        self._member: str | None = None
        key = key_field(self._names)
        if key is None and any("id" in each for each in self._examples) and not _has_name(self._names, "id"):
            key = self._member = "id"
            self._names = [key, *self._names]
        if key is None:
            raise without_key(path.name)
        self.key = guess_field(key, self._column(key))
        self.writable = frozenset(self._names)

    @property
    def schema(self) -> LayerSchema:
        """Fields of the narrowest type for all their values."""
        return self._schema

    @cached_property
    def _schema(self) -> LayerSchema:
        fields = {name: guess_field(name, self._column(name)) for name in self._names}
        try:
            return LayerSchema(fields, self.key.name, _geometry_type(self._examples))
        except _ODD as error:
            raise _damaged(self.name, error) from error

    def _column(self, name: str) -> list[Value]:
        return [self._held(feature, name).get(name) for feature in self._examples]

    def _held(self, row: Json, name: str) -> Json:
        return row if name == self._member else _properties(row)

    def rows(self) -> Sequence[Json | None]:
        """Return the features."""
        return self._features

    def value(self, row: Json, name: str) -> Value:
        """Return a property; None if it is missing."""
        field = self.key if name == self.key.name else self.schema.fields[name]
        return coerce_or_keep(field, self._held(row, name).get(name))

    def new_row(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> Json:
        """Return a feature with all properties that the others have."""
        names = [name for name in self.schema.fields if name != self._member]
        feature: Json = {"type": "Feature", "properties": dict.fromkeys(names)}
        return self.changed_row(feature, attributes, geometry)

    def changed_row(self, row: Json, attributes: Mapping[str, Value], geometry: GeometryChange) -> Json:
        """Return the feature with changed properties."""
        values = {name: written(value) for name, value in attributes.items()}
        members = {name: values.pop(name) for name in list(values) if name == self._member}
        changed = {**row, **members, "properties": {**_properties(row), **values}}
        if not isinstance(geometry, Unchanged):
            changed["geometry"] = _encode(geometry) if geometry else None
            if "bbox" in changed:
                _measure(changed, [changed])
        return changed

    def write(self, rows: Sequence[Json | None]) -> frozenset[Path]:
        """Write one feature per line, like GDAL; without features, what keeps fields and types."""
        features = [row for row in rows if row is not None]
        head = {name: value for name, value in self._document.items() if name not in ("features", MEMBER)}
        if not features:
            head[MEMBER] = example(self.schema, self._member)
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
    except _ODD as error:
        raise _damaged(path.name, error) from error


def _damaged(name: str, error: Exception) -> RefusedError:
    """Return the error about a document that is JSON, but not of the form of GeoJSON."""
    return RefusedError(f"The file {name} is damaged: {error}")


def _read(name: str, data: bytes) -> Json:
    try:
        document: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"The file {name} is damaged or not GeoJSON: {error}") from error
    features = cast("Json", document).get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(each, dict) for each in cast("list[Any]", features)):
        raise RefusedError(f"The file {name} is not a GeoJSON feature collection; other GeoJSON cannot be edited here")
    return cast("Json", document)


def _names(features: Iterable[Json]) -> list[str]:
    """Return the names of all properties, in the order of their first appearance."""
    found: dict[str, None] = {}
    for feature in features:
        found.update(dict.fromkeys(_properties(feature)))
    return list(found)


def _has_name(names: Iterable[str], wanted: str) -> bool:
    return any(name.lower() == wanted for name in names)


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

"""An example of a feature of a layer: it shows the fields and the geometry type where no feature does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..editing import LayerSchema
from ..geometry import GeometryType, Kind, Ordinate
from ..values import FieldKind

_VALUES: Mapping[FieldKind, Any] = {
    FieldKind.INTEGER: 2**40,
    FieldKind.REAL: 0.5,
    FieldKind.BOOLEAN: True,
    FieldKind.TEXT: "text",
    FieldKind.DATE: "2000-01-01",
    FieldKind.DATETIME: "2000-01-01T00:00:00",
    FieldKind.TIME: "00:00:00",
    FieldKind.JSON: {"text": "text"},
}
_RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
_COORDINATES: Mapping[Kind, Any] = {
    Kind.POINT: [0, 0],
    Kind.LINESTRING: _RING[:2],
    Kind.POLYGON: [_RING],
    Kind.MULTIPOINT: _RING[:1],
    Kind.MULTILINESTRING: [_RING[:2]],
    Kind.MULTIPOLYGON: [[_RING]],
}


def example(schema: LayerSchema, member: str | None) -> dict[str, Any]:
    """Return a feature with a value of its type in every field; `member`: the field beside the properties."""
    values = {name: _VALUES.get(field.kind) for name, field in schema.fields.items()}
    beside = {name: values.pop(name) for name in list(values) if name == member}
    return {"type": "Feature", **beside, "properties": values, "geometry": _geometry(schema.geometry)}


def _geometry(kind: GeometryType | None) -> dict[str, Any] | None:
    """Return a geometry of the type; None if the layer takes every type."""
    if kind is None or kind.kind not in _COORDINATES:
        return None
    coordinates = _COORDINATES[kind.kind]
    return {
        "type": kind.kind.label,
        "coordinates": _raised(coordinates) if kind.z is Ordinate.PRESENT else coordinates,
    }


def _raised(coordinates: list[Any]) -> list[Any]:
    return [*coordinates, 0] if isinstance(coordinates[0], int) else [_raised(each) for each in coordinates]

"""Fit a geometry to the type of a layer: single or multi, with or without Z and M."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from .model import Geometry, Kind, Position


class Ordinate(Enum):
    """Whether the geometries of a layer have an ordinate (Z or M)."""

    ABSENT = "absent"
    PRESENT = "present"
    FREE = "free"


@dataclass(frozen=True)
class GeometryType:
    """The geometry type of a layer: `Kind.GEOMETRY` means any kind."""

    kind: Kind
    z: Ordinate = Ordinate.ABSENT
    m: Ordinate = Ordinate.ABSENT


class UnfitGeometryError(ValueError):
    """The layer does not accept geometries of this type."""


#: The kinds of members of each multi kind.
_MEMBERS = {
    Kind.MULTIPOINT: frozenset({Kind.POINT}),
    Kind.MULTILINESTRING: frozenset({Kind.LINESTRING}),
    Kind.MULTIPOLYGON: frozenset({Kind.POLYGON}),
    Kind.MULTICURVE: frozenset({Kind.LINESTRING, Kind.CIRCULARSTRING, Kind.COMPOUNDCURVE}),
    Kind.MULTISURFACE: frozenset({Kind.POLYGON, Kind.CURVEPOLYGON}),
}
#: Kinds that are accepted unchanged, besides the kind itself.
_SUBKINDS = {
    Kind.CURVE: frozenset({Kind.LINESTRING, Kind.CIRCULARSTRING, Kind.COMPOUNDCURVE}),
    Kind.SURFACE: frozenset({Kind.POLYGON, Kind.CURVEPOLYGON}),
}
#: Kinds that only change their name, because their parts are the same.
_SAME_PARTS = {
    Kind.CURVEPOLYGON: Kind.POLYGON,
    Kind.MULTICURVE: Kind.MULTILINESTRING,
    Kind.MULTISURFACE: Kind.MULTIPOLYGON,
}
_COMPOUND_MEMBERS = frozenset({Kind.LINESTRING, Kind.CIRCULARSTRING})


def fit(geometry: Geometry, target: GeometryType) -> Geometry:
    """Return `geometry` as a `target`. Raises UnfitGeometryError if that would lose or invent a shape."""
    fitted = _fit_kind(geometry, target.kind)
    if fitted is None:
        raise UnfitGeometryError(_refusal(geometry, target.kind))
    has_z = _wanted(target.z, geometry.has_z)
    has_m = _wanted(target.m, geometry.has_m)
    return fitted if (has_z, has_m) == (geometry.has_z, geometry.has_m) else _redimension(fitted, has_z, has_m)


def _wanted(ordinate: Ordinate, present: bool) -> bool:
    return present if ordinate is Ordinate.FREE else ordinate is Ordinate.PRESENT


def _fit_kind(geometry: Geometry, kind: Kind) -> Geometry | None:
    if kind in (Kind.GEOMETRY, geometry.kind) or geometry.kind in _SUBKINDS.get(kind, ()):
        return geometry
    if _SAME_PARTS.get(kind) is geometry.kind:
        return replace(geometry, kind=kind)
    if geometry.kind in _MEMBERS.get(kind, ()) or _is_curve_of_one(geometry, kind):
        return _collect(geometry, kind)
    return _single_part(geometry, kind)


def _is_curve_of_one(geometry: Geometry, kind: Kind) -> bool:
    return kind is Kind.COMPOUNDCURVE and geometry.kind in _COMPOUND_MEMBERS


def _collect(geometry: Geometry, kind: Kind) -> Geometry:
    """Return a multi geometry with one part; an empty geometry becomes one without parts."""
    parts = () if geometry.is_empty else (geometry,)
    return Geometry(kind, geometry.has_z, geometry.has_m, (), parts)


def _single_part(geometry: Geometry, kind: Kind) -> Geometry | None:
    if geometry.kind not in _MEMBERS or len(geometry.parts) > 1:
        return None
    if geometry.parts:
        return _fit_kind(geometry.parts[0], kind)
    return Geometry(kind, geometry.has_z, geometry.has_m) if kind in _MEMBERS[geometry.kind] else None


def _refusal(geometry: Geometry, kind: Kind) -> str:
    if kind in _MEMBERS.get(geometry.kind, ()):
        return f"a {geometry.kind.label} of {len(geometry.parts)} parts does not fit into a layer of {kind.label}"
    return f"a {geometry.kind.label} does not fit into a layer of {kind.label}"


def _redimension(geometry: Geometry, has_z: bool, has_m: bool) -> Geometry:
    positions = tuple(_reposition(position, geometry, has_z, has_m) for position in geometry.positions)
    parts = tuple(_redimension(part, has_z, has_m) for part in geometry.parts)
    return Geometry(geometry.kind, has_z, has_m, positions, parts)


def _reposition(position: Position, geometry: Geometry, has_z: bool, has_m: bool) -> Position:
    """Return a position with other dimensions; a new ordinate is 0, as in QGIS."""
    z = position[2] if geometry.has_z else 0.0
    m = position[-1] if geometry.has_m else 0.0
    return (*position[:2], *((z,) if has_z else ()), *((m,) if has_m else ()))

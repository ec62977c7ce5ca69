"""Geometry → well-known text, as the OGC spells it."""

from __future__ import annotations

from .model import SIMPLE_KINDS, Geometry, Kind, Position

#: Kinds whose parts are written with their names, except parts of the default kind.
_NAMED = {
    Kind.COMPOUNDCURVE: Kind.LINESTRING,
    Kind.CURVEPOLYGON: Kind.LINESTRING,
    Kind.MULTICURVE: Kind.LINESTRING,
    Kind.MULTISURFACE: Kind.POLYGON,
    Kind.GEOMETRYCOLLECTION: None,
}


def write_wkt(geometry: Geometry) -> str:
    """Return the text; numbers are as short as possible without losing precision."""
    dimensions = "Z" * geometry.has_z + "M" * geometry.has_m
    return f"{geometry.kind.name}{' ' if dimensions else ''}{dimensions} {_body(geometry)}"


def _body(geometry: Geometry) -> str:
    if not geometry.positions and not geometry.parts:
        return "EMPTY"
    if geometry.kind in SIMPLE_KINDS:
        return f"({', '.join(map(_position, geometry.positions))})"
    return f"({', '.join(_part(geometry.kind, part) for part in geometry.parts)})"


def _part(kind: Kind, part: Geometry) -> str:
    return write_wkt(part) if _NAMED.get(kind, part.kind) is not part.kind else _body(part)


def _position(position: Position) -> str:
    return " ".join(
        f"{ordinate:.17g}" if ordinate != float(f"{ordinate:.15g}") else f"{ordinate:.15g}" for ordinate in position
    )

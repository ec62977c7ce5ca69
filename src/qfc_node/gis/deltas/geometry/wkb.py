"""Convert between well-known binary and the geometries of deltas."""

from __future__ import annotations

from ...wkb import BadWkbError, Part, read, write
from .model import Geometry, Kind


def write_wkb(geometry: Geometry, srid: int | None = None) -> bytes:
    """Return ISO WKB, little endian; with `srid`, PostGIS's extended form."""
    return write(geometry, srid)


def read_wkb(data: bytes) -> Geometry:
    """Return the geometry of `data`. Raises BadWkbError."""
    try:
        return _geometry(read(data))
    except ValueError as error:
        raise BadWkbError(f"not well-known binary: {error}") from error


def _geometry(part: Part) -> Geometry:
    return Geometry(Kind(part.kind), part.has_z, part.has_m, part.positions, tuple(map(_geometry, part.parts)))

"""Geometries as plain values: read from WKT, fitted to a layer's type, written as WKB. Needs no library.

Curves, Z and M survive, which the usual libraries do not promise, and a worker need not load them (0.3 s).
"""

from __future__ import annotations

from .fitting import GeometryType, Ordinate, UnfitGeometryError, fit
from .model import Geometry, Kind
from .wkb import read_wkb, write_wkb
from .wkt import BadWktError, read_wkt
from .wkt_writer import write_wkt

__all__ = [
    "BadWktError",
    "Geometry",
    "GeometryType",
    "Kind",
    "Ordinate",
    "UnfitGeometryError",
    "fit",
    "read_wkb",
    "read_wkt",
    "write_wkb",
    "write_wkt",
]

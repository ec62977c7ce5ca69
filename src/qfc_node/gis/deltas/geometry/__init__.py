"""Geometries as plain values: read from WKT, fitted to a layer's type, written as WKB.

Curves, Z and M are preserved, which common libraries do not guarantee, and workers save the time to load one (0.3 s).
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

"""One geometry type of a source that has several: QGIS opens such a source as a layer for each type."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from . import wkb
from .datasource import FileSource, Source

_NAME = re.compile(r"(?:MULTI)?(POINT|LINESTRING|POLYGON)(Z|M|ZM|25D)?", re.IGNORECASE)
_CODES = {"POINT": (1, 4), "LINESTRING": (2, 5), "POLYGON": (3, 6)}


@dataclass(frozen=True)
class GeometryChoice:
    """The features whose geometry is of a kind, single or multi. `single`: its name, such as `POLYGON`."""

    single: str
    dimensions: str = ""

    @property
    def multi(self) -> str:
        """The name of the multi kind."""
        return f"MULTI{self.single}"

    @property
    def filter(self) -> str:
        """The condition in OGR's SQL."""
        return f"(OGR_GEOMETRY = '{self.single}' OR OGR_GEOMETRY = '{self.multi}')"

    def includes(self, blob: bytes | None) -> bool:
        """Whether a GeoPackage geometry is of the kind."""
        return _kind(blob) in _CODES[self.single]

    def is_multi(self, blob: bytes | None) -> bool:
        """Whether a GeoPackage geometry is of the multi kind."""
        return _kind(blob) == _CODES[self.single][1]


def chosen_geometries(source: Source) -> GeometryChoice | None:
    """Return the geometries that a source is limited to; None for all."""
    wanted = source.options.get("geometrytype", "") if isinstance(source, FileSource) else ""
    found = _NAME.fullmatch(wanted)
    return GeometryChoice(found[1].upper(), (found[2] or "").upper().replace("25D", "Z")) if found else None


def _kind(blob: bytes | None) -> int:
    content = wkb.strip_header(blob) if blob else None
    if not content or len(content) < 5:
        return 0
    (code,) = struct.unpack_from("<I" if content[0] else ">I", content, 1)
    return (code & 0x0FFFFFFF) % 1000

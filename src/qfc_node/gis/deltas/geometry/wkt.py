"""Well-known text → geometry, in the spellings of QGIS (`PointZ (1 2 3)`) and of the OGC (`POINT Z (1 2 3)`).

Devices write `nan` for a missing ordinate; it is read as 0. Like QGIS, the reader takes positions without Z or M as
having 0 there, skips empty positions, and does not look behind the end of the geometry.
"""

from __future__ import annotations

import math
import re

from .model import SIMPLE_KINDS, Geometry, Kind, Position

#: Longest text in characters, about 800 000 vertices; no edit by hand has more.
MAXIMUM_LENGTH = 32_000_000
_MAXIMUM_DEPTH = 16
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\s*([A-Za-z]+(?:25D)?)")
_DIMENSIONS = {"Z": (True, False), "M": (False, True), "ZM": (True, True), "25D": (True, False)}
_BY_NAME = {kind.name: kind for kind in Kind if kind not in (Kind.GEOMETRY, Kind.CURVE, Kind.SURFACE)}
#: The kind of a part without a name.
_UNNAMED_PART = {
    Kind.POLYGON: Kind.LINESTRING,
    Kind.TRIANGLE: Kind.LINESTRING,
    Kind.MULTIPOINT: Kind.POINT,
    Kind.MULTILINESTRING: Kind.LINESTRING,
    Kind.MULTIPOLYGON: Kind.POLYGON,
    Kind.POLYHEDRALSURFACE: Kind.POLYGON,
    Kind.TIN: Kind.TRIANGLE,
    Kind.COMPOUNDCURVE: Kind.LINESTRING,
    Kind.CURVEPOLYGON: Kind.LINESTRING,
    Kind.MULTICURVE: Kind.LINESTRING,
    Kind.MULTISURFACE: Kind.POLYGON,
}
_CURVES = frozenset({Kind.LINESTRING, Kind.CIRCULARSTRING, Kind.COMPOUNDCURVE})
#: The kinds that a part with a name may have.
_NAMED_PARTS = {
    Kind.COMPOUNDCURVE: frozenset({Kind.LINESTRING, Kind.CIRCULARSTRING}),
    Kind.CURVEPOLYGON: _CURVES,
    Kind.MULTICURVE: _CURVES,
    Kind.MULTISURFACE: frozenset({Kind.POLYGON, Kind.CURVEPOLYGON}),
    Kind.GEOMETRYCOLLECTION: frozenset(_BY_NAME.values()),
}


class BadWktError(ValueError):
    """The text is not well-known text."""


def read_wkt(text: str) -> Geometry:
    """Return the geometry that `text` describes. Raises BadWktError with the place and what was expected there."""
    if len(text) > MAXIMUM_LENGTH:
        raise BadWktError(f"the text is {len(text)} characters long; at most {MAXIMUM_LENGTH} are allowed")
    reader = _Reader(text)
    geometry = reader.named(0)
    return reader.with_dimensions(geometry)


class _Reader:
    """Reads the text once. The first name that shows whether there are Z and M decides, else the longest position."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._dimensions: tuple[bool, bool] | None = None
        self._longest = 2

    def named(self, depth: int) -> Geometry:
        if depth > _MAXIMUM_DEPTH:
            raise BadWktError(f"geometries are nested more than {_MAXIMUM_DEPTH} deep")
        return self._body(self._kind(), depth)

    def with_dimensions(self, geometry: Geometry) -> Geometry:
        """Set the dimensions of all parts at the end: `GEOMETRYCOLLECTION (POINT Z (1 2 3))` shows them late."""
        has_z, has_m = self._dimensions or (self._longest > 2, self._longest > 3)
        has_m = has_m or (has_z and self._longest > 3)
        width = 2 + has_z + has_m
        if self._longest > width:
            raise BadWktError(f"a position has {self._longest} coordinates; at most {width} were expected")
        return self._filled(geometry, has_z, has_m)

    def _filled(self, geometry: Geometry, has_z: bool, has_m: bool) -> Geometry:
        """Return the geometry with these dimensions; a missing ordinate is 0."""
        missing = (0.0,) * (2 + has_z + has_m)
        positions = tuple((*position, *missing[len(position) :]) for position in geometry.positions)
        parts = tuple(self._filled(part, has_z, has_m) for part in geometry.parts)
        return Geometry(geometry.kind, has_z, has_m, positions, parts)

    def _kind(self) -> Kind:
        word = self._word()
        for suffix in ("ZM", "Z", "M", "25D", ""):
            kind = _BY_NAME.get(word.removesuffix(suffix)) if word.endswith(suffix) else None
            if kind is not None:
                self._tell_dimensions(_DIMENSIONS.get(suffix) or self._separate_dimensions())
                return kind
        raise self._error("the name of a geometry type")

    def _separate_dimensions(self) -> tuple[bool, bool] | None:
        at, word = self._at, self._word()
        if word in _DIMENSIONS:
            return _DIMENSIONS[word]
        self._at = at
        return None

    def _tell_dimensions(self, dimensions: tuple[bool, bool] | None) -> None:
        if dimensions is not None and dimensions != (self._dimensions or dimensions):
            raise self._error("the same dimensions in all parts")
        self._dimensions = self._dimensions or dimensions

    def _body(self, kind: Kind, depth: int) -> Geometry:
        at = self._at
        if self._word() == "EMPTY":
            return Geometry(kind)
        self._at = at
        self._take("(")
        if kind in SIMPLE_KINDS:
            return Geometry(kind, positions=self._positions(single=kind is Kind.POINT))
        return Geometry(kind, parts=self._parts(kind, depth))

    def _parts(self, kind: Kind, depth: int) -> tuple[Geometry, ...]:
        if kind is Kind.MULTIPOINT and self._peek() not in "(eE":
            return tuple(Geometry(Kind.POINT, positions=(position,)) for position in self._positions())
        if self._peek() == ")":
            self._at += 1
            return ()
        parts = [self._part(kind, depth)]
        while self._peek() == ",":
            self._at += 1
            parts.append(self._part(kind, depth))
        self._take(")")
        return tuple(parts)

    def _part(self, kind: Kind, depth: int) -> Geometry:
        unnamed = _UNNAMED_PART.get(kind)
        if unnamed is not None and self._peek() in "(eE":
            return self._body(unnamed, depth + 1)
        allowed = _NAMED_PARTS.get(kind)
        if allowed is None:
            raise self._error('"("')
        part = self.named(depth + 1)
        if part.kind not in allowed:
            raise self._error(f"no {part.kind.label} inside a {kind.label}")
        return part

    def _positions(self, single: bool = False) -> tuple[Position, ...]:
        end = self._text.find(")", self._at)
        if end < 0:
            raise self._error('")"')
        texts = [text for text in self._text[self._at : end].split(",") if text.strip()]
        if single and len(texts) > 1:
            raise self._error("one position")
        positions = tuple([self._position(text) for text in texts])
        self._at = end + 1
        return positions

    def _position(self, text: str) -> Position:
        position = tuple([self._number(number) for number in text.split()])
        if not 2 <= len(position) <= 4:
            raise self._error("two to four coordinates in every position")
        self._longest = max(self._longest, len(position))
        return position

    def _number(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise self._error("numbers") from None
        if "_" in text or math.isinf(number):
            raise self._error("numbers")
        return 0.0 if math.isnan(number) else number

    def _word(self) -> str:
        found = _WORD.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[1].upper()

    def _peek(self) -> str:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise self._error(f'"{mark}"')
        self._at += 1

    def _error(self, expected: str) -> BadWktError:
        near = self._text[max(0, self._at - 20) : self._at + 20]
        return BadWktError(f"expected {expected} at character {self._at + 1}, near {near!r}")

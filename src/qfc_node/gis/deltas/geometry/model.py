"""The model of a geometry: a kind, its dimensions, and either positions or parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

Position = tuple[float, ...]
#: Minimum and maximum of one ordinate.
Range = tuple[float, float]


class Kind(IntEnum):
    """Kinds of geometry. The numbers are those of ISO 19125 well-known binary, without Z and M."""

    GEOMETRY = 0
    POINT = 1
    LINESTRING = 2
    POLYGON = 3
    MULTIPOINT = 4
    MULTILINESTRING = 5
    MULTIPOLYGON = 6
    GEOMETRYCOLLECTION = 7
    CIRCULARSTRING = 8
    COMPOUNDCURVE = 9
    CURVEPOLYGON = 10
    MULTICURVE = 11
    MULTISURFACE = 12
    CURVE = 13
    SURFACE = 14
    POLYHEDRALSURFACE = 15
    TIN = 16
    TRIANGLE = 17

    @property
    def label(self) -> str:
        """The usual spelling of the kind: `MultiPolygon`."""
        return _WORDS.sub(lambda word: word[0].title(), self.name)


#: The words in names of kinds, to spell `MULTILINESTRING` as `MultiLineString`.
_WORDS = re.compile(
    "GEOMETRY|COLLECTION|MULTI|POINT|LINE|STRING|CIRCULAR|COMPOUND|POLYGON|POLYHEDRAL|CURVE|SURFACE|TIN|TRIANGLE"
)

#: Kinds that consist of positions; all others consist of parts (a polygon's rings are lines).
SIMPLE_KINDS = frozenset({Kind.POINT, Kind.LINESTRING, Kind.CIRCULARSTRING})


@dataclass(frozen=True)
class Geometry:
    """A geometry. A position holds x, y, then z where `has_z`, then m where `has_m`."""

    kind: Kind
    has_z: bool = False
    has_m: bool = False
    positions: tuple[Position, ...] = ()
    parts: tuple[Geometry, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it has no position."""
        return next(self.all_positions(), None) is None

    def all_positions(self) -> Iterator[Position]:
        """Yield every position, in order."""
        yield from self.positions
        for part in self.parts:
            yield from part.all_positions()

    def range_of(self, axis: int) -> Range | None:
        """Return the smallest and largest value of the ordinate at `axis`; None without positions."""
        values = [position[axis] for position in self.all_positions()]
        return (min(values), max(values)) if values else None

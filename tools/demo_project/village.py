"""Hasselried: roads, houses and lots of an invented village.

Local coordinates in metres, origin in the south-west; `ORIGIN` places them in EPSG:25832.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from .lines import Line, Point, along, beside, distance, length, rectangle, smooth

CRS = "EPSG:25832"
ORIGIN = (612_000.0, 5_871_000.0)
WIDTH, HEIGHT = 1200.0, 850.0


@dataclass(frozen=True)
class Road:
    """A street, its part with houses, and its parts where cables hang on poles (stations in metres)."""

    name: str
    line: Line
    width: float
    built_from: float
    built_to: float
    aerial: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class House:
    """A building on its lot: rings in local metres, the station of its door on its road."""

    address: str
    road: Road
    station: float
    side: int
    ring: Line
    lot: Line
    kind: str


ROADS = {
    road.name: road
    for road in (
        Road("Dorfstraße", smooth([(0, 400), (150, 408), (300, 432), (430, 422), (560, 412), (700, 432),
                                   (860, 456), (1020, 448), (1200, 474)]), 7.0, 40, 1180, ((10, 290), (905, 1195))),
        Road("Mühlenweg", smooth([(300, 428), (306, 500), (340, 590), (420, 668), (520, 712)]), 5.0, 34, 330,
             ((150, 350),)),
        Road("Kirchgasse", smooth([(560, 414), (566, 490), (600, 570), (690, 610), (790, 580), (860, 456)]), 5.0,
             36, 470),
        Road("Am Anger", smooth([(430, 422), (438, 330), (490, 250), (590, 218), (680, 268), (700, 432)]), 5.0,
             36, 440),
        Road("Bachstraße", smooth([(590, 236), (622, 150), (690, 80), (800, 40)]), 4.5, 44, 290, ((90, 285),)),
        Road("Birkenweg", smooth([(860, 456), (876, 360), (930, 280), (1010, 236), (1080, 226)]), 5.0, 36, 330),
        Road("Hofweg", smooth([(150, 408), (164, 310), (140, 230), (100, 170)]), 4.0, 60, 250, ((20, 245),)),
    )
}  # fmt: skip

STREAM: Line = smooth([(0, 640), (140, 655), (290, 690), (420, 742), (540, 760), (700, 730), (860, 700),
                       (1000, 722), (1200, 690)], 4)  # fmt: skip
POND: Line = rectangle((566, 312), 0.2, 62, 34)
GREEN: Line = [(470, 390), (478, 338), (520, 282), (590, 256), (648, 296), (664, 392), (470, 390)]
CHURCH: Line = rectangle((664, 516), 0.12, 34, 15)


def to_map(line: Line) -> Line:
    """Convert local metres to EPSG:25832, rounded to centimetres."""
    return [(round(ORIGIN[0] + x, 2), round(ORIGIN[1] + y, 2)) for x, y in line]


def build_houses(rng: random.Random) -> list[House]:
    """Return houses on both sides of every road, wherever they fit."""
    houses: list[House] = []
    for road in ROADS.values():
        for side in (1, -1):
            station = road.built_from + rng.uniform(0, 6)
            while station < road.built_to:
                house = _house(road, station, side, rng)
                if _fits(house, houses):
                    houses.append(house)
                station += rng.uniform(27, 35)
    return [_numbered(house, number) for house, number in zip(houses, _numbers(houses), strict=True)]


def _house(road: Road, station: float, side: int, rng: random.Random) -> House:
    front, width, depth = rng.uniform(8, 12), rng.uniform(10, 14), rng.uniform(8, 11)
    kind = rng.choices(["house", "farm", "shop"], [8, 1, 1])[0]
    if kind == "farm":
        width, depth = width * 1.7, depth * 1.3
    direction = along(road.line, station)[1]
    kerb = road.width / 2 + 1.5
    centre = beside(road.line, station, side * (kerb + front + depth / 2))
    lot_centre = beside(road.line, station, side * (kerb + 19))
    ring = rectangle(centre, direction + rng.uniform(-0.06, 0.06), width, depth)
    lot = rectangle(lot_centre, direction, max(26.0, width + 6), 38)
    return House(road.name, road, station, side, ring, lot, kind)


def _fits(house: House, houses: list[House]) -> bool:
    other_roads = [road.line for road in ROADS.values() if road is not house.road]
    clear_of_roads = all(distance(corner, line) > 5.5 for corner in _sampled(house.lot) for line in other_roads)
    clear_of_water = all(distance(corner, STREAM) > 14 for corner in house.lot)
    on_green = any(_inside(corner, ring) for ring in (GREEN, CHURCH, POND) for corner in _sampled(house.lot))
    own_road = min(distance(corner, house.road.line) for corner in _sampled(house.lot)) > house.road.width / 2
    inside_map = all(8 < x < WIDTH - 8 and 8 < y < HEIGHT - 8 for x, y in house.lot)
    overlaps = any(_overlap(house.lot, other.lot) for other in houses)
    return clear_of_roads and clear_of_water and own_road and inside_map and not overlaps and not on_green


def _sampled(ring: Line) -> Line:
    steps = int(length(ring) // 4)
    return [along(ring, index * 4.0)[0] for index in range(steps)] + ring


def _overlap(first: Line, second: Line) -> bool:
    return any(_inside(p, second) for p in _sampled(first)) or any(_inside(p, first) for p in _sampled(second))


def _inside(point: Point, ring: Line) -> bool:
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1


def _numbers(houses: list[House]) -> list[int]:
    """Number the houses along the road: odd on the left, even on the right."""
    numbers = {}
    for road in ROADS.values():
        for side, first in ((1, 1), (-1, 2)):
            row = sorted((h for h in houses if h.road is road and h.side == side), key=lambda h: h.station)
            numbers.update({id(house): first + 2 * index for index, house in enumerate(row)})
    return [numbers[id(house)] for house in houses]


def _numbered(house: House, number: int) -> House:
    return House(
        f"{house.road.name} {number}", house.road, house.station, house.side, house.ring, house.lot, house.kind
    )

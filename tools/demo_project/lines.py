"""Plane geometry on polylines: points along them, offsets, pieces. Coordinates and lengths in metres."""

from __future__ import annotations

import math
from itertools import pairwise

Point = tuple[float, float]
Line = list[Point]


def length(line: Line) -> float:
    """Length of a polyline."""
    return sum(math.dist(a, b) for a, b in pairwise(line))


def along(line: Line, station: float) -> tuple[Point, float]:
    """The point at a distance from the line's start, and the line's direction there (radians)."""
    for a, b in pairwise(line):
        step = math.dist(a, b)
        if station <= step or b == line[-1]:
            share = min(1.0, station / step)
            return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])), math.atan2(b[1] - a[1], b[0] - a[0])
        station -= step
    raise ValueError("a line needs two points")


def beside(line: Line, station: float, offset: float) -> Point:
    """A point at a station, moved to the left of the line's direction (to the right when negative)."""
    (x, y), direction = along(line, station)
    return (x - offset * math.sin(direction), y + offset * math.cos(direction))


def piece(line: Line, start: float, end: float, offset: float = 0.0) -> Line:
    """The part between two stations, moved sideways; reversed when `end` lies before `start`."""
    low, high = min(start, end), max(start, end)
    stations, walked = [low], 0.0
    for a, b in pairwise(line):
        walked += math.dist(a, b)
        if low < walked < high:
            stations.append(walked)
    points = [_mitred(line, station, offset) for station in [*stations, high]]
    return points if start <= end else points[::-1]


def _mitred(line: Line, station: float, offset: float) -> Point:
    """The offset point; at a bend in the mean direction, so that parallel lines stay parallel."""
    before, after = beside(line, max(0.0, station - 0.01), offset), beside(line, station + 0.01, offset)
    return ((before[0] + after[0]) / 2, (before[1] + after[1]) / 2)


def rectangle(centre: Point, direction: float, width: float, depth: float) -> Line:
    """A closed ring around `centre`, `width` along `direction` (radians), `depth` across it."""
    cos, sin = math.cos(direction), math.sin(direction)
    corners = [(-width, -depth), (width, -depth), (width, depth), (-width, depth), (-width, -depth)]
    return [(centre[0] + (u * cos - v * sin) / 2, centre[1] + (u * sin + v * cos) / 2) for u, v in corners]


def smooth(line: Line, rounds: int = 3) -> Line:
    """The line with its corners cut (Chaikin, 1974); its ends stay."""
    for _ in range(rounds):
        cut: Line = [line[0]]
        for a, b in pairwise(line):
            cut.append((0.75 * a[0] + 0.25 * b[0], 0.75 * a[1] + 0.25 * b[1]))
            cut.append((0.25 * a[0] + 0.75 * b[0], 0.25 * a[1] + 0.75 * b[1]))
        line = [*cut, line[-1]]
    return line


def distance(point: Point, line: Line) -> float:
    """Distance of a point from a polyline."""
    return min(_to_segment(point, a, b) for a, b in pairwise(line))


def nearest_station(point: Point, line: Line) -> float:
    """The station of the line nearest to a point, to a metre."""
    stations = range(int(length(line)) + 1)
    return float(min(stations, key=lambda station: math.dist(point, along(line, station)[0])))


def _to_segment(p: Point, a: Point, b: Point) -> float:
    square = math.dist(a, b) ** 2
    share = 0.0 if square == 0 else ((p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1])) / square
    share = max(0.0, min(1.0, share))
    return math.dist(p, (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))

"""The fibre network of Hasselried: cabinets, cables, closures, ducts and poles, derived from roads and houses."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field

from .lines import Line, Point, beside, distance, length, nearest_station, piece
from .village import ROADS, House, Road

NAMESPACE = uuid.UUID("8f0c7c1e-0d0b-5a53-9d5f-6f2c1d6a7b10")
#: Metres from the middle of the road.
TRUNK_OFFSET, FEEDER_OFFSET, CABLE_OFFSET, DUCT_OFFSET = 1.6, -1.8, 4.2, 5.2
CLOSURE_SPACING, POLE_SPACING = 62.0, 31.0


def stable_uuid(name: str) -> str:
    """Return a uuid in QGIS's form, the same for the same name in every run."""
    return "{" + str(uuid.uuid5(NAMESPACE, name)) + "}"


@dataclass(frozen=True)
class Leg:
    """A part of a road in the direction in which a cable runs."""

    road: Road
    start: float
    end: float

    def line(self, offset: float) -> Line:
        """The leg moved sideways, always to the same side of the road."""
        return piece(self.road.line, self.start, self.end, offset)

    def covers(self, station: float) -> bool:
        """Whether a station of the road lies on the leg."""
        return min(self.start, self.end) <= station <= max(self.start, self.end)


@dataclass(frozen=True)
class Cabinet:
    """A distribution cabinet; the first one is the central office."""

    code: str
    station: float
    point: Point
    address: str


@dataclass(frozen=True)
class Branch:
    """A distribution cable: its approach to its street, and the leg along which it serves houses."""

    code: str
    cabinet: Cabinet
    approach: tuple[Leg, ...]
    served: Leg

    def line(self, offset: float = CABLE_OFFSET) -> Line:
        """The cable's course from its cabinet to its end."""
        course = [self.cabinet.point] if offset == CABLE_OFFSET else []
        for leg in (*self.approach, self.served):
            course += leg.line(offset)
        return course


@dataclass(frozen=True)
class Closure:
    """A splice closure on a branch and the houses that it connects."""

    code: str
    branch: Branch
    station: float
    point: Point
    houses: list[House] = field(default_factory=list)


@dataclass(frozen=True)
class Pole:
    """A pole of an aerial section."""

    code: str
    road: Road
    station: float
    point: Point


@dataclass(frozen=True)
class Network:
    """Everything that was planned and built."""

    cabinets: list[Cabinet]
    branches: list[Branch]
    closures: list[Closure]
    poles: list[Pole]

    def feeders(self) -> list[tuple[Cabinet, Line]]:
        """One feeder cable from the central office to every other cabinet, side by side along the main road."""
        main, office = ROADS["Dorfstraße"].line, self.cabinets[0]
        return [
            (
                cabinet,
                [
                    office.point,
                    *piece(main, office.station, cabinet.station, FEEDER_OFFSET - 0.5 * lane),
                    cabinet.point,
                ],
            )
            for lane, cabinet in enumerate(self.cabinets[1:])
        ]

    def trunks(self) -> list[tuple[str, Line]]:
        """The two cables that connect the central office to the region's ring."""
        main, office = ROADS["Dorfstraße"].line, self.cabinets[0]
        return [
            ("Ring west", [*piece(main, 0, office.station, TRUNK_OFFSET), office.point]),
            ("Ring east", [office.point, *piece(main, office.station, length(main), TRUNK_OFFSET)]),
        ]


def build_network(houses: list[House]) -> Network:
    """Plan the network for these houses."""
    cabinets = _cabinets()
    branches = _branches({cabinet.code: cabinet for cabinet in cabinets})
    closures = _closures(branches, houses)
    return Network(cabinets, branches, closures, _poles())


def _cabinets() -> list[Cabinet]:
    main = ROADS["Dorfstraße"].line
    places = [
        ("CO-1", (560, 412), -8.5, "Dorfstraße 44a"),
        ("FC-1", (300, 432), -8.0, "Dorfstraße 18a"),
        ("FC-2", (430, 422), 8.5, "Dorfstraße 31a"),
        ("FC-3", (700, 432), 8.5, "Dorfstraße 53a"),
        ("FC-4", (860, 456), 9.0, "Dorfstraße 67a"),
    ]
    return [
        Cabinet(code, station, beside(main, station, offset), address)
        for code, near, offset, address in places
        for station in [nearest_station(near, main) + 7]
    ]


def _branches(cabinets: dict[str, Cabinet]) -> list[Branch]:
    main, green, stream = ROADS["Dorfstraße"], ROADS["Am Anger"], ROADS["Bachstraße"]
    lane, mill, farm, birch = ROADS["Kirchgasse"], ROADS["Mühlenweg"], ROADS["Hofweg"], ROADS["Birkenweg"]
    at = {code: cabinet.station for code, cabinet in cabinets.items()}
    green_end, lane_end = length(green.line), length(lane.line)
    farm_turn, stream_turn = nearest_station((150, 408), main.line), nearest_station((590, 232), green.line)
    plan: list[tuple[str, tuple[Leg, ...], Leg]] = [
        ("FC-1", (), Leg(mill, 6, length(mill.line) - 4)),
        ("FC-1", (), Leg(main, at["FC-1"], 12)),
        ("FC-1", (Leg(main, at["FC-1"], farm_turn),), Leg(farm, 6, length(farm.line) - 4)),
        ("FC-2", (), Leg(green, 6, stream_turn)),
        ("FC-2", (), Leg(main, at["FC-2"], at["FC-1"] + 6)),
        ("CO-1", (), Leg(main, at["CO-1"], at["FC-2"] + 6)),
        ("CO-1", (), Leg(main, at["CO-1"], at["FC-3"] - 6)),
        ("CO-1", (), Leg(lane, 6, lane_end / 2 - 5)),
        ("FC-3", (), Leg(green, green_end - 6, stream_turn + 3)),
        ("FC-3", (Leg(green, green_end - 6, stream_turn),), Leg(stream, 4, length(stream.line) - 4)),
        ("FC-3", (), Leg(main, at["FC-3"], at["FC-4"] - 6)),
        ("FC-4", (), Leg(birch, 6, length(birch.line) - 4)),
        ("FC-4", (), Leg(main, at["FC-4"], length(main.line) - 10)),
        ("FC-4", (), Leg(lane, lane_end - 6, lane_end / 2)),
    ]
    return [
        Branch(f"D-{number:02}", cabinets[code], approach, leg) for number, (code, approach, leg) in enumerate(plan, 1)
    ]


def _closures(branches: list[Branch], houses: list[House]) -> list[Closure]:
    closures: list[Closure] = []
    for branch in branches:
        leg = branch.served
        count = max(1, round(abs(leg.end - leg.start) / CLOSURE_SPACING))
        step = (leg.end - leg.start) / count
        for index in range(count):
            station = leg.start + (index + 0.55) * step
            point = beside(leg.road.line, station, CABLE_OFFSET)
            closures.append(Closure(f"C-{len(closures) + 1:03}", branch, station, point))
    for house in houses:
        same_road = [closure for closure in closures if closure.branch.served.road is house.road]
        min(same_road, key=lambda closure: abs(closure.station - house.station)).houses.append(house)
    return closures


def _poles() -> list[Pole]:
    poles: list[Pole] = []
    for road in ROADS.values():
        for start, end in road.aerial:
            count = int((end - start) // POLE_SPACING)
            for index in range(count + 1):
                station = start + index * POLE_SPACING
                code = f"P-{len(poles) + 1:03}"
                poles.append(Pole(code, road, station, beside(road.line, station, CABLE_OFFSET)))
    return poles


def drop_line(closure: Closure, house: House) -> Line:
    """Return the drop cable: along the road to a point opposite the door, then to the house."""
    road = house.road.line
    first, second = sorted(house.ring[:-1], key=lambda corner: distance(corner, road))[:2]
    door = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    turn = beside(road, house.station, CABLE_OFFSET)
    return [closure.point, *piece(road, closure.station, house.station, CABLE_OFFSET)[1:-1], turn, door]


def pick(rng: random.Random, weights: dict[str, float]) -> str:
    """Pick one of the keys, by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]

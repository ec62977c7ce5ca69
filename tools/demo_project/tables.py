"""The attribute tables of every layer, with invented but plausible values."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .lines import Line, length, piece
from .network import DUCT_OFFSET, Closure, Network, drop_line, pick, stable_uuid
from .village import GREEN, ROADS, House, to_map

Value = str | int | float | bool | date | datetime | None
#: (geometry in EPSG:25832 or None, values in the order of the fields)
Row = tuple[Line | None, list[Value]]

SURVEYORS = ["a.brandt", "m.oezdemir", "j.petersen"]
TODAY = date(2026, 4, 20)


@dataclass(frozen=True)
class Table:
    """One layer's data. `kind` is a QGIS geometry type name, fields are name → type name."""

    name: str
    kind: str
    fields: dict[str, str]
    rows: list[Row]


def build_tables(network: Network, rng: random.Random) -> list[Table]:
    """Return all tables of the network survey, in the order in which they are written."""
    poles = _poles(network, rng)
    return [
        _service_areas_seed(network),
        _cabinets(network, rng),
        _ducts(network, rng),
        _cables(network, rng),
        _closures(network, rng),
        poles,
        _inspections(poles, rng),
    ]


def _day(rng: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randrange((last - first).days + 1))


def _service_areas_seed(network: Network) -> Table:
    """Return the service areas, still without geometry; `areas.py` draws them around the lots."""
    fields = {"uuid": "text", "name": "text", "cabinet_code": "text", "homes_passed": "int",
              "homes_connected": "int", "priority": "int"}  # fmt: skip
    names = ["Ortsmitte", "Mühle und West", "Anger West", "Anger Süd und Bach", "Birken und Ost"]
    rows: list[Row] = []
    for number, (cabinet, name) in enumerate(zip(network.cabinets, names, strict=True), 1):
        homes = [h for c in network.closures if c.branch.cabinet is cabinet for h in c.houses]
        connected = sum(1 for house in homes if connection_of(house) == "connected")
        rows.append((None, [stable_uuid(f"area {name}"), name, cabinet.code, len(homes), connected, number]))
    return Table("service_areas", "MultiPolygon", fields, rows)


def connection_of(house: House) -> str:
    """Return the state of a house's connection. It depends on the place: neighbours differ, but every run agrees."""
    return ["connected", "connected", "ordered", "none"][int(house.station * 7 + len(house.address)) % 4]


def _cabinets(network: Network, rng: random.Random) -> Table:
    fields = {"uuid": "text", "code": "text", "address": "text", "ports": "int", "ports_used": "int",
              "power": "bool", "status": "text", "photo": "text", "surveyed_at": "datetime"}  # fmt: skip
    rows: list[Row] = []
    for cabinet in network.cabinets:
        office = cabinet.code.startswith("CO")
        used = sum(len(c.houses) for c in network.closures if office or c.branch.cabinet is cabinet)
        photo = f"DCIM/cabinet_{cabinet.code}.jpg" if cabinet.code in ("CO-1", "FC-1") else None
        surveyed = datetime(2026, 3, rng.randint(2, 27), rng.randint(8, 16), rng.randrange(60))
        values: list[Value] = [stable_uuid(cabinet.code), cabinet.code, cabinet.address, 288 if office else 72,
                               used, office, "in service", photo, surveyed]  # fmt: skip
        rows.append((to_map([cabinet.point]), values))
    return Table("cabinets", "Point", fields, rows)


def _ducts(network: Network, rng: random.Random) -> Table:
    fields = {"uuid": "text", "code": "text", "diameter_mm": "int", "ways": "int", "free_ways": "int",
              "depth_cm": "int", "surface": "text", "length_m": "real"}  # fmt: skip
    rows: list[Row] = []
    for branch in network.branches:
        leg, code = branch.served, "T" + branch.code[1:]
        line = piece(leg.road.line, *_buried(leg.road.name, leg.start, leg.end), DUCT_OFFSET)
        ways = rng.choice([7, 12, 24])
        surface = pick(rng, {"asphalt": 5, "paving": 3, "verge": 3, "gravel": 1})
        values: list[Value] = [stable_uuid(code), code, rng.choice([32, 40, 50]), ways, rng.randint(1, ways - 2),
                               rng.choice([60, 70, 80, 90]), surface, round(length(line), 1)]  # fmt: skip
        if length(line) > 20:
            rows.append((to_map(line), values))
    return Table("ducts", "LineString", fields, rows)


def _buried(road_name: str, start: float, end: float) -> tuple[float, float]:
    """The part of a leg before its cables climb a pole."""
    low, high = min(start, end), max(start, end)
    for first, last in ROADS[road_name].aerial:
        if first <= low < last:
            low = min(last, high)
        elif low < first < high:
            high = first
    return (low, high)


def _cables(network: Network, rng: random.Random) -> Table:
    fields = {"uuid": "text", "code": "text", "kind": "text", "fibres": "int", "status": "text",
              "from_code": "text", "to_code": "text", "length_m": "real", "installed_on": "date",
              "remarks": "text"}  # fmt: skip
    rows: list[Row] = []

    def add(code: str, kind: str, fibres: int, ends: tuple[str, str], line: Line, status: str = "in service") -> None:
        installed = None if status == "planned" else _day(rng, date(2024, 9, 2), date(2026, 3, 27))
        values: list[Value] = [
            stable_uuid(code),
            code,
            kind,
            fibres,
            status,
            *ends,
            round(length(line), 1),
            installed,
            None,
        ]
        rows.append((to_map(line), values))

    for number, (name, line) in enumerate(network.trunks(), 1):
        add(f"R-{number:02}", "trunk", 144, ("CO-1", name), line)
    for number, (cabinet, line) in enumerate(network.feeders(), 1):
        add(f"F-{number:02}", "feeder", 96, ("CO-1", cabinet.code), line)
    for branch in network.branches:
        status = "planned" if branch.code in ("D-10", "D-12") else "in service"
        add(branch.code, "distribution", 48, (branch.cabinet.code, branch.served.road.name), branch.line(), status)
    for closure in network.closures:
        for house in closure.houses:
            if connection_of(house) != "none":
                status = "in service" if connection_of(house) == "connected" else "planned"
                code = f"A-{len(rows) - 19:03}"
                add(code, "drop", 4, (closure.code, house.address), drop_line(closure, house), status)
    return Table("cables", "LineString", fields, rows)


def _closures(network: Network, rng: random.Random) -> Table:
    fields = {"uuid": "text", "code": "text", "kind": "text", "material_code": "text", "cable_code": "text",
              "capacity": "int", "spliced_fibres": "int", "sealed": "bool", "status": "text", "photo": "text",
              "surveyed_at": "datetime", "surveyed_by": "text"}  # fmt: skip
    rows: list[Row] = []
    for number, closure in enumerate(network.closures):
        last = number + 1 == len(network.closures) or network.closures[number + 1].branch is not closure.branch
        kind = "terminal" if last else ("branch" if len(closure.houses) > 2 else "splice")
        spliced, surveyed = (
            _splices(closure),
            datetime(2026, 3, rng.randint(2, 30), rng.randint(8, 16), rng.randrange(60)),
        )
        photo = f"DCIM/closure_{closure.code}.jpg" if closure.code == "C-003" else None
        values: list[Value] = [stable_uuid(closure.code), closure.code, kind,
                               rng.choice(["MUF-24", "MUF-48", "MUF-96"]), closure.branch.code, 48, spliced,
                               rng.random() < 0.85, "in service" if spliced else "planned", photo, surveyed,
                               rng.choice(SURVEYORS)]  # fmt: skip
        rows.append((to_map([closure.point]), values))
    return Table("closures", "Point", fields, rows)


def _splices(closure: Closure) -> int:
    return 4 * sum(1 for house in closure.houses if connection_of(house) == "connected")


def _poles(network: Network, rng: random.Random) -> Table:
    fields = {"uuid": "text", "code": "text", "material": "text", "height_m": "real", "condition": "text",
              "street": "text", "owner": "text", "installed_on": "date", "attachments": "int", "photo": "text",
              "remarks": "text", "surveyed_at": "datetime", "surveyed_by": "text"}  # fmt: skip
    rows: list[Row] = []
    for number, pole in enumerate(network.poles, 1):
        condition = pick(rng, {"good": 7, "worn": 3, "damaged": 1})
        photo = f"DCIM/pole_{pole.code}.jpg" if number % 9 == 1 else None
        remarks = {"good": None, "worn": "Surface cracks, check again next year", "damaged": "Leaning, replace"}[
            condition
        ]
        surveyed = datetime(2026, 3, rng.randint(2, 30), rng.randint(8, 16), rng.randrange(60))
        values: list[Value] = [stable_uuid(pole.code), pole.code, pick(rng, {"wood": 7, "steel": 2, "concrete": 1}),
                               rng.choice([7.0, 7.5, 8.0, 8.5, 9.0]), condition, pole.road.name,
                               pick(rng, {"network": 6, "power company": 2, "municipality": 1}),
                               _day(rng, date(1989, 5, 1), date(2024, 10, 1)), rng.randint(1, 4), photo, remarks,
                               surveyed, rng.choice(SURVEYORS)]  # fmt: skip
        rows.append((to_map([pole.point]), values))
    return Table("poles", "Point", fields, rows)


def _inspections(poles: Table, rng: random.Random) -> Table:
    fields = {"uuid": "text", "pole_uuid": "text", "inspected_at": "datetime", "inspector": "text", "result": "text",
              "tilt_deg": "real", "material_code": "text", "remarks": "text", "photo": "text"}  # fmt: skip
    rows: list[Row] = []
    for _, pole in poles.rows:
        for year in (2024, 2025):
            if rng.random() < 0.6:
                result = {"good": "ok", "worn": "repair", "damaged": "replace"}[str(pole[4])]
                when = datetime(year, rng.randint(4, 10), rng.randint(1, 28), rng.randint(8, 16), rng.randrange(60))
                values: list[Value] = [stable_uuid(f"inspection {pole[1]} {year}"), pole[0], when,
                                       rng.choice(SURVEYORS), result, round(rng.uniform(0, 4.5), 1),
                                       "KLAMPE-12" if result == "repair" else None, None, None]  # fmt: skip
                rows.append((None, values))
    return Table("inspections", "NoGeometry", fields, rows)


def premises_table(network: Network) -> Table:
    """Return the houses, for the second GeoPackage."""
    fields = {"uuid": "text", "address": "text", "kind": "text", "units": "int", "connection": "text",
              "closure_code": "text"}  # fmt: skip
    rows: list[Row] = []
    for closure in network.closures:
        for house in closure.houses:
            units = {"house": 1, "farm": 2, "shop": 3}[house.kind]
            values: list[Value] = [
                stable_uuid(house.address),
                house.address,
                house.kind,
                units,
                connection_of(house),
                closure.code,
            ]
            rows.append((to_map(house.ring), values))
    return Table("premises", "Polygon", fields, rows)


def parcels_table(houses: list[House], rng: random.Random) -> Table:
    """Return the lots, for the Shapefile (field names of at most ten letters)."""
    fields = {"PARCEL_ID": "text", "STREET": "text", "OWNERSHIP": "text", "AREA_M2": "real", "CONSENT": "text"}
    rows: list[Row] = []
    for number, house in enumerate(houses, 1):
        depth, width = length(house.lot[1:3]), length(house.lot[:2])
        values: list[Value] = [f"03-{number:04}", house.road.name,
                               pick(rng, {"private": 8, "church": 1, "municipality": 1}),
                               round(depth * width, 1), pick(rng, {"given": 6, "asked": 3, "refused": 1})]  # fmt: skip
        rows.append((to_map(house.lot), values))
    rows.append((to_map(GREEN), ["03-0900", "Am Anger", "municipality", 21_480.0, "given"]))
    return Table("parcels", "Polygon", fields, rows)


def road_closures_table() -> Table:
    """Return announced works, for the GeoJSON; without the key `fid`, devices could not edit them."""
    fields = {"fid": "int", "uuid": "text", "street": "text", "reason": "text", "valid_from": "date",
              "valid_until": "date", "full_closure": "bool"}  # fmt: skip
    works = [("Am Anger", 60, 170, "Duct works, lots 12 to 20", date(2026, 5, 4), date(2026, 5, 22), True),
             ("Bachstraße", 20, 75, "Road crossing by press", date(2026, 5, 11), date(2026, 5, 13), False),
             ("Kirchgasse", 190, 260, "New paving by the municipality", date(2026, 6, 1),
              date(2026, 7, 31), True)]  # fmt: skip
    rows: list[Row] = []
    for fid, (street, start, end, reason, first, last, full) in enumerate(works, 1):
        line = to_map(piece(ROADS[street].line, start, end))
        rows.append((line, [fid, stable_uuid(f"works {street}"), street, reason, first, last, full]))
    return Table("road_closures", "LineString", fields, rows)


MATERIALS: list[tuple[str, str, str, str, float]] = [
    ("MUF-24", "Splice closure, 24 fibres", "closure", "piece", 48.90),
    ("MUF-48", "Splice closure, 48 fibres", "closure", "piece", 71.50),
    ("MUF-96", "Splice closure, 96 fibres", "closure", "piece", 118.00),
    ("KLAMPE-12", "Tension clamp, 12 mm", "pole", "piece", 6.35),
    ("MAST-H8", "Wooden pole, 8 m, treated", "pole", "piece", 139.00),
    ("MAST-S8", "Steel pole, 8 m, galvanised", "pole", "piece", 312.00),
    ("ROHR-7x12", "Microduct bundle 7 x 12/8", "duct", "metre", 5.80),
    ("ROHR-24x7", "Microduct bundle 24 x 7/4", "duct", "metre", 9.40),
    ("KAB-4", "Drop cable, 4 fibres", "cable", "metre", 0.62),
    ("KAB-48", "Distribution cable, 48 fibres", "cable", "metre", 1.48),
    ("KAB-96", "Feeder cable, 96 fibres", "cable", "metre", 2.35),
    ("KAB-144", "Trunk cable, 144 fibres", "cable", "metre", 3.10),
    ("SCHRANK-72", "Cabinet, 72 ports", "cabinet", "piece", 1890.00),
    ("HUEP-4", "House transfer point, 4 fibres", "premises", "piece", 23.70),
]

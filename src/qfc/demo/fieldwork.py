"""A day in Hasselried: the edits of two surveyors on their phones, one west and one east of the central office.

They work on different features, except for one pole: both judge its condition, and they disagree.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from .device import Content, Device
from .geometry import Geometry, first_position, line, point
from .survey import Feature, Survey

#: East of this (EPSG:25832, metres) is the second surveyor's half of the village.
MIDDLE = 612_560.0
CONTESTED_POLE = "P-009"
START = datetime(2026, 5, 4, 8, 30)


@dataclass
class Surveyor:
    """A person with a phone, the half of the village that is theirs, and their watch."""

    device: Device
    survey: Survey
    east: bool
    verdict: str
    now: datetime = START

    def mine(self, layer: str) -> list[Feature]:
        """Return the features of this half, without the contested pole."""
        rows = self.survey.features[layer].values()
        return [row for row in rows if _is_east(row) == self.east and row.attributes.get("code") != CONTESTED_POLE]

    def tick(self) -> str:
        """Return the time, a few minutes later than at the last call."""
        self.now += timedelta(minutes=3, seconds=20)
        return self.now.isoformat(timespec="seconds")


def surveyors(survey: Survey, west: str, east: str, rng: random.Random) -> tuple[Surveyor, Surveyor]:
    """Return the two surveyors, each with a device of their own. `west` and `east` are their user names."""
    return (
        Surveyor(Device(west, survey, rng), survey, east=False, verdict="worn"),
        Surveyor(Device(east, survey, rng), survey, east=True, verdict="damaged"),
    )


def morning(surveyor: Surveyor) -> None:
    """About forty edits: poles judged, moved, photographed and added, closures spliced, cables drawn and removed."""
    poles, closures = surveyor.mine("poles"), surveyor.mine("closures")
    for pole in poles[:6]:
        _judge(surveyor, pole)
    _photograph(surveyor, poles[6])
    _move(surveyor, "poles", poles[7], 0.45, -0.3)
    _move(surveyor, "closures", closures[5], -0.6, 0.25)
    for closure in closures[:5]:
        _splice(surveyor, closure)
    _connect_homes(surveyor)
    _announce_works(surveyor)
    _remove(surveyor, poles)
    for distance in (0.0, 12.0, 24.0):
        _plant(surveyor, poles[8], distance)
    _inspect(surveyor, poles[:8])
    _judge_contested(surveyor)


def afternoon(surveyor: Surveyor) -> None:
    """Change features created in the morning: the server has to find them by the device's own keys."""
    device, layers = surveyor.device, surveyor.survey.features
    first_new_pole = max(layers["poles"]) + 1
    first_new_inspection = max(layers["inspections"]) + 1
    device.patch("poles", first_new_pole, {"height_m": 9.5, "remarks": "Höhe nachgemessen"})
    device.patch("poles", first_new_pole + 1, {}, _shifted(_place(surveyor.mine("poles")[8]), 13.0, 2.0))
    device.delete("inspections", first_new_inspection)


def tour(surveyor: Surveyor, stops: int) -> None:
    """A long walk past all poles, repeatedly, with one inspection per stop: a long job."""
    poles = cycle(surveyor.survey.features["poles"].values())
    for stop, pole in zip(range(stops), poles, strict=False):
        values = _inspection(surveyor, pole, "ok", round(0.1 * (stop % 40), 1))
        surveyor.device.create("inspections", {**values, "remarks": f"Tour, stop {stop + 1}"})


def push(surveyor: Surveyor, project_id: str) -> Content:
    """Return the deltafile with all edits since the last push."""
    return surveyor.device.deltafile(project_id)


def _judge(surveyor: Surveyor, pole: Feature) -> None:
    worse = {"good": "worn", "worn": "damaged", "damaged": "good"}[str(pole.attributes["condition"])]
    changes = {"condition": worse, "remarks": "Begehung Frühjahr: geprüft", "surveyed_at": surveyor.tick()}
    surveyor.device.patch("poles", pole.key, {**changes, "surveyed_by": surveyor.device.username})


def _judge_contested(surveyor: Surveyor) -> None:
    (pole,) = surveyor.survey.find("poles", code=CONTESTED_POLE)
    surveyor.device.patch("poles", pole.key, {"condition": surveyor.verdict})


def _photograph(surveyor: Surveyor, pole: Feature) -> None:
    picture = surveyor.survey.folder / "DCIM" / "pole_P-010.jpg"
    photo = surveyor.device.take_photo(f"pole_{pole.attributes['code']}", picture)
    surveyor.device.patch("poles", pole.key, {"photo": photo, "surveyed_at": surveyor.tick()})


def _move(surveyor: Surveyor, layer: str, feature: Feature, dx: float, dy: float) -> None:
    surveyor.device.patch(layer, feature.key, {}, _shifted(_place(feature), dx, dy))


def _splice(surveyor: Surveyor, closure: Feature) -> None:
    spliced = int(closure.attributes["spliced_fibres"]) + 4
    changes = {"spliced_fibres": spliced, "sealed": not closure.attributes["sealed"], "status": "installed"}
    surveyor.device.patch("closures", closure.key, {**changes, "surveyed_at": surveyor.tick()})


def _connect_homes(surveyor: Surveyor) -> None:
    """Connect two ordered homes of another GeoPackage, and draw their drop cables."""
    homes = [home for home in surveyor.mine("premises") if home.attributes["connection"] == "none"][:2]
    for number, home in enumerate(homes, 1):
        surveyor.device.patch("premises", home.key, {"connection": "connected"})
        (closure,) = surveyor.survey.find("closures", code=home.attributes["closure_code"])
        start, end = _place(closure), home.geometry
        assert end is not None, "a home has an outline"
        values = {
            "code": f"A-9{number}{int(surveyor.east)}",
            "kind": "drop",
            "fibres": 4,
            "status": "installed",
            "from_code": closure.attributes["code"],
            "to_code": home.attributes["address"],
            "length_m": 23.5,
            "installed_on": "2026-05-04",
            "remarks": None,
        }
        surveyor.device.create("cables", values, line(start, first_position(end)))


def _remove(surveyor: Surveyor, poles: list[Feature]) -> None:
    """Delete two planned drop cables that are no longer wanted, and an old inspection."""
    planned = [row for row in surveyor.mine("cables") if row.attributes["status"] == "planned"]
    for cable in [row for row in planned if row.attributes["kind"] == "drop"][:2]:
        surveyor.device.delete("cables", cable.key)
    known = {pole.uuid for pole in poles}
    old = next(row for row in _rows(surveyor, "inspections") if row.attributes["pole_uuid"] in known)
    surveyor.device.delete("inspections", old.key)


def _plant(surveyor: Surveyor, beside: Feature, distance: float) -> None:
    values = {
        "code": f"P-{100 + int(distance) + int(surveyor.east)}",
        "material": "wood",
        "height_m": 8.0,
        "condition": "good",
        "street": beside.attributes["street"],
        "owner": "network",
        "installed_on": "2026-05-04",
        "attachments": 1,
        "photo": None,
        "remarks": "Neu gesetzt",
        "surveyed_at": surveyor.tick(),
        "surveyed_by": surveyor.device.username,
    }
    surveyor.device.create("poles", values, _shifted(_place(beside), distance + 3.25, 1.5))


def _inspect(surveyor: Surveyor, poles: list[Feature]) -> None:
    for number, pole in enumerate(poles):
        result = ("ok", "ok", "repair", "replace")[number % 4]
        values = _inspection(surveyor, pole, result, 0.7 * number)
        surveyor.device.create("inspections", values)


def _inspection(surveyor: Surveyor, pole: Feature, result: str, tilt: float) -> Content:
    return {
        "pole_uuid": pole.uuid,
        "inspected_at": surveyor.tick(),
        "inspector": surveyor.device.username,
        "result": result,
        "tilt_deg": round(tilt, 1),
        "material_code": "KLAMPE-12" if result == "repair" else None,
        "remarks": None,
        "photo": None,
    }


def _announce_works(surveyor: Surveyor) -> None:
    """Works of the day, in the layer that is a GeoJSON in degrees: one more closure, and one that takes longer."""
    works = surveyor.survey.features["road_closures"]
    longer = works[2 if surveyor.east else 1]
    surveyor.device.patch("road_closures", longer.key, {"valid_until": "2026-06-19", "full_closure": True})
    x, y = _place(longer)
    values = {
        "street": longer.attributes["street"],
        "reason": "Baugrube über Nacht offen",
        "valid_from": "2026-05-04",
        "valid_until": "2026-05-05",
        "full_closure": False,
    }
    end = (round(x + 0.0002, 7), round(y + 0.0001, 7))
    surveyor.device.create("road_closures", values, line((x, y), end))


def _rows(surveyor: Surveyor, layer: str) -> Iterator[Feature]:
    return iter(surveyor.survey.features[layer].values())


def _is_east(feature: Feature) -> bool:
    return feature.geometry is not None and first_position(feature.geometry)[0] > MIDDLE


def _place(feature: Feature) -> tuple[float, float]:
    assert feature.geometry is not None, f"{feature.uuid} has a place"
    return first_position(feature.geometry)


def _shifted(place: tuple[float, float], dx: float, dy: float) -> Geometry:
    return point(round(place[0] + dx, 2), round(place[1] + dy, 2))

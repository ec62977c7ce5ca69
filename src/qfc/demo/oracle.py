"""The expected result: deltas applied to the survey in plain Python, without any server.

The rules are those of a QFieldCloud project that does not overwrite conflicts: an edit whose `old` attributes differ
from the present ones changes nothing and is a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .geometry import Geometry, from_wkt
from .survey import Feature, Survey

#: layer name → uuid → feature
State = dict[str, dict[str, Feature]]


@dataclass(frozen=True)
class Expectation:
    """The survey after the deltas, and the status of every delta by its uuid."""

    state: State
    statuses: dict[str, str]

    def count(self, layer: str) -> int:
        """Return the number of features of a layer."""
        return len(self.state[layer])

    @property
    def conflicts(self) -> list[str]:
        """Uuids of the deltas that must end as conflicts."""
        return [delta for delta, status in self.statuses.items() if status == "conflict"]


def expect(survey: Survey, deltafiles: Iterable[dict[str, Any]]) -> Expectation:
    """Apply deltafiles in this order to the survey."""
    ledger = _Ledger(survey)
    statuses = {
        delta["uuid"]: ledger.apply(delta) for deltafile in _each_once(deltafiles) for delta in deltafile["deltas"]
    }
    return Expectation(ledger.state(), statuses)


def _each_once(deltafiles: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each deltafile once, even if it was sent twice."""
    return list({deltafile["id"]: deltafile for deltafile in deltafiles}.values())


class _Ledger:
    """The features while deltas are applied, and the mapping from devices' keys to features."""

    def __init__(self, survey: Survey) -> None:
        self._names = {layer.id: name for name, layer in survey.layers.items()}
        self._rows = {name: dict(rows) for name, rows in survey.features.items()}
        self._made: dict[tuple[str, str, str], int] = {}

    def apply(self, delta: dict[str, Any]) -> str:
        """Apply one delta; return the expected status."""
        layer = self._names[delta["sourceLayerId"] or delta["localLayerId"]]
        if delta["method"] == "create":
            return self._create(layer, delta)
        key = self._made.get((delta["clientId"], layer, delta["localPk"]), int(delta["sourcePk"]))
        feature = self._rows[layer].get(key)
        if feature is None:
            return "not_applied"
        old = {name: value for name, value in delta["old"].get("attributes", {}).items() if name != "fid"}
        if any(feature.attributes.get(name) != value for name, value in old.items()):
            return "conflict"
        if delta["method"] == "delete":
            del self._rows[layer][key]
        else:
            self._rows[layer][key] = _patched(feature, delta["new"])
        return "applied"

    def state(self) -> State:
        """The features by uuid."""
        return {name: {row.uuid: row for row in rows.values()} for name, rows in self._rows.items()}

    def _create(self, layer: str, delta: dict[str, Any]) -> str:
        attributes = dict(delta["new"]["attributes"])
        key = int(attributes.pop("fid"))
        if key in self._rows[layer]:
            key = max(self._rows[layer]) + 1
        self._made[delta["clientId"], layer, delta["localPk"]] = key
        self._rows[layer][key] = Feature(key, attributes, _geometry(delta["new"]))
        return "applied"


def _patched(feature: Feature, new: dict[str, Any]) -> Feature:
    attributes = {**feature.attributes, **new.get("attributes", {})}
    return replace(feature, attributes=attributes, geometry=_geometry(new) or feature.geometry)


def _geometry(new: dict[str, Any]) -> Geometry | None:
    return from_wkt(new["geometry"]) if new.get("geometry") else None

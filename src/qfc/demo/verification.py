"""Compares the actual result with the expected one, feature by feature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .geometry import same
from .oracle import Expectation
from .survey import Feature, Survey, plain_value

#: The allowed difference of ordinates: a tenth of a metre for degrees, far below a millimetre for metres.
TOLERANCE = 1e-6


def differences(expected: Expectation, survey: Survey) -> list[str]:
    """Return one sentence per difference; none if every edit is applied exactly once and nothing else changed."""
    found: list[str] = []
    for layer, wanted in expected.state.items():
        if layer not in survey.features:
            found.append(f"{layer}: the layer is missing")
            continue
        rows = list(survey.features[layer].values())
        found += _double(layer, rows) + _compare(layer, wanted, {row.uuid: row for row in rows})
    return found


def wrong_statuses(expected: Expectation, statuses: Mapping[str, str]) -> list[str]:
    """Return the deltas that the server reports with an unexpected status, does not know, or invented."""
    lost = [f"delta {delta} is lost" for delta in expected.statuses if delta not in statuses]
    extra = [f"delta {delta} was never sent" for delta in statuses if delta not in expected.statuses]
    wrong = [
        f"delta {delta} is {statuses[delta]} instead of {status}"
        for delta, status in expected.statuses.items()
        if delta in statuses and statuses[delta] != status
    ]
    return lost + extra + wrong


def _double(layer: str, rows: list[Feature]) -> list[str]:
    counts = Counter(row.uuid for row in rows)
    return [f"{layer}: {uuid} exists {count} times" for uuid, count in counts.items() if count > 1]


def _compare(layer: str, wanted: Mapping[str, Feature], present: Mapping[str, Feature]) -> list[str]:
    found = [f"{layer}: {uuid} is missing" for uuid in wanted if uuid not in present]
    found += [f"{layer}: {uuid} should not exist" for uuid in present if uuid not in wanted]
    for uuid, feature in wanted.items():
        if uuid in present:
            found += [f"{layer}: {uuid}: {text}" for text in _compare_features(feature, present[uuid])]
    return found


def _compare_features(wanted: Feature, present: Feature) -> list[str]:
    found = [
        f"{name} is {present.attributes.get(name)!r} instead of {value!r}"
        for name, value in wanted.attributes.items()
        if not _same(value, present.attributes.get(name))
    ]
    if not same(wanted.geometry, present.geometry, TOLERANCE):
        found.append("the geometry differs")
    return found


def _same(wanted: Any, present: Any) -> bool:
    if isinstance(wanted, str) and len(wanted) >= 19 and wanted[10] == "T":
        return plain_value(wanted, "DATETIME") == plain_value(present, "DATETIME")
    if isinstance(wanted, float) and isinstance(present, int | float):
        return abs(wanted - present) < 1e-9
    return wanted == present

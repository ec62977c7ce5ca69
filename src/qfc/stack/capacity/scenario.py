"""The four scenarios that operators of QFieldCloud decide by, after two weeks of measurements every five minutes."""

from __future__ import annotations

from dataclasses import dataclass

from .series import Looks

#: The average queue: fewer are good, more than the second are bad.
GOOD_QUEUE, BAD_QUEUE = 5.0, 10.0
GOOD_SUCCESS, BAD_SUCCESS = 0.90, 0.80
#: Workers that use less of their time than this are idle.
IDLE = 0.10


@dataclass(frozen=True)
class Scenario:
    """A scenario: its letter, its thresholds, and what to do."""

    letter: str
    when: str
    action: str
    capacity: str


_ALL = (
    ("A", "queue < 5, success > 90 %", "STOP: the present configuration is right.", "Enough for the present agents."),
    (
        "B",
        "queue 5–10, success > 80 %",
        "Consider more workers, indexes or a priority queue.",
        "Approaching its limits.",
    ),
    ("C", "queue > 10, success < 80 %", "Investigate: workers, database, storage, projects.", "Insufficient."),
    ("D", "queue always 0, workers idle", "Over-provisioned: one or two workers fewer would do.", "More than needed."),
)
SCENARIOS = {letter: Scenario(letter, when, action, capacity) for letter, when, action, capacity in _ALL}


def scenario(queue: Looks, success_rate: float | None, utilisation: float | None, workers: int) -> Scenario | None:
    """Return the scenario of a period; None where nothing was seen."""
    if not queue.number:
        return None
    rate = 1.0 if success_rate is None else success_rate
    if queue.average > BAD_QUEUE or rate < BAD_SUCCESS:
        return SCENARIOS["C"]
    if queue.average >= GOOD_QUEUE or rate <= GOOD_SUCCESS:
        return SCENARIOS["B"]
    if queue.peak == 0 and workers > 1 and utilisation is not None and utilisation < IDLE:
        return SCENARIOS["D"]
    return SCENARIOS["A"]

"""How many people a number of workers serves: by the rule of thumb, and by what this server's own people do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .history import History
from .plan import Target, one_round
from .resampling import Growth
from .takeover import Pickup

#: The rule of thumb of operators: workers, and from how many to how many agents they serve.
RULE: tuple[tuple[int, int, int | None], ...] = ((2, 8, 10), (4, 15, 20), (6, 25, 30), (8, 30, None))
#: No more than so many times the recorded people, and so many simulated jobs: beyond that nothing is known.
MOST_TIMES, MOST_JOBS = 16.0, 100_000
STEPS, SEED = 6, 1


@dataclass(frozen=True)
class Served:
    """Agents that `workers` workers serve by the rule, and people like those of this server that they would serve.

    `rule_to` is None without an upper end. `people` is None where nothing is known; `or_more`: no end was found.
    """

    workers: int
    rule_from: int
    rule_to: int | None
    people: int | None
    or_more: bool


def served(history: History, target: Target, pickup: Pickup) -> tuple[Served, ...]:
    """Compare the rule of thumb with the people of a server. Raises TooLittleError."""
    found: list[Served] = []
    for workers, first, last in RULE:
        times = _times(history, workers, target, pickup)
        people = int(history.authors * times) if history.authors else None
        found.append(Served(workers, first, last, people, times >= _most(history)))
    return tuple(found)


def _times(history: History, workers: int, target: Target, pickup: Pickup) -> float:
    """Return how many times as many people could work and still meet the target; at most `_most`."""
    low, high = 0.0, _most(history)
    if _meets(history, high, workers, target, pickup):
        return high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _meets(history, middle, workers, target, pickup) else (low, middle)
    return low


def _meets(history: History, times: float, workers: int, target: Target, pickup: Pickup) -> bool:
    numbers: Sequence[int] = (workers,)
    found = one_round(history, numbers, target, Growth(times), pickup, SEED)
    return found.waits[workers].target < target.seconds


def _most(history: History) -> float:
    return min(MOST_TIMES, max(MOST_JOBS / max(len(history.jobs), 1), 1.0))

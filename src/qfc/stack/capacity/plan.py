"""Numbers of workers, compared: how long jobs would wait, where more workers stop helping, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .erlang import waiting_quantile
from .history import History, quantile
from .resampling import Growth, resample
from .simulation import Load, waits
from .takeover import Pickup

#: The interval of predictions holds nine of ten resampled periods.
LOW, HIGH = 0.05, 0.95
#: Projects that cause the floor are named until they explain this share of it.
EXPLAINED, MOST_NAMED = 0.8, 5


@dataclass(frozen=True)
class Target:
    """The wish: `share` of all jobs wait less than `seconds`."""

    share: float = 0.95
    seconds: float = 60.0

    def __str__(self) -> str:
        return f"p{self.share * 100:g} < {self.seconds:g} s"


@dataclass(frozen=True)
class Waits:
    """What jobs waited in one simulated period, in seconds, and the share of the workers' time that was used.

    `target` is the quantile that the target asks for.
    """

    utilisation: float
    p50: float
    p95: float
    p99: float
    target: float


@dataclass(frozen=True)
class Round:
    """One resampled period: its load in Erlang and mean service time, and the waits for each number of workers.

    `floor` is what jobs wait even with a worker for every project, and `blame` each project's share of that waiting.
    """

    load: float
    service_s: float
    waits: dict[int, Waits]
    floor: Waits
    blame: dict[str, float]


@dataclass(frozen=True)
class Row:
    """A number of workers: medians over all rounds, in seconds. `low` and `high` hold nine of ten values of p95.

    `erlang_p95_s` is what Erlang C says, which knows no projects; None where its queue has no end. `meets` tells
    whether the upper end of the interval meets the target.
    """

    n: int
    utilisation: float
    wait_p50_s: float
    wait_p95_s: float
    wait_p99_s: float
    low: float
    high: float
    erlang_p95_s: float | None
    meets: bool


@dataclass(frozen=True)
class Plan:
    """All numbers of workers, the smallest that meets the target, and the floor with the projects that cause it."""

    rows: tuple[Row, ...]
    floor_p95_s: float
    floor_target_s: float
    floor_projects: tuple[str, ...]
    workers_for_target: int | None


def one_round(
    history: History, numbers: Sequence[int], target: Target, growth: Growth, pickup: Pickup, seed: int
) -> Round:
    """Draw one period, and simulate it with each number of workers. The same seed gives the same round."""
    load, names = resample(history, Random(seed), growth)
    unlimited = waits(load, max(load.number_of_projects, 1), takeover_s=pickup.takeover_s)
    floor = _summary(load, load.number_of_projects, unlimited, target)
    found: dict[int, Waits] = {}
    for number in sorted(numbers):
        waited = waits(load, number, poll_s=pickup.poll_s, takeover_s=pickup.takeover_s)
        found[number] = _summary(load, number, waited, target)
    busy = sum(load.services)
    return Round(busy / load.seconds, busy / max(len(load), 1), found, floor, _blame(load, names, unlimited))


def plan(rounds: Sequence[Round], target: Target) -> Plan:
    """Compare the numbers of workers over all rounds."""
    rows = tuple(_row(number, rounds, target) for number in sorted(rounds[0].waits))
    floors = sorted(one.floor.p95 for one in rounds)
    return Plan(
        rows=rows,
        floor_p95_s=quantile(floors, 0.5),
        floor_target_s=quantile(sorted(one.floor.target for one in rounds), HIGH),
        floor_projects=_floor_projects(rounds),
        workers_for_target=next((row.n for row in rows if row.meets), None),
    )


def _summary(load: Load, workers: int, waited: list[float], target: Target) -> Waits:
    ordered = sorted(waited)
    used = sum(load.services) / (load.seconds * max(workers, 1))
    return Waits(
        used, quantile(ordered, 0.5), quantile(ordered, 0.95), quantile(ordered, 0.99), quantile(ordered, target.share)
    )


def _blame(load: Load, names: Sequence[str], waited: list[float]) -> dict[str, float]:
    """Return each project's seconds of waiting behind its own jobs, the greatest first."""
    seconds = [0.0] * load.number_of_projects
    for project, wait in zip(load.projects, waited, strict=True):
        seconds[project] += wait
    found = {name: value for name, value in zip(names, seconds, strict=True) if value > 0}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _floor_projects(rounds: Sequence[Round]) -> tuple[str, ...]:
    """Return the few projects that explain most of the floor, the worst first."""
    total: dict[str, float] = {}
    for one in rounds:
        for project, seconds in one.blame.items():
            total[project] = total.get(project, 0.0) + seconds
    ordered = sorted(total, key=lambda project: -total[project])
    named: list[str] = []
    explained = 0.0
    for project in ordered[:MOST_NAMED]:
        if explained >= EXPLAINED * sum(total.values()):
            break
        named.append(project)
        explained += total[project]
    return tuple(named)


def _row(number: int, rounds: Sequence[Round], target: Target) -> Row:
    def median(name: str) -> float:
        return quantile(sorted(getattr(one.waits[number], name) for one in rounds), 0.5)

    p95 = sorted(one.waits[number].p95 for one in rounds)
    asked = sorted(one.waits[number].target for one in rounds)
    middle = sorted(rounds, key=lambda one: one.load)[len(rounds) // 2]
    return Row(
        n=number,
        utilisation=min(median("utilisation"), 1.0),
        wait_p50_s=median("p50"),
        wait_p95_s=median("p95"),
        wait_p99_s=median("p99"),
        low=quantile(p95, LOW),
        high=quantile(p95, HIGH),
        erlang_p95_s=waiting_quantile(middle.load, number, middle.service_s, 0.95),
        meets=quantile(asked, HIGH) < target.seconds,
    )

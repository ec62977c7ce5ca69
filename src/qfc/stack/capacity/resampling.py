"""Periods as they might have been: days of the past, drawn again and put together. A block bootstrap.

Source: H. R. Künsch, The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17
(1989). A block is a whole day, so its shape stays, and which project asks when: jobs of a day belong together. Where
two or more weeks are recorded, a Monday is drawn from the Mondays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

from ...errors import RefusedError
from .history import DAY_S, HOUR_S, History
from .simulation import Load

#: Fewer jobs than these say nothing about a server.
FEWEST_JOBS = 30
#: Jobs that growth adds come at about the same time of the day as those they are drawn from.
SPREAD_S = 900.0
#: Blocks after which the shape repeats: days of a week, hours of a day.
CYCLES = {DAY_S: 7, HOUR_S: 24}

#: A job of a block: seconds since the block's begin, service time, project.
Drawn = tuple[float, float, str]


class TooLittleError(RefusedError):
    """Too little was recorded for a sound answer."""


@dataclass(frozen=True)
class Growth:
    """What is added to the recorded work: `factor` times as many jobs, and jobs of `projects` more projects.

    A new project asks as an existing one does, chosen at random.
    """

    factor: float = 1.0
    projects: int = 0


def block_length(history: History) -> float:
    """Return the seconds of a block: a day, or an hour where less than two days are recorded."""
    return DAY_S if history.seconds >= 2 * DAY_S else HOUR_S


def blocks(history: History) -> list[list[Drawn]]:
    """Cut a history into blocks. Raises TooLittleError.

    What is left over at its beginning is less than a block, and cannot stand for one.
    """
    length = block_length(history)
    number = int(history.seconds / length)
    if number < 1 or len(history.jobs) < FEWEST_JOBS:
        raise TooLittleError(
            f"{len(history.jobs)} jobs in {history.hours:.1f} hours are too few to predict anything from.",
            hint=f"It takes {FEWEST_JOBS} jobs, and an hour of work. Until then: qfc capacity report",
        )
    begin = history.end_s - number * length
    cut: list[list[Drawn]] = [[] for _ in range(number)]
    for job in history.jobs:
        index = int((job.created_s - begin) // length)
        if 0 <= index < number:
            cut[index].append((job.created_s - begin - index * length, job.service_s, job.project))
    return cut


def resample(history: History, random: Random, growth: Growth = Growth()) -> tuple[Load, list[str]]:
    """Return a period of as many blocks as the history has, drawn from them, with growth, and its projects' names.

    Raises TooLittleError.
    """
    parts, length = blocks(history), block_length(history)
    drawn = [_grown(_choose(parts, position, length, random), growth.factor, random) for position in range(len(parts))]
    placed = chain.from_iterable(_placed(block, position * length) for position, block in enumerate(drawn))
    added = _of_new_projects(parts, length, growth.projects, random)
    return as_load([*placed, *added], len(parts) * length)


def as_load(jobs: list[Drawn], seconds: float) -> tuple[Load, list[str]]:
    """Return the jobs of a period as columns, in order of arrival, and the names of their numbered projects."""
    jobs.sort()
    numbers: dict[str, int] = {}
    projects = [numbers.setdefault(project, len(numbers)) for _, _, project in jobs]
    load = Load([at for at, _, _ in jobs], [service for _, service, _ in jobs], projects, seconds)
    return load, list(numbers)


def _choose(parts: Sequence[list[Drawn]], position: int, length: float, random: Random) -> list[Drawn]:
    """Draw a block for a position: one of the same weekday, or hour, where each was recorded at least twice."""
    cycle = CYCLES[length]
    alike = parts[position % cycle :: cycle] if len(parts) >= 2 * cycle else parts
    return random.choice(alike)


def _grown(block: list[Drawn], factor: float, random: Random) -> list[Drawn]:
    """Return a block with `factor` times as many jobs; those that are added come within a quarter of an hour."""
    grown: list[Drawn] = []
    whole, rest = divmod(factor, 1.0)
    for at, service, project in block:
        copies = int(whole) + (random.random() < rest)
        if copies:
            grown.append((at, service, project))
        grown += [(max(at + random.uniform(-SPREAD_S, SPREAD_S), 0.0), service, project) for _ in range(copies - 1)]
    return grown


def _placed(block: list[Drawn], offset_s: float) -> list[Drawn]:
    return [(offset_s + at, service, project) for at, service, project in block]


def _of_new_projects(parts: Sequence[list[Drawn]], length: float, wanted: int, random: Random) -> list[Drawn]:
    """Return the jobs of new projects: all jobs of an existing one, shifted by some blocks."""
    existing = sorted({project for block in parts for _, _, project in block})
    added: list[Drawn] = []
    for number in range(wanted):
        model, shift = random.choice(existing), random.randrange(len(parts))
        for position in range(len(parts)):
            block = [one for one in parts[(position + shift) % len(parts)] if one[2] == model]
            added += [(position * length + at, service, f"new project {number + 1}") for at, service, _ in block]
    return added

"""A period as series, for tables and plots: the queue at regular looks, hours with their waits, service times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .history import HOUR_S, History, quantile

#: The script queue_monitor.sh looks every five minutes.
LOOK_S = 300.0
WEEK_HOURS = 168
#: Upper borders of the histogram's classes, in seconds, each twice the one before; the last class has no border.
BORDERS = tuple(0.125 * 2**power for power in range(14))


@dataclass(frozen=True)
class Looks:
    """The number of waiting jobs at so many looks: their average and the highest.

    `source` is `measurements` (of `qfc metrics`) or `jobs`, from which regular looks were computed.
    """

    number: int
    average: float
    peak: int
    source: str


@dataclass(frozen=True)
class Hour:
    """An hour that begins at `begin`: the jobs created in it, p95 of their wait in seconds, the longest queue."""

    begin: datetime
    jobs: int
    wait_p95_s: float
    queue: int


@dataclass(frozen=True)
class Class:
    """Jobs whose service time is less than `below_s` and in no class before; None: all others."""

    below_s: float | None
    jobs: int


def queue_at_looks(history: History, every_s: float = LOOK_S) -> list[int]:
    """Return how many jobs wait at regular moments of the period."""
    created = [job.created_s for job in history.jobs]
    started = sorted(job.started_s for job in history.jobs)
    number = int(history.seconds // every_s)
    moments = (history.begin_s + every_s * look for look in range(1, number + 1))
    return [bisect_right(created, moment) - bisect_right(started, moment) for moment in moments]


def looks(depths: Sequence[int], source: str) -> Looks:
    """Sum up what was seen of the queue."""
    return Looks(len(depths), sum(depths) / len(depths) if depths else 0.0, max(depths, default=0), source)


def last_hours(history: History, number: int = WEEK_HOURS) -> tuple[Hour, ...]:
    """Return the last hours of a period, each whole, the oldest first."""
    end = int(history.end_s // HOUR_S) + 1
    first = max(end - number, int(history.begin_s // HOUR_S))
    waits: dict[int, list[float]] = {}
    for job in history.jobs:
        waits.setdefault(int(job.created_s // HOUR_S), []).append(job.wait_s)
    queues = _longest_queues(history)
    return tuple(
        Hour(
            begin=datetime.fromtimestamp(hour * HOUR_S, UTC),
            jobs=len(waits.get(hour, ())),
            wait_p95_s=quantile(sorted(waits.get(hour, ())), 0.95),
            queue=queues.get(hour, 0),
        )
        for hour in range(first, end)
    )


def histogram(history: History) -> tuple[Class, ...]:
    """Return the classes of service times from the first to the last that has jobs."""
    counts = [0] * (len(BORDERS) + 1)
    for job in history.jobs:
        counts[bisect_right(BORDERS, job.service_s)] += 1
    used = [number for number, count in enumerate(counts) if count]
    borders = (*BORDERS, None)
    return tuple(Class(borders[number], counts[number]) for number in range(min(used), max(used) + 1)) if used else ()


def _longest_queues(history: History) -> dict[int, int]:
    """Return the longest queue that a job of each hour joined, that job included."""
    started = sorted(job.started_s for job in history.jobs)
    longest: dict[int, int] = {}
    for number, job in enumerate(history.jobs, 1):
        if job.wait_s > 0:
            hour = int(job.created_s // HOUR_S)
            longest[hour] = max(longest.get(hour, 0), number - bisect_right(started, job.created_s))
    return longest

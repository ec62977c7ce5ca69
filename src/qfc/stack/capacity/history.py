"""What a server has worked: its jobs, when they came and how long they kept a worker busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

DAY_S = 86400.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that has ended. Times are seconds since the Unix epoch, by the database's clock.

    `project` and `author` are ids or names, used to tell them apart.
    """

    project: str
    type: str
    author: str
    created_s: float
    started_s: float
    ended_s: float

    @property
    def service_s(self) -> float:
        """Seconds that it kept a worker busy."""
        return max(self.ended_s - self.started_s, 0.0)

    @property
    def wait_s(self) -> float:
        """Seconds that it waited."""
        return max(self.started_s - self.created_s, 0.0)


@dataclass(frozen=True)
class History:
    """The jobs created between two times, in order of their creation."""

    jobs: Sequence[PastJob]
    begin_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """The length of the period."""
        return self.end_s - self.begin_s

    @property
    def hours(self) -> float:
        """The length of the period, in hours."""
        return self.seconds / HOUR_S

    @property
    def days(self) -> float:
        """The length of the period, in days."""
        return self.seconds / DAY_S

    @cached_property
    def authors(self) -> int:
        """The number of people who made jobs."""
        return len({job.author for job in self.jobs if job.author})

    @cached_property
    def load(self) -> float:
        """The offered load in Erlang: how many workers were busy on average, had there been enough of them."""
        return sum(job.service_s for job in self.jobs) / self.seconds if self.seconds > 0 else 0.0

    @cached_property
    def loads(self) -> dict[str, float]:
        """The offered load of each project in Erlang, the greatest first. One of 1 or more has a queue without end."""
        busy: dict[str, float] = {}
        for job in self.jobs:
            busy[job.project] = busy.get(job.project, 0.0) + job.service_s
        pairs = sorted(busy.items(), key=lambda item: (-item[1], item[0]))
        return {project: seconds / self.seconds for project, seconds in pairs}

    def between(self, begin_s: float, end_s: float) -> History:
        """Return the part of the history that was created between two times."""
        return History([job for job in self.jobs if begin_s <= job.created_s < end_s], begin_s, end_s)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the ascending values do not exceed; 0 without any."""
    if not ordered:
        return 0.0
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]

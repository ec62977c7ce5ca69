"""What rows tell of jobs and edits."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ...model.conditions import LongJobs, ProjectCount


class WorkConditions(Protocol):
    """Jobs and edits, by the projects that they belong to."""

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return projects with more edits of a status than that, the most first."""
        ...

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return projects that were packaged after a job failed whose edits are not in the data; these are counted.

        Whoever takes such a package does not see edits any more that a device said were sent.
        """
        ...

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return projects that were described more often than that within an hour, and how often."""
        ...

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return which types of jobs take projects that many seconds or more, the longest first."""
        ...

    def time_limit_s(self) -> float | None:
        """Return after how many seconds a job is ended; None where the database does not know."""
        ...

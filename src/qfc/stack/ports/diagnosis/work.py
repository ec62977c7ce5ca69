"""Problems of jobs and edits, as rows show them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model.conditions import LongJobs, ProjectCount


class WorkConditions(Protocol):
    """Jobs and edits, by project."""

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return projects with more than `more_than` edits of a status, the largest count first."""
        ...

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return projects that were packaged after an apply job failed, with counts of edits that are not in the data.

        A device that downloads such a package no longer shows edits that it reported as sent.
        """
        ...

    def skipped_features(self, *, since: datetime) -> tuple[ProjectCount, ...] | None:
        """Return projects whose last package lacks features, and how many; None where the server does not tell."""
        ...

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return projects with more than `more_than` process_projectfile jobs within an hour, and their number."""
        ...

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return the types of jobs that take `at_least_s` seconds or more, by project, the longest first."""
        ...

    def time_limit_s(self) -> float | None:
        """Return the time limit of a job in seconds; None where the database does not store it."""
        ...

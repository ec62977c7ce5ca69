"""What a stack's database tells of problems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from ..model.conditions import (
    CronRun,
    FileTrouble,
    FoundFile,
    LongJobs,
    Miscount,
    OldVersions,
    PlacesTaken,
    PlanChange,
    PlanLimits,
    ProjectCount,
    StuckSession,
)


class RecordedConditions(Protocol):
    """What rows tell of projects, people and jobs. None: this server keeps no such thing, so nobody knows.

    Every list is bounded; projects are told as `owner/name`.
    """

    def files(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return the files of projects that have a trouble."""
        ...

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return projects whose files take other bytes than their rows say, where nothing was stored since `until`."""
        ...

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return what versions that are not the newest ones take, by account, the most first."""
        ...

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Count projects by the name of the store that their files are in."""
        ...

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return files that edits announced, which arrived in that time and are in the data, and that never came."""
        ...

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return the version of QGIS that wrote each project, as far as it is known."""
        ...

    def online_projects(self) -> tuple[str, ...] | None:
        """Return projects with layers in databases or services elsewhere."""
        ...

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Return what plans allow."""
        ...

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Return organizations and private projects that are full by the plan of their account."""
        ...

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return the names of people who may not log in for a while, for too many wrong passwords."""
        ...

    def oldest_secret(self) -> datetime | None:
        """Return since when projects' secrets are stored that are still there; None without any."""
        ...

    def superusers(self) -> int:
        """Count the people who may do everything and may log in."""
        ...


class WorkConditions(Protocol):
    """What rows tell of the work, and the server of itself."""

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return the application's periodic tasks."""
        ...

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return projects that were described more often than that within an hour, and how often."""
        ...

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return projects with more edits of a status than that, the most first."""
        ...

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return projects that were packaged after a job failed whose edits are not in the data; these are counted.

        Whoever takes such a package does not see edits any more that a device said were sent.
        """
        ...

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return what takes projects that long or longer, in seconds, the longest first."""
        ...

    def time_limit_s(self) -> float | None:
        """Return after how many seconds a job is ended; None where the database does not know."""
        ...

    def is_read_only(self) -> bool:
        """Tell whether nothing can be written: the server is a copy of another, or was told so."""
        ...

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return transactions that are open or wait for so many seconds, the oldest first, as far as we may see."""
        ...


class Conditions(RecordedConditions, WorkConditions, Protocol):
    """All that a stack's database tells of problems, and the one thing that is put right in it."""

    def change_password(self, password: str) -> None:
        """Give the role by which the application comes another password; no log of the server gets to know it."""
        ...

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Let a plan allow more, to all accounts that have it or get it. Raises NotFoundError."""
        ...

"""A database that reports no problem: problems in rows are tested on real databases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from qfc.errors import NotFoundError, RefusedError
from qfc.stack.model.conditions import (
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
from qfc.stack.ports.diagnosis import (
    AccountConditions,
    FileConditions,
    ProjectConditions,
    ServerConditions,
    WorkConditions,
)


class QuietFiles(FileConditions):
    """Implements `qfc.stack.ports.diagnosis.FileConditions`."""

    def with_trouble(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return nothing."""
        del trouble
        return ()

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return nothing."""
        del until
        return ()

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return nothing."""
        return ()

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return nothing."""
        del since, until
        return ()


class QuietProjects(ProjectConditions):
    """Implements `qfc.stack.ports.diagnosis.ProjectConditions`. This server does not know the content of projects."""

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Say that nobody knows."""
        return None

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Say that nobody knows."""
        return None

    def online(self) -> tuple[str, ...] | None:
        """Say that nobody knows."""
        return None


class QuietAccounts(AccountConditions):
    """Implements `qfc.stack.ports.diagnosis.AccountConditions`. This server keeps no plans.

    `addresses` are those of wrong logins.
    """

    addresses: tuple[str, ...] | None = None

    def superusers(self) -> int:
        """Return that there is one superuser."""
        return 1

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return nobody."""
        del now
        return ()

    def failed_from(self, since: datetime) -> tuple[str, ...] | None:
        """Return the addresses that were given."""
        del since
        return self.addresses

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Say that nobody knows."""
        return None

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Say that nobody knows."""
        return None

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Refuse: there is no plan."""
        raise NotFoundError(f"There is no plan {code} that could be {change}.")


class QuietWork(WorkConditions):
    """Implements `qfc.stack.ports.diagnosis.WorkConditions`."""

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return nothing."""
        del status, since, more_than
        return ()

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return nothing."""
        del since
        return ()

    def skipped_features(self, *, since: datetime) -> tuple[ProjectCount, ...] | None:
        """Say that nobody knows."""
        del since
        return None

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return nothing."""
        del since, more_than
        return ()

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return nothing."""
        del since, at_least_s
        return ()

    def time_limit_s(self) -> float | None:
        """Say that nobody knows."""
        return None


@dataclass
class QuietServer(ServerConditions):
    """Implements `qfc.stack.ports.diagnosis.ServerConditions`. `password` is the last one that was set.

    `stuck` are sessions that no test can create: of ten minutes or more. `expired` are rows of web sessions, `audited`
    and `ran` the times of entries of the audit log and of runs of periodic tasks.
    """

    stuck: tuple[StuckSession, ...] = ()
    expired: int = 0
    audited: tuple[datetime, ...] = ()
    ran: tuple[datetime, ...] = ()
    password: str = ""
    refuses_passwords: bool = False

    def is_read_only(self) -> bool:
        """Return that it is not."""
        return False

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return those of that age that were given."""
        return tuple(one for one in self.stuck if one.seconds >= older_s)

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Say that nobody knows."""
        return None

    def expired_sessions(self) -> int | None:
        """Return the number that was given."""
        return self.expired

    def audit_entries(self, *, before: datetime) -> int | None:
        """Count those that were given."""
        return sum(one < before for one in self.audited)

    def old_cron_runs(self, *, before: datetime) -> int | None:
        """Count those that were given, but for the last one."""
        return sum(one < before for one in self.ran[:-1])

    def remove_cron_runs(self, *, before: datetime) -> None:
        """Remove them."""
        self.ran = (*(one for one in self.ran[:-1] if one >= before), *self.ran[-1:])

    def oldest_secret(self) -> datetime | None:
        """Return that there is none."""
        return None

    def change_password(self, password: str) -> None:
        """Take it. Raises RefusedError when passwords are refused."""
        if self.refuses_passwords:
            raise RefusedError("The database refused.")
        self.password = password


@dataclass
class QuietConditions:
    """Nothing is wrong. Implements `qfc.stack.ports.Conditions`."""

    accounts: QuietAccounts = field(default_factory=QuietAccounts)
    files: QuietFiles = field(default_factory=QuietFiles)
    projects: QuietProjects = field(default_factory=QuietProjects)
    server: QuietServer = field(default_factory=QuietServer)
    work: QuietWork = field(default_factory=QuietWork)

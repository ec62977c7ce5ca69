"""What a stack's database tells of problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from qfc.errors import NotFoundError
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

from ..stored_setting import setting
from .connection import Connect, Database

Thing = TypeVar("Thing")
#: So many rows are told of at most.
MOST = 100
MOST_PROJECTS = 10_000
#: So many of the newest edits are looked through for what they announce.
MOST_EDITS = 20_000
#: As the application locks people out: so many wrong passwords, for so long.
TRIES, LOCKED_FOR = 5, timedelta(minutes=30)
TIME_LIMIT = "WORKER_TIMEOUT_S"
#: What an official server lets a job take when its table of settings has no row for it, in seconds.
TIME_LIMIT_S = 600.0

#: The queries for files, by what is wrong with them.
TROUBLES = {
    FileTrouble.RESERVED: "conditions_files.reserved",
    FileTrouble.HIDDEN: "conditions_files.hidden",
    FileTrouble.SECOND_PROJECT: "conditions_files.second_project",
    FileTrouble.IN_DATASETS: "conditions_files.in_datasets",
    FileTrouble.TINY: "conditions_files.tiny",
}
#: The statements that change a plan, and the columns that they write.
PLAN_CHANGES = {
    PlanChange.ACTIVE: ("conditions_accounts.make_plan_active", "initial_subscription_status"),
    PlanChange.EXTERNAL_DATABASES: ("conditions_accounts.allow_databases", "is_external_db_supported"),
    PlanChange.MEMBERS: ("conditions_accounts.lift_members", "max_organization_members"),
    PlanChange.COLLABORATORS: (
        "conditions_accounts.lift_collaborators",
        "max_premium_collaborators_per_private_project",
    ),
}


class PostgresConditions:
    """Troubles that rows tell of. Implements `qfc.stack.ports.Conditions`."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def files(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return the files of projects that have a trouble."""
        return self._kept(FoundFile, TROUBLES[trouble], {"file": (), "file_version": ()}, limit=MOST)

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return projects whose files take other bytes than their rows say, where nothing was stored since `until`."""
        needed = {"file_version": (), "project": ("file_storage_bytes",)}
        return self._kept(Miscount, "conditions_files.miscounted", needed, until=until, limit=MOST)

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return what versions that are not the newest ones take, by account, the most first."""
        return self._kept(OldVersions, "conditions_files.old_versions", {"file_version": ()}, limit=MOST)

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Count projects by the name of the store that their files are in."""
        found = self._found("conditions_projects.stores_in_use", {"project": ("file_storage",)})
        return None if found is None else {row["store"]: row["projects"] for row in found}

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return files that edits announced, which arrived in that time and are in the data, and that never came."""
        times = {"since": since, "until": until}
        return self._kept(
            FoundFile, "conditions_files.missing_attachments", {"file": ()}, **times, most=MOST_EDITS, limit=MOST
        )

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return the version of QGIS that wrote each project, as far as it is known."""
        found = self._found("conditions_projects.qgis_versions", {"project": ("project_details",)}, limit=MOST_PROJECTS)
        return None if found is None else {row["project"]: row["version"] for row in found}

    def online_projects(self) -> tuple[str, ...] | None:
        """Return projects with layers in databases or services elsewhere."""
        found = self._found("conditions_projects.online", {"project": ("project_details",)}, limit=MOST_PROJECTS)
        return None if found is None else tuple(row["project"] for row in found)

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Return what plans allow."""
        return self._kept(PlanLimits, "conditions_accounts.plan_limits", {"plan": (), "subscription": ()})

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Return organizations and private projects that are full by the plan of their account."""
        limits = ("max_organization_members", "max_premium_collaborators_per_private_project")
        needed: Mapping[str, tuple[str, ...]] = {"plan": limits, "subscription": (), "member": (), "collaborator": ()}
        return self._kept(PlacesTaken, "conditions_accounts.places_taken", needed, limit=MOST)

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return the names of people who may not log in for a while, for too many wrong passwords."""
        needed = {"login_attempt": ("username", "attempt_time", "failures_since_start")}
        found = self._found("conditions_accounts.locked_out", needed, since=now - LOCKED_FOR, limit=TRIES)
        return None if found is None else tuple(row["username"] for row in found)

    def oldest_secret(self) -> datetime | None:
        """Return since when projects' secrets are stored that are still there; None without any."""
        found = self._found("conditions_server.oldest_secret", {"secret": ("created_at",)})
        return found[0]["oldest"] if found else None

    def superusers(self) -> int:
        """Count the people who may do everything and may log in."""
        with self._database.reading() as transaction:
            return int(transaction.row("conditions_accounts.superusers")["superusers"])

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return the application's periodic tasks."""
        return self._kept(CronRun, "conditions_server.cron_runs", {"cron_log": ()})

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return projects that were described more often than that within an hour, and how often."""
        return self._all(ProjectCount, "conditions_work.processing_storms", since=since, most=more_than, limit=MOST)

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return projects with more edits of a status than that, the most first."""
        wanted = {"status": status, "since": since, "more_than": more_than}
        return self._all(ProjectCount, "conditions_work.edits", **wanted, limit=MOST)

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return projects that were packaged after a job failed whose edits are not in the data."""
        return self._all(ProjectCount, "conditions_work.overtaken_edits", since=since, limit=MOST)

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return what takes projects that long or longer, in seconds, the longest first."""
        return self._all(LongJobs, "conditions_work.long_jobs", since=since, at_least_s=at_least_s, limit=MOST)

    def time_limit_s(self) -> float | None:
        """Return after how many seconds a job is ended; None where the database does not know."""
        found = self._found("database.setting", {"setting": ("key", "value")}, name=TIME_LIMIT)
        if found is None:
            return None
        stored = setting(found[0]["value"]) if found and found[0]["value"] else None
        return float(stored) if isinstance(stored, int | float) else TIME_LIMIT_S

    def is_read_only(self) -> bool:
        """Tell whether nothing can be written: the server is a copy of another, or was told so."""
        with self._database.reading() as transaction:
            return bool(transaction.row("conditions_server.read_only")["is_read_only"])

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return transactions that are open or wait for so many seconds, the oldest first, as far as we may see."""
        return self._all(StuckSession, "conditions_server.stuck_sessions", older_s=older_s, limit=MOST)

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Let a plan allow more, to all accounts that have it or get it. Raises NotFoundError."""
        statement, column = PLAN_CHANGES[change]
        with self._database.writing() as transaction:
            if not transaction.schema.has("plan", column) or not transaction.change(statement, code=code):
                raise NotFoundError(f"There is no plan {code}.", hint="Type: qfc users plans")

    def change_password(self, password: str) -> None:
        """Give our role, which is the application's, another password. The server only gets its hash."""
        with self._database.writing() as transaction:
            transaction.change_password(password)

    def _kept(
        self, model: Callable[..., Thing], query: str, needed: Mapping[str, tuple[str, ...]], **parameters: object
    ) -> tuple[Thing, ...] | None:
        found = self._found(query, needed, **parameters)
        return None if found is None else tuple(model(**row) for row in found)

    def _all(self, model: Callable[..., Thing], query: str, **parameters: object) -> tuple[Thing, ...]:
        return self._kept(model, query, {}, **parameters) or ()

    def _found(
        self, query: str, needed: Mapping[str, tuple[str, ...]], **parameters: object
    ) -> list[dict[str, Any]] | None:
        """Return the rows of a query; None where the database lacks a table or column that it needs."""
        with self._database.reading() as transaction:
            if not all(transaction.schema.has(table, *columns) for table, columns in needed.items()):
                return None
            return transaction.rows(query, **parameters)

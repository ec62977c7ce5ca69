"""The twin of what a stack's database tells of problems: computed from rows in memory, or what was given."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from qfc.errors import NotFoundError, UnreachableError
from qfc.stack.model import Delta, Job, JobStatus
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

from .directory import MemoryDirectory
from .queue import OPEN, MemoryQueue

HOUR = timedelta(hours=1)
TRIES, LOCKED_FOR = 5, timedelta(minutes=30)
#: States of an edit that is not in the data and may still come there.
LEFT = ("pending", "error", "not_applied")
_DATA = re.compile(r"\.(tif|tiff|gpkg|mbtiles)$", re.IGNORECASE)
_PROJECT = re.compile(r"\.qg[sz]$", re.IGNORECASE)
_HIDDEN = re.compile(r"(^|/)\.[^/]")
_RESERVED = re.compile(r'[<>:"|?*\\]|[. ](/|$)|(^|/)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\.[^/]*)?(/|$)', re.IGNORECASE)

#: What a change makes of a plan.
PLAN_CHANGES: dict[PlanChange, dict[str, Any]] = {
    PlanChange.ACTIVE: {"initial_status": "active_paid"},
    PlanChange.EXTERNAL_DATABASES: {"has_external_databases": True},
    PlanChange.MEMBERS: {"max_members": -1},
    PlanChange.COLLABORATORS: {"max_collaborators": -1},
}


@dataclass(frozen=True)
class StoredFile:
    """A file of a project, by the sizes of its versions, the oldest first."""

    project_id: str
    name: str
    sizes: tuple[int, ...]
    stored_at: datetime


@dataclass
class MemoryConditions:
    """Troubles in memory. Implements `qfc.stack.ports.Conditions`. What is None is not kept by this server.

    `attempts` are wrong passwords: name and moment. `accounts` says which plan an account has.
    """

    queue: MemoryQueue
    directory: MemoryDirectory
    stored: list[StoredFile] = field(default_factory=list[StoredFile])
    crons: dict[str, CronRun] | None = field(default_factory=dict[str, CronRun])
    attempts: list[tuple[str, datetime]] | None = field(default_factory=list[tuple[str, datetime]])
    superuser_names: set[str] = field(default_factory=lambda: {"root"})
    stores: Mapping[str, int] | None = None
    versions: dict[str, str] | None = field(default_factory=dict[str, str])
    online_names: tuple[str, ...] | None = ()
    plans: tuple[PlanLimits, ...] | None = ()
    full: tuple[PlacesTaken, ...] | None = ()
    secrets_since: datetime | None = None
    limit_s: float | None = 600.0
    read_only: bool = False
    password: str = ""
    stuck: tuple[StuckSession, ...] = ()

    @property
    def accounts(self) -> MemoryConditions:
        """This, as every topic."""
        return self

    files = projects = server = work = accounts

    def with_trouble(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return the files of projects that have a trouble."""
        found = [
            FoundFile(self._project(one.project_id), one.name, one.sizes[-1])
            for one in self.stored
            if self._has(trouble, one)
        ]
        return tuple(sorted(found, key=lambda one: (one.project, one.name)))

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return projects whose files take other bytes than their rows say, where nothing was stored since `until`."""
        found: list[Miscount] = []
        for project_id, counted in ((one.id, one.size_bytes) for one in self.directory.project_rows.values()):
            files = [one for one in self.stored if one.project_id == project_id]
            stored = sum(sum(one.sizes) for one in files)
            if files and stored != counted and max(one.stored_at for one in files) < until:
                found.append(Miscount(project_id, self._project(project_id), stored, counted))
        return tuple(sorted(found, key=lambda one: one.project))

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return what versions that are not the newest ones take, by account, the most first."""
        old: dict[str, list[int]] = {}
        for one in self.stored:
            old.setdefault(self._project(one.project_id).partition("/")[0], []).extend(one.sizes[:-1])
        found = [OldVersions(owner, len(sizes), sum(sizes)) for owner, sizes in old.items() if sizes]
        return tuple(sorted(found, key=lambda one: (-one.bytes, one.owner)))

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Return what was given."""
        return self.stores

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return files that edits announced, which arrived in that time and are in the data, and that never came."""
        there = {(one.project_id, one.name) for one in self.stored}
        with_files = {project for project, _ in there}
        found = {
            FoundFile(delta.project, name, 0)
            for delta in self.queue.delta_rows.values()
            if delta.status == "applied" and since < delta.created_at < until and delta.project_id in with_files
            for name in _announced(delta)
            if (delta.project_id, name) not in there
        }
        return tuple(sorted(found, key=lambda one: (one.project, one.name)))

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return what was given."""
        return self.versions

    def online(self) -> tuple[str, ...] | None:
        """Return what was given."""
        return self.online_names

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Return what was given."""
        return self.plans

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Return what was given."""
        return self.full

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return the names of people who may not log in for a while, for too many wrong passwords."""
        if self.attempts is None:
            return None
        known = {word.upper() for one in self.directory.user_rows.values() for word in (one.username, one.email)}
        tries = Counter(name for name, at in self.attempts if at > now - LOCKED_FOR and name.upper() in known)
        return tuple(sorted(name for name, count in tries.items() if count >= TRIES))

    def oldest_secret(self) -> datetime | None:
        """Return what was given."""
        return self.secrets_since

    def superusers(self) -> int:
        """Count those that were named."""
        return len(self.superuser_names)

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return what was given."""
        return None if self.crons is None else tuple(self.crons[code] for code in sorted(self.crons))

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        """Return projects that were described more often than that within an hour, and how often."""
        times: dict[str, list[datetime]] = {}
        for job in self.queue.job_rows.values():
            if job.type == "process_projectfile" and job.created_at > since:
                times.setdefault(job.project, []).append(job.created_at)
        most = {name: max(sum(end - HOUR <= at <= end for at in made) for end in made) for name, made in times.items()}
        return _counted({name: count for name, count in most.items() if count > more_than})

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        """Return projects with more edits of a status than that, the most first."""
        found = [one for one in self.queue.delta_rows.values() if one.status == status]
        counts = Counter(one.project for one in found if since is None or one.created_at > since)
        return _counted({name: count for name, count in counts.items() if count > more_than})

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        """Return projects that were packaged after a job failed whose edits are not in the data."""
        lost: dict[str, set[str]] = {}
        for job_id, delta_id in self.queue.parts:
            job, delta = self.queue.job_rows[job_id], self.queue.delta_rows[delta_id]
            failed = job.type == "delta_apply" and job.status is JobStatus.FAILED and job.created_at > since
            if failed and delta.status in LEFT and not self._is_held(delta_id) and self._was_packaged_after(job):
                lost.setdefault(job.project, set()).add(delta_id)
        return _counted({name: len(found) for name, found in lost.items()})

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        """Return what takes projects that long or longer, in seconds, the longest first."""
        took: dict[tuple[str, str], list[float]] = {}
        for job in self.queue.job_rows.values():
            if job.status is JobStatus.FINISHED and job.created_at > since and job.started_at and job.finished_at:
                seconds = (job.finished_at - job.started_at).total_seconds()
                took.setdefault((job.project, job.type), []).append(seconds)
        found = [LongJobs(*key, len(all_of_them), _p95(all_of_them)) for key, all_of_them in took.items()]
        long = [one for one in found if one.p95_s >= at_least_s]
        return tuple(sorted(long, key=lambda one: (-one.p95_s, one.project, one.type)))

    def time_limit_s(self) -> float | None:
        """Return what was given."""
        return self.limit_s

    def is_read_only(self) -> bool:
        """Return what was given."""
        return self.read_only

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return those that were given and are old enough."""
        return tuple(one for one in self.stuck if one.seconds > older_s)

    def change_password(self, password: str) -> None:
        """Keep it, unless the database takes no writes. Raises QfcError."""
        if self.read_only:
            raise UnreachableError("The database takes no writes.")
        self.password = password

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Let a plan allow more, to all accounts that have it or get it. Raises NotFoundError."""
        if code not in {plan.code for plan in self.plans or ()}:
            raise NotFoundError(f"There is no plan {code}.", hint="Type: qfc users plans")
        changed = PLAN_CHANGES[change]
        self.plans = tuple(replace(plan, **changed) if plan.code == code else plan for plan in self.plans or ())
        self.full = tuple(one for one in self.full or () if (one.plan, one.what) != (code, change.value))
        if change is PlanChange.EXTERNAL_DATABASES:
            for name, has in self.directory.subscriptions.items():
                self.directory.subscriptions[name] = (
                    replace(has, has_external_databases=True) if has.plan == code else has
                )

    def _project(self, project_id: str) -> str:
        row = self.directory.project_rows[project_id]
        return f"{row.owner}/{row.name}"

    def _has(self, trouble: FileTrouble, file: StoredFile) -> bool:
        match trouble:
            case FileTrouble.TINY:
                return bool(_DATA.search(file.name)) and file.sizes[-1] < 16
            case FileTrouble.RESERVED:
                return _is_reserved(file.name)
            case FileTrouble.HIDDEN:
                return bool(_HIDDEN.search(file.name))
            case FileTrouble.SECOND_PROJECT:
                return self._is_one_of_several(file)
            case FileTrouble.IN_DATASETS:
                in_datasets = self._project(file.project_id).endswith("/shared_datasets")
                return in_datasets and bool(_PROJECT.search(file.name))

    def _is_one_of_several(self, file: StoredFile) -> bool:
        of_project = [one for one in self.stored if one.project_id == file.project_id and _PROJECT.search(one.name)]
        return len(of_project) > 1 and file in of_project

    def _is_held(self, delta_id: str) -> bool:
        holders = [self.queue.job_rows[job] for job, delta in self.queue.parts if delta == delta_id]
        return any(job.status in OPEN for job in holders)

    def _was_packaged_after(self, failed: Job) -> bool:
        ended = failed.finished_at or failed.created_at
        return any(
            job.project_id == failed.project_id
            and (job.type, job.status) == ("package", JobStatus.FINISHED)
            and job.started_at is not None
            and job.started_at > ended
            for job in self.queue.job_rows.values()
        )


def _is_reserved(name: str) -> bool:
    return bool(_RESERVED.search(name)) or any(len(part.encode()) > 255 for part in name.split("/"))


def _announced(delta: Delta) -> Iterable[str]:
    new: dict[str, Any] = (delta.content or {}).get("new") or {}
    files: dict[str, str | None] = new.get("files_sha256") or {}
    return [name for name, checksum in files.items() if checksum is not None]


def _counted(counts: Mapping[str, int]) -> tuple[ProjectCount, ...]:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(ProjectCount(name, count) for name, count in ordered)


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]

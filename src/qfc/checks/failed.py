"""Failed jobs, and edits that are not in the data, by their known reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from ..errors import RefusedError
from ..stack.delta_signatures import DELTA_SIGNATURES
from ..stack.failures import classify, classify_delta
from ..stack.job_signatures import JOB_SIGNATURES
from ..stack.model import Delta, Job, JobStatus
from ..stack.queue_changes import BULK_LIMIT
from ..stack.release_facts import TIMEOUT, TIMEOUT_S
from ..stack.signatures import Cause, Signature
from .base import Auto, Check, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import LOOK_BACK, MOST_JOBS, Evidence, named
from .releases import release_facts
from .work import time_limit_s
from .worker_address import WORKER_URL, usable_address

NOT_IN_THE_DATA = ("error", "not_applied", "conflict", "unpermitted")
#: Signatures that have checks of their own, or are nobody's fault.
REPORTED_ELSEWHERE = frozenset({"cancelled", "F08", "F10"})


def uncured_jobs(seen: Evidence) -> tuple[Job, ...]:
    """Return the last failed job of each project and type, unless a later one of the same kind finished."""

    def ask() -> tuple[Job, ...]:
        since = seen.ports.clock.now() - LOOK_BACK
        finished = seen.ports.jobs.ended(since=since, statuses=(JobStatus.FINISHED,), limit=MOST_JOBS)
        cured = {(job.project_id, job.type): job.finished_at or job.created_at for job in reversed(finished)}
        newest: dict[tuple[str, str], Job] = {}
        for job in seen.failed_jobs():
            newest.setdefault((job.project_id, job.type), job)
        return tuple(job for key, job in newest.items() if key not in cured or _end(job) > cured[key])

    return seen.once("uncured jobs", ask)


def _end(job: Job) -> datetime:
    return job.finished_at or job.updated_at or job.created_at


class JobsFailed(Check):
    """Jobs failed for one known reason, and none of their kind finished afterwards. Its id: `D04-jobs` for D04."""

    def __init__(self, signature: Signature) -> None:
        self.id, self.title, self.fix = f"{signature.id}-jobs", f"Jobs failed: {signature.title}", signature.fix  # pyright: ignore[reportAttributeAccessIssue]
        self.problems = (signature.id.partition("-")[0],)  # pyright: ignore[reportAttributeAccessIssue]
        self.severity = Severity.WARNING if signature.cause is Cause.SERVER else Severity.INFO  # pyright: ignore[reportAttributeAccessIssue]
        self._name = signature.name

    def look(self, seen: Evidence) -> str | None:
        """Look at the failed jobs of the last 7 days that no finished ones followed."""
        return _of_jobs([job for job in uncured_jobs(seen) if self._is(job)])

    def _is(self, job: Job) -> bool:
        return classify(job.feedback, job.output).signature == self._name


class RaisedSetting(JobsFailed):
    """Jobs failed at a limit among the application's settings; the repair doubles it."""

    auto = Auto.ASK

    def __init__(self, signature: Signature, setting: str, doubled: Callable[[str], str]) -> None:
        super().__init__(signature)
        self._setting, self._doubled = setting, doubled

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the limit before and after."""
        now = self._now(seen)
        return (f"{self._setting}: {now} → {self._doubled(now)}",)

    def repair(self, seen: Evidence) -> None:
        """Double the limit, recreate the workers so that they read it, and retry the jobs that failed at it."""
        runtime = seen.ports.runtime
        runtime.execute("app", ["constance", "set", self._setting, self._doubled(self._now(seen))])
        runtime.recreate(["worker_wrapper"])
        seen.ports.jobs.retry([job.id for job in uncured_jobs(seen) if self._is(job)])

    def _now(self, seen: Evidence) -> str:
        if not seen.is_deployment:
            raise RefusedError(f"This server has no setting {self._setting}.", hint=self.fix)

        def ask() -> str:
            return seen.ports.runtime.execute("app", ["constance", "get", self._setting]).stdout.strip()

        return seen.once(f"setting {self._setting}", ask)


class RaisedTimeout(RaisedSetting):
    """D04: since v26.24 the time limit is a variable of `.env`."""

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the limit before and after."""
        if not _has_timeout_in_env(seen):
            return super().difference(seen)
        now = f"{time_limit_s(seen) or TIMEOUT_S:.0f}"
        return (f"{TIMEOUT}: {now} → {_twice(now)}",)

    def repair(self, seen: Evidence) -> None:
        """Double the limit, recreate what reads it, and retry the jobs that failed at it."""
        if not _has_timeout_in_env(seen):
            super().repair(seen)
            return
        doubled = _twice(f"{time_limit_s(seen) or TIMEOUT_S:.0f}")
        seen.ports.deployment.settings.change({TIMEOUT: doubled})
        seen.ports.runtime.recreate(["app", "worker_wrapper"])
        seen.ports.jobs.retry([job.id for job in uncured_jobs(seen) if self._is(job)])


def _has_timeout_in_env(seen: Evidence) -> bool:
    facts = release_facts(seen)
    return facts is not None and facts.has_timeout_in_env


class PastNginx(JobsFailed, RepairsEnv):
    """B06: workers that bypass nginx get 500 for every file, unless the application is in debug mode."""

    severity = Severity.CRITICAL
    auto = Auto.ASK
    services = ("worker_wrapper",)
    is_alone = True

    def look(self, seen: Evidence) -> str | None:
        """Look for such failures, and for an address in .env that bypasses nginx."""
        evidence = super().look(seen)
        if evidence is None or not seen.is_deployment:
            return evidence
        url = seen.settings().get(WORKER_URL, "")
        return f"{evidence} {WORKER_URL} is {url}." if urlsplit(url).hostname == "app" else evidence

    def corrected(self, seen: Evidence) -> Values:
        """Return the address that clients use, by https, where a line of `.env` sets the one that workers use."""
        has_line = seen.is_deployment and bool(seen.settings().get(WORKER_URL))
        return usable_address(seen) if has_line else {}

    def repair(self, seen: Evidence) -> None:
        """Change the line, and retry the jobs that failed because of it."""
        super().repair(seen)
        seen.ports.jobs.retry([job.id for job in uncured_jobs(seen) if self._is(job)])


class FailedOtherwise(Check):
    """D14: only the error's type gives a hint."""

    id = "D14-jobs"
    problems = ("D14",)
    title = "Jobs failed for an unknown reason"
    severity = Severity.INFO
    fix = "List them: qfc sync failed; then read the log of each one: qfc logs --job JOB"

    def look(self, seen: Evidence) -> str | None:
        """Look for failed jobs of the last 7 days that match no known reason."""
        known = {signature.name for signature in JOB_SIGNATURES}
        failures = {job.id: classify(job.feedback, job.output) for job in uncured_jobs(seen)}
        return _of_jobs([job for job in uncured_jobs(seen) if failures[job.id].signature not in known])


class EditsFailed(Check):
    """Edits that are not in the data for one known reason. Its id: `F01-edits` for F01."""

    severity = Severity.INFO

    def __init__(self, signature: Signature) -> None:
        self.id, self.title, self.fix = f"{signature.id}-edits", f"Edits not applied: {signature.title}", signature.fix  # pyright: ignore[reportAttributeAccessIssue]
        self.problems = (signature.id.partition("-")[0],)  # pyright: ignore[reportAttributeAccessIssue]
        self._name = signature.name

    def look(self, seen: Evidence) -> str | None:
        """Look at the reasons why edits are not in the data."""
        found = [one for one in not_in_the_data(seen) if (why := classify_delta(one)) and why.signature == self._name]
        if not found:
            return None
        last = f"{found[-1].created_at:%Y-%m-%d %H:%M} UTC"
        return f"{len(found)} by {named(one.created_by for one in found)} in {_projects(found)}, the last from {last}."


def not_in_the_data(seen: Evidence) -> tuple[Delta, ...]:
    """Return the edits that ended without being applied, in order of arrival."""
    return seen.once(
        "edits not in the data", lambda: seen.ports.jobs.deltas(statuses=NOT_IN_THE_DATA, limit=BULK_LIMIT)
    )


def _of_jobs(jobs: Sequence[Job]) -> str | None:
    if not jobs:
        return None
    return f"{len(jobs)} in {_projects(jobs)}, the last at {max(map(_end, jobs)):%Y-%m-%d %H:%M} UTC."


def _projects(found: Sequence[Job | Delta]) -> str:
    return named(one.project for one in found)


def _twice(number: str) -> str:
    """Return twice a number that may have a unit: 600, 1000m."""
    digits = number.rstrip("bkmgBKMG")
    return f"{int(digits) * 2}{number[len(digits) :]}"


def _check(signature: Signature) -> Check:
    match signature.id:
        case "D04":
            return RaisedTimeout(signature, "WORKER_TIMEOUT_S", _twice)
        case "D05" | "C11":
            return RaisedSetting(signature, "WORKER_QGIS_MEMORY_LIMIT", _twice)
        case "B06":
            return PastNginx(signature)
        case _:
            return JobsFailed(signature)


FAILED: tuple[Check, ...] = (
    *(_check(one) for one in JOB_SIGNATURES if one.id not in REPORTED_ELSEWHERE),
    FailedOtherwise(),
    *(EditsFailed(one) for one in DELTA_SIGNATURES if one.id not in REPORTED_ELSEWHERE),
)

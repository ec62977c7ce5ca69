"""Jobs, workers, projects, edits and people: what keeps a sync from coming to its end."""

from __future__ import annotations

from datetime import timedelta

from ..errors import RefusedError
from ..stack.model import JobStatus, Service, Subscription, User
from ..stack.queue import BEGIN_S, living_workers, short
from ..stack.queue_changes import BULK_LIMIT
from .base import Auto, Check, Severity
from .evidence import Evidence, as_held

WORKER, DATABASE = "worker_wrapper", "db"
#: A worker may be at a job for that long before an official server ends it, in seconds, and the server's own clean-up
#: comes a few minutes later.
WORK_S = 900
#: A lock on a project that lasts so long was forgotten.
LOCK = timedelta(hours=1)
#: Named one by one in a sentence.
NAMED = 3
#: States of edits that were pushed and are not in the data, though no job holds them any more.
LOST = ("error", "not_applied")


class NoWorker(Check):
    """D11: jobs wait and nobody takes them."""

    id = "D11"
    title = "No worker runs"
    severity = Severity.CRITICAL
    fix = "Start the workers: qfc workers restart"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the workers that run with what is wanted."""
        service = seen.services().get(WORKER)
        if service is None or service.running or not service.wanted:
            return None
        waiting = seen.queue().depth.pending
        return f"None of {service.wanted} workers runs; {waiting} jobs wait."

    def repair(self, seen: Evidence) -> None:
        """Start those that are missing."""
        seen.ports.runtime.start([WORKER])


class FewWorkers(NoWorker):
    """D11, its beginning: some workers are missing."""

    id = "D11-few"
    title = "Workers are missing"
    severity = Severity.WARNING
    fix = "See why they ended: qfc logs --service worker_wrapper; then qfc workers restart"

    def look(self, seen: Evidence) -> str | None:
        """Compare the workers that run with what is wanted."""
        service = seen.services().get(WORKER)
        if service is None or not 0 < service.running < service.wanted:
            return None
        return f"{service.running} of {service.wanted} workers run."


class LostBeforeItBegan(Check):
    """D07: a job left between two states blocks its project for ever."""

    id = "D07"
    title = "A job that was never begun blocks its project"
    severity = Severity.CRITICAL
    fix = "Let it wait again: qfc jobs cleanup --older 5m"
    auto = Auto.SAFE
    older_s = BEGIN_S
    status = JobStatus.QUEUED

    def look(self, seen: Evidence) -> str | None:
        """Look for jobs that are held by nobody."""
        lost = [job for job in seen.lost_jobs(older_s=self.older_s) if job.status is self.status]
        if not lost:
            return None
        blocked = {job.project_id for job in lost}
        behind = sum(job.project_id in blocked for job in seen.queue().pending)
        named = ", ".join(f"{short(job.id)} of {job.project}" for job in lost[:NAMED])
        return f"{len(lost)} {self.status} without a living worker: {named}; {behind} jobs wait behind."

    def repair(self, seen: Evidence) -> None:
        """Take them from their dead workers, with their edits."""
        lost = [job for job in seen.lost_jobs(older_s=self.older_s) if job.status is self.status]
        seen.ports.jobs.release([as_held(job) for job in lost])


class LostAtWork(LostBeforeItBegan):
    """D08: a job whose worker died."""

    id = "D08"
    title = "A job whose worker died blocks its project"
    fix = "Let it wait again: qfc jobs cleanup --older 15m"
    older_s = WORK_S
    status = JobStatus.STARTED


class LockedProject(Check):
    """A project that somebody locked and forgot."""

    id = "D11-locked"
    title = "A project is locked for long"
    severity = Severity.WARNING
    fix = "Unlock it in the admin, if nobody works at it"

    def look(self, seen: Evidence) -> str | None:
        """Look for old locks in front of which jobs wait."""
        now = seen.queue().at
        waiting = {job.project_id for job in seen.queue().pending}
        locked = [one for one in seen.projects() if one.locked_at is not None and now - one.locked_at > LOCK]
        named = [f"{one.owner}/{one.name}" for one in locked if one.id in waiting]
        return f"Jobs wait for {', '.join(named[:NAMED])}, locked for more than an hour." if named else None


class LostEdits(Check):
    """F09: a device says synced, and the edit is not in the data."""

    id = "F09"
    title = "Edits that were pushed are not in the data"
    severity = Severity.WARNING
    fix = "Look at them: qfc deltas list --status error; then qfc deltas reapply --all"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Count the edits that no job will apply."""
        lost = seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT)
        if not lost:
            return None
        projects = ", ".join(list(dict.fromkeys(one.project for one in lost))[:NAMED])
        oldest = min(one.created_at for one in lost)
        more = " or more" if len(lost) == BULK_LIMIT else ""
        return f"{len(lost)}{more} edits in {projects}, the oldest of {oldest:%Y-%m-%d %H:%M} UTC."

    def repair(self, seen: Evidence) -> None:
        """Apply them again, in the order of their arrival."""
        lost = seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT)
        seen.ports.jobs.reapply([one.id for one in lost if not one.is_in_doubt])


class FailedByTheServer(Check):
    """Projects that are failed though nothing is wrong with them: what they failed of was the server's fault."""

    id = "E09"
    title = "Projects failed by a fault of the server"
    severity = Severity.WARNING
    fix = "When the cause is gone: qfc jobs retry --type process_projectfile --status failed"
    auto = Auto.SAFE
    #: Signatures that say nothing against the project: network, image, release, worker, memory, folder, store.
    causes = ("D01", "D02", "D03", "D05", "D08", "D10", "D15", "D16", "A11", "B06", "C00")

    def look(self, seen: Evidence) -> str | None:
        """Look for failed projects whose last description failed of such a thing."""
        jobs = self._jobs(seen)
        failed = [one for one in seen.projects() if one.id in jobs]
        named = ", ".join(f"{one.owner}/{one.name}" for one in failed[:NAMED])
        return f"{len(failed)} projects: {named}." if failed else None

    def repair(self, seen: Evidence) -> None:
        """Try their last descriptions again."""
        seen.ports.jobs.retry(list(self._jobs(seen).values()))

    def _jobs(self, seen: Evidence) -> dict[str, str]:
        failed = {one.id for one in seen.projects() if one.status == "failed"}
        newest = {job.project_id: job for job in reversed(seen.failed_jobs()) if job.type == "process_projectfile"}
        of_the_server = {job.id for job in seen.failed_of(*self.causes)}
        return {name: job.id for name, job in newest.items() if name in failed and job.id in of_the_server}


class InactiveSubscription(Check):
    """H01: an account may do nothing."""

    id = "H01"
    title = "The subscription of an account is inactive"
    severity = Severity.CRITICAL
    fix = "Give it a plan: qfc users quota NAME --plan PLAN"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look at the owners of projects."""
        inactive = [f"{name} ({one.status})" for name, one in self._inactive(seen).items()]
        return f"They own projects: {', '.join(inactive[:NAMED])}." if inactive else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the states as they are and as they would be."""
        found = self._inactive(seen)
        return tuple(f"{name}, plan {one.plan}: {one.status} → active_paid" for name, one in found.items())

    def repair(self, seen: Evidence) -> None:
        """Give each account the plan that it has: that makes it active."""
        for name, one in self._inactive(seen).items():
            seen.ports.directory.set_plan(name, one.plan)

    def _inactive(self, seen: Evidence) -> dict[str, Subscription]:
        def ask() -> dict[str, Subscription]:
            owners = sorted({one.owner for one in seen.projects()})
            found = {name: seen.ports.directory.subscription(name) for name in owners}
            return {name: one for name, one in found.items() if one is not None and not one.is_active}

        return seen.once("inactive subscriptions", ask)


class QuotaUsedUp(Check):
    """H03: no file is taken any more."""

    id = "H03"
    title = "The storage quota of an account is used up"
    severity = Severity.CRITICAL
    fix = "More: qfc users quota NAME --set SIZE; or fewer old versions of files"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare what accounts store with what they may."""
        over = [f"{one.username} ({_megabytes(one.storage_used_bytes)} of {_quota(one)} MB)" for one in _over(seen)]
        return f"Used up by {', '.join(over[:NAMED])}." if over else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the quotas as they are and as they would be."""
        return tuple(f"{one.username}: {_quota(one)} → {_megabytes(_roomy(one))} MB" for one in _over(seen))

    def repair(self, seen: Evidence) -> None:
        """Add so much storage that a part of it is free again."""
        directory = seen.ports.directory
        for one in _over(seen):
            known = directory.subscription(one.username)
            if known is None:
                raise RefusedError(f"{one.username} has no subscription.", hint=self.fix)
            directory.set_added_storage(one.username, _roomy(one) - known.plan_bytes)


def _over(seen: Evidence) -> list[User]:
    return [
        one
        for one in seen.users()
        if one.is_active and one.storage_quota_bytes and one.storage_used_bytes >= one.storage_quota_bytes
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}"


def _quota(user: User) -> str:
    return _megabytes(user.storage_quota_bytes or 0)


def _roomy(user: User) -> int:
    """Return the quota of which an account would use four fifths."""
    return user.storage_used_bytes * 5 // 4


class NobodyIsListed(Check):
    """D12: workers run, and none of them reaches the database that the application uses."""

    id = "D12"
    title = "Workers run and do not reach the database"
    severity = Severity.CRITICAL
    fix = "See what they say: qfc logs --service worker_wrapper"

    def look(self, seen: Evidence) -> str | None:
        """Compare the processes with the list that they keep in the database."""
        service, snapshot = seen.services().get(WORKER), seen.queue()
        if snapshot.workers is None or service is None or not service.running or living_workers(snapshot):
            return None
        # Workers look for a database that was started anew for some seconds.
        database = seen.services().get(DATABASE)
        uptime = min(_uptime_s(one) for one in (service, database) if one is not None)
        return f"{service.running} workers run, none is known to the database." if uptime > BEGIN_S / 10 else None


def _uptime_s(service: Service) -> float:
    return max((one.uptime_s or 0 for one in service.instances), default=0)


SYNCHRONISATION: tuple[Check, ...] = (
    NoWorker(),
    FewWorkers(),
    NobodyIsListed(),
    LostBeforeItBegan(),
    LostAtWork(),
    LockedProject(),
    LostEdits(),
    FailedByTheServer(),
    InactiveSubscription(),
    QuotaUsedUp(),
)

"""Jobs, workers, projects, edits and accounts: problems that keep a sync from finishing."""

from __future__ import annotations

from datetime import timedelta

from ..errors import RefusedError
from ..stack.drains import FIX
from ..stack.model import JobStatus, Service, Subscription, User
from ..stack.queue import BEGIN_S, living_workers, short
from .base import Auto, Check, Severity
from .evidence import Evidence, as_held, counted
from .lost_edits import LostEdits

WORKER, DATABASE = "worker_wrapper", "db"
#: Seconds after which an official server ends a job; its own clean-up follows a few minutes later.
WORK_S = 900
#: A project's lock of this age was forgotten.
LOCK = timedelta(hours=1)
#: How many names a sentence lists.
NAMED = 3


class NoWorker(Check):
    """D11: jobs wait and nothing picks them up."""

    id = "D11"
    title = "No worker is running"
    severity = Severity.CRITICAL
    fix = "Start the workers: qfc workers restart"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the number of running workers with the configured one."""
        service = seen.services().get(WORKER)
        if service is None or service.running or not service.wanted or seen.drain():
            return None
        waiting = seen.queue().depth.pending
        return f"0 of {service.wanted} workers are running; {counted(waiting, 'job')} waiting."

    def repair(self, seen: Evidence) -> None:
        """Start the missing workers."""
        seen.ports.runtime.start([WORKER])


class FewWorkers(NoWorker):
    """D11, before it happens: some workers are missing."""

    id = "D11-few"
    title = "Some workers are not running"
    severity = Severity.WARNING
    fix = "See why they ended: qfc logs --service worker_wrapper; then: qfc workers restart"

    def look(self, seen: Evidence) -> str | None:
        """Compare the number of running workers with the configured one."""
        service = seen.services().get(WORKER)
        if service is None or not 0 < service.running < service.wanted or seen.drain():
            return None
        return f"{service.running} of {service.wanted} workers are running."


class DrainedWorkers(Check):
    """D11, on purpose: somebody works on the stack and does not want workers to be started."""

    id = "D11-drained"
    title = "The workers are drained"
    severity = Severity.INFO
    fix = FIX

    def look(self, seen: Evidence) -> str | None:
        """Read who stopped the workers with qfc workers drain, and when."""
        drain, service = seen.drain(), seen.services().get(WORKER)
        if drain is None or service is None:
            return None
        running = f" {service.running} of {service.wanted} were started since." if service.running else ""
        return f"{drain.sentence}{running}"


class LostBeforeStart(Check):
    """D07: a job that is stuck between two states blocks its project for ever."""

    id = "D07"
    title = "A job that never started blocks its project"
    severity = Severity.CRITICAL
    fix = "Requeue it: qfc jobs cleanup --older 5m"
    auto = Auto.SAFE
    older_s = BEGIN_S
    status = JobStatus.QUEUED

    def look(self, seen: Evidence) -> str | None:
        """Look for active jobs without a living worker."""
        lost = [job for job in seen.lost_jobs(older_s=self.older_s) if job.status is self.status]
        if not lost:
            return None
        blocked = {job.project_id for job in lost}
        behind = sum(job.project_id in blocked for job in seen.queue().pending)
        named = ", ".join(f"{short(job.id)} of {job.project}" for job in lost[:NAMED])
        jobs = counted(len(lost), f"{self.status} job")
        return f"{jobs} without a living worker: {named}; {counted(behind, 'job')} waiting behind."

    def repair(self, seen: Evidence) -> None:
        """Requeue the jobs of dead workers, with their edits."""
        lost = [job for job in seen.lost_jobs(older_s=self.older_s) if job.status is self.status]
        seen.ports.jobs.release([as_held(job) for job in lost])


class LostAtWork(LostBeforeStart):
    """D08: a job whose worker died."""

    id = "D08"
    title = "A job whose worker died blocks its project"
    fix = "Requeue it: qfc jobs cleanup --older 15m"
    older_s = WORK_S
    status = JobStatus.STARTED


class LockedProject(Check):
    """A project that somebody locked and forgot."""

    id = "D11-locked"
    title = "A project has been locked for too long"
    severity = Severity.WARNING
    fix = "If nobody works on it, unlock it in the admin"

    def look(self, seen: Evidence) -> str | None:
        """Look for jobs that wait for a project locked more than an hour ago."""
        now = seen.queue().at
        waiting = {job.project_id for job in seen.queue().pending}
        locked = [one for one in seen.projects() if one.locked_at is not None and now - one.locked_at > LOCK]
        named = [f"{one.owner}/{one.name}" for one in locked if one.id in waiting]
        return f"Jobs wait for {', '.join(named[:NAMED])}, locked more than an hour ago." if named else None


class FailedByTheServer(Check):
    """Projects that count as failed although nothing is wrong with them: the server was at fault."""

    id = "E09"
    title = "Projects failed because of a server fault"
    severity = Severity.WARNING
    fix = "Remove the cause; then: qfc jobs retry --type process_projectfile --status failed"
    auto = Auto.SAFE
    #: Signatures of server faults: network, image, release, worker, memory, folder, store.
    causes = ("D01", "D02", "D03", "D05", "D08", "D10", "D15", "D16", "A11", "B06", "C00")

    def look(self, seen: Evidence) -> str | None:
        """Look for failed projects whose last process_projectfile job failed because of the server."""
        jobs = self._jobs(seen)
        failed = [one for one in seen.projects() if one.id in jobs]
        named = ", ".join(f"{one.owner}/{one.name}" for one in failed[:NAMED])
        return f"{counted(len(failed), 'project')}: {named}." if failed else None

    def repair(self, seen: Evidence) -> None:
        """Retry their last process_projectfile jobs."""
        seen.ports.jobs.retry(list(self._jobs(seen).values()))

    def _jobs(self, seen: Evidence) -> dict[str, str]:
        failed = {one.id for one in seen.projects() if one.status == "failed"}
        newest = {job.project_id: job for job in reversed(seen.failed_jobs()) if job.type == "process_projectfile"}
        of_the_server = {job.id for job in seen.failed_of(*self.causes)}
        return {name: job.id for name, job in newest.items() if name in failed and job.id in of_the_server}


class InactiveSubscription(Check):
    """H01: the account can do nothing."""

    id = "H01"
    title = "The subscription of a project's owner is inactive"
    severity = Severity.CRITICAL
    fix = "Give the account a plan: qfc users quota NAME --plan PLAN"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Read the subscriptions of the owners of projects."""
        inactive = [f"{name} ({one.status})" for name, one in self._inactive(seen).items()]
        return f"Inactive: {', '.join(inactive[:NAMED])}." if inactive else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the states before and after."""
        found = self._inactive(seen)
        return tuple(f"{name}, plan {one.plan}: {one.status} → active_paid" for name, one in found.items())

    def repair(self, seen: Evidence) -> None:
        """Set each account's present plan again, which activates the account."""
        for name, one in self._inactive(seen).items():
            seen.ports.directory.set_plan(name, one.plan)

    def _inactive(self, seen: Evidence) -> dict[str, Subscription]:
        def ask() -> dict[str, Subscription]:
            owners = sorted({one.owner for one in seen.projects()})
            found = {name: seen.ports.directory.subscription(name) for name in owners}
            return {name: one for name, one in found.items() if one is not None and not one.is_active}

        return seen.once("inactive subscriptions", ask)


class QuotaUsedUp(Check):
    """H03: the server refuses every further file."""

    id = "H03"
    title = "The storage quota of an account is used up"
    severity = Severity.CRITICAL
    fix = "Delete old versions of files, or raise the quota: qfc users quota NAME --set SIZE"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare the used storage of accounts with their quotas."""
        over = [f"{one.username} ({_megabytes(one.storage_used_bytes)} of {_quota(one)} MB)" for one in _over(seen)]
        return f"Used up by {', '.join(over[:NAMED])}." if over else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the quotas before and after."""
        return tuple(f"{one.username}: {_quota(one)} → {_megabytes(_roomy(one))} MB" for one in _over(seen))

    def repair(self, seen: Evidence) -> None:
        """Add storage, until the account uses four fifths of its quota."""
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


class NoWorkerRegistered(Check):
    """D12: workers run, but none of them reaches the database that the application uses."""

    id = "D12"
    title = "Running workers do not reach the database"
    severity = Severity.CRITICAL
    fix = "Read their log: qfc logs --service worker_wrapper"

    def look(self, seen: Evidence) -> str | None:
        """Compare the running workers with those registered in the database."""
        service, snapshot = seen.services().get(WORKER), seen.queue()
        if snapshot.workers is None or service is None or not service.running or living_workers(snapshot):
            return None
        # Workers need some seconds to reconnect to a database that was restarted.
        database = seen.services().get(DATABASE)
        uptime = min(_uptime_s(one) for one in (service, database) if one is not None)
        if uptime <= BEGIN_S / 10:
            return None
        return f"{counted(service.running, 'worker')} running, but none is registered in the database."


def _uptime_s(service: Service) -> float:
    return max((one.uptime_s or 0 for one in service.instances), default=0)


SYNCHRONISATION: tuple[Check, ...] = (
    NoWorker(),
    FewWorkers(),
    DrainedWorkers(),
    NoWorkerRegistered(),
    LostBeforeStart(),
    LostAtWork(),
    LockedProject(),
    LostEdits(),
    FailedByTheServer(),
    InactiveSubscription(),
    QuotaUsedUp(),
)

"""The number of workers, as a week of work judges it."""

from __future__ import annotations

from datetime import timedelta

from ..stack.capacity import ROOM, WEEK_DAYS, History, Target, enough, missed, poll_s
from .base import Check, Severity
from .evidence import Evidence

WORKER = "worker_wrapper"
#: The newest jobs of the week that are looked at: more would not change the answer.
MOST_JOBS = 100_000
TARGET = Target()


class TargetMissed(Check):
    """People wait for packages every day, and nobody says so."""

    id = "capacity-missed"
    title = "Jobs waited too long on every day of the last week"
    severity = Severity.INFO
    fix = "See what would help, more workers or smaller projects: qfc capacity advise"

    def look(self, seen: Evidence) -> str | None:
        """Compare the waits of each day with jobs with the target that `qfc capacity` has."""
        found = missed(week(seen), TARGET)
        if found is None:
            return None
        return (
            f"On each of {found.days} days, 5 % of the jobs waited {TARGET.seconds:.0f} s or longer (95 % within "
            f"{found.wait_s:.0f} s); {found.for_workers:.0%} of the waiting was for a free worker."
        )


class WorkersIdle(Check):
    """Workers that nobody needs hold memory that jobs could use."""

    id = "capacity-idle"
    title = "Fewer workers would do"
    severity = Severity.INFO
    fix = "Ask for the advice with its proof, then follow it: qfc capacity advise; qfc workers scale N"

    def look(self, seen: Evidence) -> str | None:
        """Serve the jobs of the last week again with fewer workers, in a simulation."""
        service = seen.services().get(WORKER)
        workers = service.wanted if service else 0
        needed = enough(week(seen), workers, TARGET, poll_s=poll_s(official=seen.is_deployment))
        if needed is None:
            return None
        soon = f"95 % within {TARGET.seconds * ROOM:.0f} s"
        return f"{needed} of {workers} workers would have served the last week's jobs, {soon}."


def week(seen: Evidence) -> History:
    """Return the work of the last week."""

    def ask() -> History:
        now = seen.ports.clock.now()
        begin = now - timedelta(days=WEEK_DAYS)
        return History(seen.ports.jobs.worked(since=begin, limit=MOST_JOBS), begin.timestamp(), now.timestamp())

    return seen.once("week of work", ask)


CAPACITY: tuple[Check, ...] = (TargetMissed(), WorkersIdle())

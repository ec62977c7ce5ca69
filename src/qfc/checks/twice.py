"""Edits that wait in several jobs: an official worker applies them in each job, and features are duplicated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..stack.model import Job
from ..stack.queue import short
from ..stack.queue_changes import BULK_LIMIT
from .base import Auto, Check, Severity
from .evidence import Evidence, counted, named

APPLY = "delta_apply"


class WaitingTwice(Check):
    """Seen on a real server: a push while an apply job waits creates another job that contains the earlier edits."""

    id = "twice"
    title = "Edits wait in several jobs and would be applied several times"
    severity = Severity.WARNING
    fix = "The last job has all edits; cancel the earlier ones before a worker starts them: qfc jobs cancel JOB"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare the edits of apply jobs that wait for the same project."""
        found = self._spare(seen)
        if not found:
            return None
        return f"{counted(len(found), 'job')} with only edits that later jobs contain: {named(map(_called, found))}."

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the jobs that would be cancelled."""
        return tuple(
            f"job {_called(job)}: pending → stopped; its edits wait in a later job" for job in self._spare(seen)
        )

    def repair(self, seen: Evidence) -> None:
        """Cancel the jobs, unless a worker has picked them up meanwhile. Edits keep waiting in their later jobs."""
        seen.ports.jobs.cancel([job.id for job in self._spare(seen)], only_waiting=True)

    def _spare(self, seen: Evidence) -> tuple[Job, ...]:
        """Return waiting jobs without edits of their own; none on a server whose workers skip applied edits."""
        if seen.queue().workers is not None:
            return ()
        return seen.once("spare apply jobs", lambda: tuple(spare(_edits_by_job(seen))))


def _edits_by_job(seen: Evidence) -> list[tuple[Job, frozenset[str]]]:
    """Return the waiting apply jobs of projects that have several, with their edits; the oldest first."""
    waiting = [job for job in seen.queue().pending if job.type == APPLY]
    several = [job for job in waiting if sum(job.project_id == one.project_id for one in waiting) > 1]
    jobs = seen.ports.jobs
    return [(job, frozenset(one.id for one in jobs.deltas(job_id=job.id, limit=BULK_LIMIT))) for job in several]


def spare(jobs: Sequence[tuple[Job, frozenset[str]]]) -> Iterator[Job]:
    """Yield the jobs whose edits are all in a later job of their project."""
    for number, (job, edits) in enumerate(jobs, 1):
        later = [others for other, others in jobs[number:] if other.project_id == job.project_id]
        if edits and any(edits <= others for others in later):
            yield job


def _called(job: Job) -> str:
    return f"{short(job.id)} of {job.project}"


TWICE: tuple[Check, ...] = (WaitingTwice(),)

"""The queue, the users and the projects of a stack, as its database has them, and changes to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..capacity import PastJob
    from ..model import (
        DatabaseStatus,
        Delta,
        Held,
        Job,
        JobStatistics,
        JobStatus,
        Plan,
        Project,
        QueueChange,
        QueueDepth,
        QueueSnapshot,
        Released,
        Subscription,
        User,
        Worker,
    )


class Workload(Protocol):
    """The amount of work, and the workers. A runtime may know these without the database."""

    def depth(self) -> QueueDepth:
        """Count the jobs that wait and run."""
        ...

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers."""
        ...


class JobStore(Protocol):
    """The rows of jobs and deltas in a stack's database. Every query is bounded."""

    def jobs(
        self,
        *,
        statuses: Sequence[JobStatus] = (),
        project_id: str | None = None,
        type: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Job, ...]:
        """Return jobs that match all filters, the newest first, without output and feedback."""
        ...

    def job(self, job_id: str) -> Job:
        """Return one job with output and feedback. Raises NotFoundError."""
        ...

    def deltas(
        self,
        *,
        statuses: Sequence[str] = (),
        project_id: str | None = None,
        job_id: str | None = None,
        created_by: str | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Delta, ...]:
        """Return deltas that match all filters, in order of arrival, without content.

        `created_by` is a user name; with `before`, only deltas that arrived before that time are returned.
        """
        ...

    def reset_jobs(self, job_ids: Sequence[str], *, allowed: Sequence[JobStatus], to: JobStatus) -> tuple[str, ...]:
        """Change the status of jobs whose status is `allowed`, under row locks; return the ids of the changed jobs."""
        ...


class JobHistory(Protocol):
    """The history of jobs and deltas."""

    def delta_contents(self, project_id: str, *, after: Delta | None = None, limit: int = 1000) -> tuple[Delta, ...]:
        """Return deltas of a project with the content that devices sent, in order of arrival, from `after` onwards.

        `after` itself is not included.
        """
        ...

    def ended(self, *, since: datetime, statuses: Sequence[JobStatus] = (), limit: int = 50) -> tuple[Job, ...]:
        """Return the jobs that have ended since a time, the latest first.

        Failed and stopped ones include the end of their output, and the parts of their feedback about the error.
        """
        ...

    def statistics(self, *, since: datetime) -> JobStatistics:
        """Count the jobs that have ended since a time, and measure their durations."""
        ...

    def worked(self, *, since: datetime, limit: int = 200_000) -> tuple[PastJob, ...]:
        """Return the newest jobs that were created since a time, started and ended, in order of their creation."""
        ...

    def project_names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names (`owner/name`) of projects by id, without those that are gone."""
        ...

    def delta(self, delta_id: str) -> Delta:
        """Return one delta with content and feedback. Raises NotFoundError."""
        ...


class Queue(Protocol):
    """The queue as a whole, and the changes that an operator can make to it.

    Every change checks the state under row locks, happens in one transaction, notifies the workers, and reports what it
    left unchanged and why. With `dry_run`, all of that is done and then rolled back. At most 1000 ids at a time.
    Apply jobs that are requeued or new come before the package jobs that wait for their project.
    """

    def snapshot(self, *, limit: int = 200) -> QueueSnapshot:
        """Return the queue at one moment, with at most `limit` jobs per list."""
        ...

    def retry(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Requeue failed and stopped jobs, with those of their deltas that are not in the data.

        A job is left unchanged if one of its deltas may be in the data without a record of that.
        """
        ...

    def cancel(self, job_ids: Sequence[str], *, only_waiting: bool = False, dry_run: bool = False) -> QueueChange:
        """Stop jobs that wait or run, or only those that wait; their deltas wait again, without a job."""
        ...

    def unlock(self, project_ids: Sequence[str], *, locked_before: datetime, dry_run: bool = False) -> tuple[str, ...]:
        """Unlock projects that were locked before a time and have no active job; return the ids of the unlocked."""
        ...

    def move_to_front(self, job_id: str) -> None:
        """Make a waiting job the next one, by making it the oldest. For our own jobs only."""
        ...

    def release(self, held: Sequence[Held], *, dry_run: bool = False) -> Released:
        """Release jobs of dead workers: requeue them, or fail those whose edits may be in the data already."""
        ...

    def reapply(self, delta_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Create new apply jobs, one per project, for deltas that are not in the data, in order of their arrival."""
        ...


class QueueStore(JobStore, JobHistory, Queue, Protocol):
    """Everything that a stack's database has about its work, and every change to it."""


class DatabaseQueue(QueueStore, Workload, Protocol):
    """The work as the database alone shows it: `workers` are those that registered themselves in it."""


class Directory(Protocol):
    """The users and projects of a stack, as its database has them."""

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        """Return the accounts of users and organizations, sorted by name."""
        ...

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        """Return projects, the most recently changed first."""
        ...

    def project(self, name: str) -> Project:
        """Return a project by its id or by `owner/name`. Raises NotFoundError."""
        ...

    def set_active(self, username: str, active: bool) -> int:
        """Allow a user to log in, or forbid it and end all their tokens. Raises NotFoundError.

        Return the number of tokens ended.
        """
        ...

    def subscription(self, username: str) -> Subscription | None:
        """Return an account's present subscription; None where the server or the account has none."""
        ...

    def plans(self) -> tuple[Plan, ...]:
        """Return the server's plans."""
        ...

    def set_added_storage(self, username: str, added_bytes: int) -> int:
        """Set an account's storage beyond its plan, from now on; return the bytes that are really added.

        Raises NotFoundError for an account without a subscription.
        """
        ...

    def set_plan(self, username: str, code: str) -> None:
        """Set an account's plan, and make the account active. Raises NotFoundError."""
        ...

    def end_tokens(self, username: str) -> int:
        """End all tokens of a user; return their number."""
        ...

    def responsible(self, project_id: str) -> str:
        """Return the user who may do anything with a project: its owner, or the owner of its organization."""
        ...

    def responsible_for_account(self, username: str) -> str:
        """Return the user who acts for an account: itself, or an organization's owner. Raises NotFoundError."""
        ...

    def setting(self, name: str) -> str | None:
        """Return a value from the application's table of settings, as stored; None without one."""
        ...

    def rows_of(self, table: str) -> int | None:
        """Count the rows of a table; None where the database has no such table."""
        ...

    def applied_migrations(self) -> tuple[str, ...]:
        """Return the applied migrations, as app.name, in the order in which they were applied."""
        ...

    def changes_since(self, moment: datetime) -> Mapping[str, int]:
        """Count the deltas, projects and files that are newer than a time."""
        ...

    def stored_bytes(self) -> int:
        """Return the bytes of all versions of all projects' files, as the application counts them."""
        ...

    def open_session(self, username: str, *, seconds: int) -> str:
        """Create an API token of a user that expires after some seconds. Raises NotFoundError."""
        ...

    def close_session(self, token: str) -> None:
        """End a token and delete it; harmless when it does not exist."""
        ...

    def vacuum(self) -> tuple[str, ...]:
        """Vacuum and analyze the tables that need it; return their names."""
        ...

    def database(self) -> DatabaseStatus:
        """Return facts about the database itself."""
        ...

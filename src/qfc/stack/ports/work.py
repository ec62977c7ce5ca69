"""What a stack's database says about its work and its people, and lets do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

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
    """How much there is to do, and who does it. What runs the services may know it without asking the database."""

    def depth(self) -> QueueDepth:
        """Count what waits and runs."""
        ...

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers."""
        ...


class JobStore(Protocol):
    """The rows that a stack's database holds about its work. Every query is bounded."""

    def jobs(
        self,
        *,
        statuses: Sequence[JobStatus] = (),
        project_id: str | None = None,
        type: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first, without output and feedback."""
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
        """Return deltas in the order of arrival, without content: of one person, or that came before a moment."""
        ...

    def reset_jobs(self, job_ids: Sequence[str], *, allowed: Sequence[JobStatus], to: JobStatus) -> tuple[str, ...]:
        """Change the status of jobs that have one of the allowed ones, under a row lock; return the ids changed."""
        ...


class JobHistory(Protocol):
    """What became of jobs and deltas."""

    def delta_contents(self, project_id: str, *, after: Delta | None = None, limit: int = 1000) -> tuple[Delta, ...]:
        """Return deltas of a project with what devices sent, in the order of arrival, those after one that is given."""
        ...

    def ended(self, *, since: datetime, statuses: Sequence[JobStatus] = (), limit: int = 50) -> tuple[Job, ...]:
        """Return jobs that ended since then, the last one first.

        Those that did not finish have the end of their output, and of their feedback only what describes the error.
        """
        ...

    def statistics(self, *, since: datetime) -> JobStatistics:
        """Count and measure the jobs that ended since then."""
        ...

    def delta(self, delta_id: str) -> Delta:
        """Return one delta with content and feedback. Raises NotFoundError."""
        ...


class Queue(Protocol):
    """The queue as a whole, and what an operator may do with it.

    Every change checks the state under row locks, happens in one transaction, is announced to the workers, and reports
    what it left alone and why. With `dry_run` all of that is done and then rolled back. At most 1000 ids at a time.
    Jobs with edits that wait again, or are made anew, come before the packages that wait for their project.
    """

    def snapshot(self, *, limit: int = 200) -> QueueSnapshot:
        """Return the queue at one moment."""
        ...

    def retry(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Let failed and stopped jobs wait again, with those of their deltas that never arrived.

        A job of which a delta may be in the data though nobody wrote that down is left alone.
        """
        ...

    def cancel(self, job_ids: Sequence[str], *, only_waiting: bool = False, dry_run: bool = False) -> QueueChange:
        """Stop jobs that wait or run, or only those that wait; their deltas wait again, without a job."""
        ...

    def unlock(self, project_ids: Sequence[str], *, locked_before: datetime, dry_run: bool = False) -> tuple[str, ...]:
        """Unlock projects that were locked before a moment and that no job works at; return the ids of these."""
        ...

    def move_to_front(self, job_id: str) -> None:
        """Let a waiting job be the next one: it counts as the oldest. For jobs of our own only."""
        ...

    def release(self, held: Sequence[Held], *, dry_run: bool = False) -> Released:
        """Take jobs from workers that died: they wait again, or are failed where their edits may be in the data."""
        ...

    def reapply(self, delta_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Make new apply jobs, one a project, of deltas that never arrived, in the order of their arrival."""
        ...


class QueueStore(JobStore, JobHistory, Queue, Protocol):
    """All that a stack's database says about its work, and lets do with it."""


class DatabaseQueue(QueueStore, Workload, Protocol):
    """The work as the database alone knows it: `workers` are those that have told it that they live."""


class Directory(Protocol):
    """The people and the projects of a stack, as its database knows them."""

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        """Return accounts of people and organizations, in the order of names."""
        ...

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        """Return projects, the most recently changed first."""
        ...

    def project(self, name: str) -> Project:
        """Return a project by its id or by `owner/name`. Raises NotFoundError."""
        ...

    def set_active(self, username: str, active: bool) -> int:
        """Let a person log in, or not and end all tokens; return the number of tokens ended. Raises NotFoundError."""
        ...

    def subscription(self, username: str) -> Subscription | None:
        """Return what an account may use now; None when the server keeps no subscriptions, or the account has none."""
        ...

    def plans(self) -> tuple[Plan, ...]:
        """Return the server's plans."""
        ...

    def set_added_storage(self, username: str, added_bytes: int) -> int:
        """Let an account store so much beyond its plan, from now on; return the bytes that it really is.

        Raises NotFoundError for an account without a subscription.
        """
        ...

    def set_plan(self, username: str, code: str) -> None:
        """Give an account another plan, and make it active. Raises NotFoundError."""
        ...

    def end_tokens(self, username: str) -> int:
        """End all tokens of a person; return their number."""
        ...

    def responsible(self, project_id: str) -> str:
        """Return the person who may do anything with a project: its owner, or that of the owning organization."""
        ...

    def responsible_for_account(self, username: str) -> str:
        """Return the person who acts for an account: itself, or the owner of an organization. Raises NotFoundError."""
        ...

    def setting(self, name: str) -> str | None:
        """Return a stored value of the application's table of settings, as it is; None without one."""
        ...

    def rows_of(self, table: str) -> int | None:
        """Count the rows of a table; None when the database has no such table."""
        ...

    def applied_migrations(self) -> tuple[str, ...]:
        """Return the migrations that the database has, as app.name, in the order in which they were applied."""
        ...

    def changes_since(self, moment: datetime) -> Mapping[str, int]:
        """Count what came after a moment: deltas, projects, files."""
        ...

    def stored_bytes(self) -> int:
        """Return what all versions of all projects' files take, as the application counts."""
        ...

    def open_session(self, username: str, *, seconds: int) -> str:
        """Make a token with which the API takes us for that person; it ends by itself. Raises NotFoundError."""
        ...

    def close_session(self, token: str) -> None:
        """End a token and forget it; harmless when it is gone."""
        ...

    def database(self) -> DatabaseStatus:
        """Return facts about the database itself."""
        ...

"""Turns rows into objects of the model, and typed text into ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from qfc.errors import NotFoundError, UsageError
from qfc.stack.model import (
    BoxLayer,
    Delta,
    Durations,
    Job,
    JobStatistics,
    JobStatus,
    Plan,
    Project,
    Subscription,
    User,
    Worker,
)
from qfc.stack.queue_changes import LockedDelta, LockedJob
from qfc.stack.queue_order import WaitingJob

from .connection import Row, Transaction

UUID_DIGITS = 32
#: Shorter beginnings of an id are more likely a mistake.
MINIMUM_DIGITS = 4


def job(row: Row) -> Job:
    """Create a job from a row of `fragments.job_columns`."""
    values: Row = {**row, "status": JobStatus(row["status"]), "created_by": row["created_by"] or ""}
    return Job(**values)


def delta(row: Row) -> Delta:
    """Create a delta from a row of `fragments.delta_columns`."""
    return Delta(**row)


def worker(row: Row) -> Worker:
    """Create a worker from a row of `jobs.workers`."""
    layers = None if row["layers"] is None else tuple(BoxLayer(**layer) for layer in row["layers"])
    values: Row = {**row, "layers": layers}
    return Worker(**values)


def user(row: Row) -> User:
    """Create a user from a row of `accounts.users`."""
    quota = row["storage_quota_bytes"]
    values: Row = {**row, "storage_quota_bytes": None if quota is None else int(quota)}
    return User(**values)


def project(row: Row) -> Project:
    """Create a project from a row of `fragments.project_columns`."""
    return Project(**row)


def subscription(row: Row) -> Subscription:
    """Create a subscription from a row of `accounts.subscription`."""
    return Subscription(**{name: value for name, value in row.items() if name != "id"})


def plan(row: Row) -> Plan:
    """Create a plan from a row of `accounts.plans`."""
    return Plan(**row)


def locked_job(row: Row) -> LockedJob:
    """Create a locked job from a row of `changes.lock_jobs`."""
    values: Row = {**row, "status": JobStatus(row["status"])}
    return LockedJob(**values)


def locked_delta(row: Row) -> LockedDelta:
    """Create a locked delta from a row of `changes.deltas_of_jobs` or `changes.deltas`."""
    return LockedDelta(**row)


def waiting_job(row: Row) -> WaitingJob:
    """Create a waiting job from a row of `changes.lock_waiting_jobs`."""
    return WaitingJob(**row)


def statistics(row: Row) -> JobStatistics:
    """Create statistics from the row of `jobs.statistics`."""
    return JobStatistics(
        finished=row["finished"],
        failed=row["failed"],
        stopped=row["stopped"],
        run=_durations(row["run"]),
        wait=_durations(row["wait"]),
        sample=row["sample"],
    )


def _durations(values: Sequence[float | None] | None) -> Durations:
    p50, p95, longest = values or (None, None, None)
    return Durations(p50, p95, longest)


def one_by_id(transaction: Transaction, query: str, name: str, what: str) -> Row:
    """Return the row whose id is `name` or begins with it. Raises NotFoundError and UsageError."""
    first, last = id_range(name, what)
    rows = transaction.rows(query, first=first, last=last)
    if not rows:
        raise NotFoundError(f"There is no {what} {name}.", hint=f"Type: qfc {what}s list")
    if len(rows) > 1:
        raise UsageError(f"The ids of several {what}s begin with {name}.", hint="Type more digits of the id.")
    return rows[0]


def id_range(name: str, what: str) -> tuple[UUID, UUID]:
    """Return the smallest and the largest id that begins with `name`. Raises NotFoundError if none can."""
    digits = name.replace("-", "").lower()
    if not MINIMUM_DIGITS <= len(digits) <= UUID_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise NotFoundError(
            f"{name!r} is not the id of a {what}.",
            hint=f"An id has 32 hexadecimal digits; its first {MINIMUM_DIGITS} or more are enough.",
        )
    return UUID(digits.ljust(UUID_DIGITS, "0")), UUID(digits.ljust(UUID_DIGITS, "f"))


def uuid_or_none(name: str) -> str | None:
    """Return an id in its usual form, or None if it is not an id."""
    try:
        return str(UUID(name))
    except ValueError:
        return None


def usual_ids(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the distinct names, with ids in their usual form; and the ids among them."""
    usual = list(dict.fromkeys(uuid_or_none(name) or name for name in names))
    return usual, [name for name in usual if uuid_or_none(name)]


def parameters(values: Sequence[Any]) -> list[Any] | None:
    """Return a filter's values for a query, None without a filter."""
    return [str(value) for value in values] or None

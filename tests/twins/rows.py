"""Rows in memory: found by the beginning of their ids, sorted, measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from qfc.errors import NotFoundError, RefusedError, UsageError
from qfc.stack.model import Durations, Job
from qfc.stack.queue_changes import BULK_LIMIT

Row = TypeVar("Row")


def oldest_first(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs in the order of their creation."""
    return sorted(jobs, key=lambda job: (job.created_at, job.id))


def bounded(names: Sequence[str]) -> list[str]:
    """Return the requested names, ids in their usual form. Raises RefusedError if there are too many."""
    asked = list(dict.fromkeys(usual(name) for name in names))
    if len(asked) > BULK_LIMIT:
        raise RefusedError(f"{len(asked)} rows are too many for one command; the limit is {BULK_LIMIT}.")
    return asked


def usual(name: str) -> str:
    """Return an id in its usual form; anything else as it is."""
    try:
        return str(UUID(name))
    except ValueError:
        return name


def one_by_id(rows: Mapping[str, Row], name: str, what: str) -> Row:
    """Return the row whose id begins with `name`. Raises NotFoundError and UsageError."""
    digits = name.replace("-", "").lower()
    found = [row for key, row in rows.items() if len(digits) >= 4 and key.replace("-", "").startswith(digits)]
    if not found:
        raise NotFoundError(f"There is no {what} {name}.", hint=f"Type: qfc {what}s list")
    if len(found) > 1:
        raise UsageError(f"The ids of several {what}s begin with {name}.", hint="Type more digits of the id.")
    return found[0]


def durations(values: Iterable[float | None]) -> Durations:
    """Return percentiles, each of them a measured value."""
    measured = sorted(value for value in values if value is not None)
    if not measured:
        return Durations(None, None, None)
    p50, p95, longest = (measured[math.ceil(share * len(measured)) - 1] for share in (0.5, 0.95, 1))
    return Durations(p50, p95, longest)

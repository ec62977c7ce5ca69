"""A filter of field edits: by project, job, user, age, status, and by the reason why they were not applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import UsageError
from ..stack.failures import classify_delta, reason_of
from ..stack.model import Delta
from ..stack.ports import Ports
from ..stack.queue_changes import BULK_LIMIT
from .logs import span
from .project_name import project_id


@dataclass(frozen=True)
class DeltaFilter:
    """A filter of edits; an edit has to match everything that is given.

    `older` is a span such as 2d, counted from the arrival. `reason` is a part of the last attempt's message or of its
    explanation, or the id of a signature such as F02.
    """

    statuses: Sequence[str] = ()
    project: str | None = None
    job: str | None = None
    by: str | None = None
    older: str | None = None
    reason: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the filter has any condition."""
        return bool(self.statuses or self.project or self.job or self.by or self.older or self.reason)


@dataclass(frozen=True)
class Found:
    """Edits in the order of arrival. `is_cut`: there are more that were not checked, or not returned."""

    deltas: tuple[Delta, ...]
    is_cut: bool


def find_deltas(ports: Ports, wanted: DeltaFilter, *, limit: int = BULK_LIMIT) -> Found:
    """Return the first matching edits; a reason is searched in the first 1000 that match the rest of the filter."""
    asked = limit if wanted.reason is None else BULK_LIMIT
    found = ports.jobs.deltas(
        statuses=wanted.statuses,
        project_id=project_id(ports, wanted.project),
        job_id=ports.jobs.job(wanted.job).id if wanted.job else None,
        created_by=wanted.by,
        before=ports.clock.now() - _age(wanted.older) if wanted.older else None,
        limit=asked + 1,
    )
    fitting = [delta for delta in found[:asked] if wanted.reason is None or has_reason(delta, wanted.reason)]
    return Found(tuple(fitting[:limit]), len(found) > asked or len(fitting) > limit)


def has_reason(delta: Delta, wanted: str) -> bool:
    """Return whether an edit was not applied for this reason: a signature id, or a part of the text, in any case."""
    known = classify_delta(delta)
    signature = known.signature if known else ""
    words = f"{reason_of(delta)}\n{signature}".lower()
    return signature.split(" ")[0].lower() == wanted.lower() or wanted.lower() in words


def _age(text: str) -> timedelta:
    """Read the age of an edit, capped at 100 years. Raises UsageError."""
    try:
        return min(span(text), timedelta(days=366 * 100))
    except OverflowError as error:
        raise UsageError(f"{text} is too long.", hint="Write for example 15m, 2h, 3d or 1w.") from error

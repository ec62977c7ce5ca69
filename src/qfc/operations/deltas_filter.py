"""Which field edits are meant: by project, job, person, age, state, and by the reason why they did not arrive."""

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
    """What edits have in common; all that is given has to fit.

    `older` is a span such as 2d, counted from the arrival. `reason` is a part of what the last try said or of its
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
        """Whether anything is asked for."""
        return bool(self.statuses or self.project or self.job or self.by or self.older or self.reason)


@dataclass(frozen=True)
class Found:
    """Edits in the order of arrival. `is_cut`: there are more that were not looked at, or not taken."""

    deltas: tuple[Delta, ...]
    is_cut: bool


def find_deltas(ports: Ports, wanted: DeltaFilter, *, limit: int = BULK_LIMIT) -> Found:
    """Return the first edits that fit; a reason is looked for in the first 1000 that the rest of the filter leaves."""
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
    """Tell whether an edit did not arrive for a reason: the id of a signature, or a part of the words, in any case."""
    known = classify_delta(delta)
    signature = known.signature if known else ""
    words = f"{reason_of(delta)}\n{signature}".lower()
    return signature.split(" ")[0].lower() == wanted.lower() or wanted.lower() in words


def _age(text: str) -> timedelta:
    """Read the age of an edit. Raises UsageError, also for one that reaches before all times."""
    try:
        return min(span(text), timedelta(days=366 * 100))
    except OverflowError as error:
        raise UsageError(f"{text} is too long.", hint="Write for example 15m, 2h, 3d or 1w.") from error

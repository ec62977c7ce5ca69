"""F09: edits that devices report as sent and that are not in the data."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import PartlyDoneError
from ..stack.queue_changes import BULK_LIMIT
from ..stack.waiting import wait_until
from .base import Auto, Check, Severity
from .evidence import Evidence, counted

#: States of pushed edits that are not in the data and that no job holds any longer.
LOST = ("error", "not_applied")
#: Seconds within which a repair waits for edits to be applied.
APPLIED_S = 60.0
#: How many names a sentence lists.
NAMED = 3


class LostEdits(Check):
    """F09: a device reports success, but its edit is not in the data."""

    id = "F09"
    title = "Pushed edits are not in the data"
    severity = Severity.WARNING
    fix = "List them: qfc deltas list --status error --status not_applied; then: qfc deltas reapply --all"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Count the failed edits that no job will apply."""
        lost = seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT)
        if not lost:
            return None
        projects = ", ".join(list(dict.fromkeys(one.project for one in lost))[:NAMED])
        oldest = min(one.created_at for one in lost)
        edits = ("At least " if len(lost) == BULK_LIMIT else "") + counted(len(lost), "edit")
        return f"{edits} in {projects}, the oldest from {oldest:%Y-%m-%d %H:%M} UTC."

    def repair(self, seen: Evidence) -> None:
        """Apply the edits again, in order of arrival, except those that may be in the data already.

        Only the end of their jobs tells whether that helped: until then they merely wait.
        """
        lost = seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT)
        ids = {one.id for one in lost if not one.is_in_doubt}
        seen.ports.jobs.reapply(sorted(ids, key=[one.id for one in lost].index))
        await_edits(seen, ids)


def await_edits(seen: Evidence, ids: Collection[str]) -> None:
    """Wait until jobs have tried these edits. Raises PartlyDoneError where some still wait."""
    jobs = seen.ports.jobs

    def waiting() -> int:
        return sum(one.id in ids for one in jobs.deltas(statuses=("pending", "started"), limit=BULK_LIMIT))

    if not wait_until(seen.ports.clock, lambda: waiting() == 0, limit_s=APPLIED_S, poll_s=1.0):
        raise PartlyDoneError(f"{counted(waiting(), 'edit')} still waiting for a free worker; see: qfc sync queue")

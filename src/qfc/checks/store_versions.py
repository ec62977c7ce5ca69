"""The store that never frees: its bucket has versions, and the application deletes keys without one."""

from __future__ import annotations

from datetime import timedelta

from ..stack.deploy_records import past
from ..stack.model import StoreContent
from ..stack.store_content import most_deleted
from .base import Auto, DeploymentCheck, Severity
from .evidence import Evidence, named
from .files import legacy_in_use

#: Less is not worth a change of the store.
WORTH_BYTES = 100_000_000
#: So long a store keeps what was deleted: an operator may want it back.
KEPT_DAYS = 30


class StoreNeverFrees(DeploymentCheck):
    """What users delete, and every earlier package, stays in the store for ever."""

    id = "deleted-files"
    title = "The file store never frees what was deleted"
    severity = Severity.WARNING
    fix = "Let the store remove deleted versions by a lifecycle rule: qfc doctor --fix; by project: qfc services disk"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Add up the deleted versions in stores that have versions and no rule that removes them."""
        if seen.conditions.projects.stores_in_use() is None or legacy_in_use(seen):
            # There, the versions of the store are those of the users' files.
            return None
        found = [one for one in self._contents(seen) if one.keeps_deleted and one.deleted >= WORTH_BYTES]
        return f"{named(_told(one) for one in found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what the rule would free, for which projects, and from which time on files cannot come back."""
        days, found = self._days(seen), [one for one in self._contents(seen) if one.keeps_deleted]
        freed = sum(one.deleted for one in found)
        projects = most_deleted(found, seen.ports.jobs.project_names)
        return (
            f"the store removes versions that were deleted {days} or more days ago: up to {freed / 1e6:.0f} MB",
            *(f"{name}: {size / 1e6:.0f} MB" for name, size in projects),
            f"a database dump older than {days} days then names files that are gone",
        )

    def repair(self, seen: Evidence) -> None:
        """Set the rule; the rules that the store has stay."""
        seen.inspection.stores.expire(days=self._days(seen))

    def _contents(self, seen: Evidence) -> tuple[StoreContent, ...]:
        return seen.once("store contents", seen.inspection.stores.contents)

    def _days(self, seen: Evidence) -> int:
        """Return how long deleted versions stay: no shorter than the oldest deployment that can be rolled back."""
        now = seen.once("day of the store", seen.ports.clock.now)
        ages = [now - one.began_at for one in past(seen.ports.records)]
        oldest = max(ages, default=timedelta(0))
        return max(KEPT_DAYS, oldest.days + 2)


def _told(one: StoreContent) -> str:
    least = "" if one.is_whole else "at least "
    return (
        f"{one.store} holds {least}{one.deleted / 1e6:.0f} MB of deleted files beside {one.live / 1e6:.0f} MB of others"
    )

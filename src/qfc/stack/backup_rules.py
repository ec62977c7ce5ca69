"""Which sets are kept, and which objects are read again today. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .backup_set import Manifest, Verdict

#: Every byte of a set is read again within so many days, a slice of the objects at a time.
FULL_READ_DAYS = 30


@dataclass(frozen=True)
class Retention:
    """Which sets are kept: the newest `last`, the newest of each day, week and month, and all within some days.

    At least `minimum` sets that are complete and verified are always kept. `period_hours` is how often a set is made.
    """

    last: int = 7
    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    within_days: int = 0
    minimum: int = 2
    period_hours: int = 24


@dataclass(frozen=True)
class Kept:
    """A set that is kept, with the reasons."""

    id: str
    taken_at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PrunePlan:
    """The sets that are kept and those that are removed, the newest first."""

    keep: tuple[Kept, ...]
    remove: tuple[Manifest, ...]


def is_backup(manifest: Manifest, verdicts: Mapping[str, Verdict]) -> bool:
    """Return whether a set counts: it is complete, and its last verification found nothing wrong."""
    verdict = verdicts.get(manifest.id)
    return manifest.is_complete and verdict is not None and verdict.ok


def plan_prune(
    manifests: Collection[Manifest], verdicts: Mapping[str, Verdict], rules: Retention, now: datetime
) -> PrunePlan:
    """Decide which sets are removed. Only sets that count fill the places; the order is that of the manifests' times.

    While fewer than `minimum` sets count, nothing is removed at all.
    """
    newest = sorted(manifests, key=lambda one: one.taken_at, reverse=True)
    good = [one for one in newest if is_backup(one, verdicts)]
    reasons: dict[str, list[str]] = {one.id: [] for one in newest}
    for reason, some in _places(good, rules, now):
        for one in some:
            reasons[one.id].append(reason)
    for one in newest:
        if len(good) < rules.minimum and not reasons[one.id]:
            reasons[one.id].append(f"fewer than {rules.minimum} sets are verified")
        elif one not in good and good and one.taken_at >= good[0].taken_at:
            reasons[one.id].append("newer than every verified set")
    keep = tuple(Kept(one.id, one.taken_at, tuple(reasons[one.id])) for one in newest if reasons[one.id])
    return PrunePlan(keep, tuple(one for one in newest if not reasons[one.id]))


def _places(good: Sequence[Manifest], rules: Retention, now: datetime) -> Iterable[tuple[str, Sequence[Manifest]]]:
    yield f"one of the last {max(rules.last, rules.minimum)}", good[: max(rules.last, rules.minimum)]
    yield "daily", _newest_of_each(good, "%Y-%m-%d", rules.daily)
    yield "weekly", _newest_of_each(good, "%G-%V", rules.weekly)
    yield "monthly", _newest_of_each(good, "%Y-%m", rules.monthly)
    limit = now - timedelta(days=rules.within_days)
    yield f"within {rules.within_days} days", [one for one in good if rules.within_days and one.taken_at >= limit]


def _newest_of_each(good: Sequence[Manifest], unit: str, count: int) -> Sequence[Manifest]:
    """Return the newest set of each of the last `count` days (weeks, months) that have one."""
    found: dict[str, Manifest] = {}
    for one in good:
        found.setdefault(one.taken_at.strftime(unit), one)
    return list(found.values())[:count]


def slice_of(sha256: str) -> int:
    """Return the slice of an object, from 0 to 29."""
    return int(sha256[:8], 16) % FULL_READ_DAYS


def slices_due(read_at: Mapping[int, datetime], now: datetime) -> frozenset[int]:
    """Return the slices to read now, so that each is read within 30 days at the pace of the verifications so far.

    The pace is the time since the last one: after a week, seven slices are due; every slice that was never read is.
    """
    never = frozenset(one for one in range(FULL_READ_DAYS) if one not in read_at)
    if len(never) == FULL_READ_DAYS:
        return never
    pace = now - max(read_at.values())
    limit = now + pace - timedelta(days=FULL_READ_DAYS)
    late = frozenset(one for one, moment in read_at.items() if moment <= limit)
    wanted = -(-pace // timedelta(days=1)) or 1
    oldest = sorted(read_at, key=lambda one: read_at[one])
    return never | late | frozenset(oldest[: max(1, min(wanted, FULL_READ_DAYS))])

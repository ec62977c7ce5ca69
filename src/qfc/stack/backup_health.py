"""Whether the backups of a stack are good enough to count on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from .backup_rules import is_backup
from .backup_set import Manifest, Verdict

#: A set that is smaller than this share of the median of the sets before it lacks something.
SHRUNK = 0.5
#: Sets of which the median is taken.
COMPARED = 7
DRILL_DUE = timedelta(days=7)
#: The record of the last drill.
DRILL_RECORD = "backup/drill.json"


@dataclass(frozen=True)
class Drill:
    """The last drill: which set was restored on trial, when, and whether everything was well."""

    set_id: str
    at: datetime
    ok: bool
    seconds: float
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupState:
    """What is known of a stack's backups. `recipient` is the key's public part, None without a key.

    `born_at` is when the stack was first started, None where nobody knows.
    """

    manifests: tuple[Manifest, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    unreadable: tuple[str, ...] = ()
    drill: Drill | None = None
    recipient: str | None = None
    has_identity: bool = False
    period: timedelta = timedelta(hours=24)
    place: str = ""
    born_at: datetime | None = None

    @property
    def good(self) -> tuple[Manifest, ...]:
        """The sets that count as a backup, the oldest first."""
        found = [one for one in self.manifests if is_backup(one, self.verdicts)]
        return tuple(sorted(found, key=lambda one: one.taken_at))


def none_counts(state: BackupState, now: datetime) -> str | None:
    """Return why the stack has no backup; None if it has one, or is too young for its first one to be late."""
    if state.good:
        return None
    if state.born_at is not None and now - state.born_at < 2 * state.period and not state.manifests:
        return None
    if not state.manifests and not state.unreadable:
        return f"There is no set in {state.place}."
    number = len(state.manifests) + len(state.unreadable)
    return f"{state.place} has {number} sets, but none that is complete and verified."


def too_old(state: BackupState, now: datetime) -> str | None:
    """Return the age of the newest backup, if it is more than twice the period and the time that one takes."""
    if not state.good:
        return None
    newest = state.good[-1]
    limit = 2 * state.period + timedelta(seconds=newest.seconds)
    age = now - newest.taken_at
    if age <= limit:
        return None
    return f"The newest verified backup, {newest.id}, is {_hours(age)} old; one is due every {_hours(state.period)}."


def shrunk(state: BackupState, now: datetime) -> str | None:
    """Return a sentence if the newest backup is less than half of what the ones before it were."""
    del now
    if len(state.good) < 2:
        return None
    *before, newest = state.good[-COMPARED - 1 :]
    usual = median(one.size_bytes for one in before)
    if newest.size_bytes >= SHRUNK * usual:
        return None
    return f"The newest backup, {newest.id}, has {newest.size_bytes} bytes; the ones before it had {usual:.0f}."


def damaged(state: BackupState, now: datetime) -> str | None:
    """Return which sets are damaged: verification found something, or the manifest cannot be read."""
    del now
    bad = [id for id, verdict in state.verdicts.items() if not verdict.ok]
    found = sorted({*bad, *state.unreadable})
    if not found:
        return None
    first = next((verdict.problems[0] for id, verdict in state.verdicts.items() if id in bad), "")
    return f"Damaged: {', '.join(found[-3:])}. {first}".strip()


def undrilled(state: BackupState, now: datetime) -> str | None:
    """Return why nothing proves that a restore works: no drill, a failed one, or an old one."""
    if not state.good:
        return None
    drill = state.drill
    if drill is None:
        since = now - state.good[0].taken_at
        return None if since < DRILL_DUE else "No backup was ever restored on trial."
    if not drill.ok:
        return f"The last drill, of {drill.set_id}, failed: {', '.join(drill.failed)}."
    age = now - drill.at
    return None if age < DRILL_DUE else f"The last drill was {age.days} days ago."


def keyless(state: BackupState, now: datetime) -> str | None:
    """Return a sentence if sets exist that no key here can open, or that belong to another key."""
    del now
    if not state.manifests:
        return None
    newest = max(state.manifests, key=lambda one: one.taken_at)
    if state.recipient is None:
        return f"{state.place} has sets, but the key that opens them is not here."
    if newest.recipient != state.recipient:
        return f"The newest set, {newest.id}, is encrypted to another key than the one here."
    return None


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"

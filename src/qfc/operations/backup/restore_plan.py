"""What a restore replaces by what, as its question says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import QfcError, RefusedError, UnreachableError
from ...stack.backup_set import Manifest
from ...stack.ports import Ports
from ..queue_change import count
from .lost import Lost, lost_since

#: Tables whose rows a person understands.
COUNTED = {
    "users": ("core_user",),
    "projects": ("core_project", "project_project"),
    "file versions": ("filestorage_fileversion",),
    "edits": ("core_delta",),
}


@dataclass(frozen=True)
class RestorePlan:
    """What is replaced by what. `now` is None where the present state cannot be read, and `damage` why."""

    manifest: Manifest
    target: str
    now: Mapping[str, int] | None
    then: Mapping[str, int]
    lost: Lost
    damage: QfcError | None = None


def plan_of(manifest: Manifest, target: Ports) -> RestorePlan:
    """Return what a restore would replace by what."""
    then = summary(manifest.database.tables)
    try:
        tables = target.backups.target.tables()
        lost = lost_since(target, manifest) if tables else Lost()
    except UnreachableError:
        return RestorePlan(manifest, target.name, None, then, Lost())
    except QfcError as error:
        return RestorePlan(manifest, target.name, None, then, Lost(), damage=error)
    return RestorePlan(manifest, target.name, summary(tables), then, lost)


def unreadable(target: Ports, damage: QfcError) -> RefusedError:
    """Return why a stack whose present state is damaged is not replaced without a word of the operator."""
    return RefusedError(
        f"The present state of {target.name} can neither be backed up nor exported: {damage.message}",
        hint="To replace it all the same, add --no-safety-set; its database then stays beside the new one.",
    )


def summary(tables: Mapping[str, int]) -> Mapping[str, int]:
    """Return the counts that a person understands."""
    return {what: sum(tables.get(name, 0) for name in names) for what, names in COUNTED.items()}


def question(plan: RestorePlan) -> str:
    """Return the question that says what is replaced by what, and what is lost."""
    when = f"{plan.manifest.taken_at:%Y-%m-%d %H:%M} UTC"
    now = "its present state, which cannot be read" if plan.now is None else words(plan.now)
    lines = [f"Replace the data of {plan.target} ({now}) by {plan.manifest.id} of {when} ({words(plan.then)})."]
    return " ".join([*lines, *newer(plan.lost), "Restore?"])


def newer(lost: Lost) -> list[str]:
    """Return the sentence about what is newer than the set, if anything is."""
    found = [f"{count(one.count, 'edit')} by {one.user} in {one.project}" for one in lost.edits]
    found += [count(lost.files, "uploaded file")] if lost.files else []
    return [f"Newer than that: {', '.join(found)}; exported first, to be applied again."] if found else []


def words(counts: Mapping[str, int]) -> str:
    """Return counts as people read them."""
    return ", ".join(f"{number} {what.removesuffix('s') if number == 1 else what}" for what, number in counts.items())

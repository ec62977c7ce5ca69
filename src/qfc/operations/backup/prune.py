"""Remove sets that no rule keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...stack.backup_rules import Kept, Retention, plan_prune
from ...stack.ports import Ports
from ..guard import Options, guarded
from ..queue_change import count


@dataclass(frozen=True)
class Removed:
    """A set that was removed, or would be with `--dry-run`."""

    id: str
    taken_at: datetime


@dataclass(frozen=True)
class SetsPruned:
    """What was removed and what was kept, the newest first, with the reasons."""

    removed: tuple[Removed, ...]
    kept: tuple[Kept, ...]
    freed_bytes: int
    dry_run: bool


def db_prune(ports: Ports, rules: Retention, options: Options) -> SetsPruned:
    """Remove the sets that no rule keeps, after a question with the plan; never one of the last verified ones."""
    store = ports.backups.store
    plan = plan_prune(store.manifests(), store.verdicts(), rules, ports.clock.now())
    removed = tuple(Removed(one.id, one.taken_at) for one in plan.remove)
    if not removed:
        return SetsPruned((), plan.keep, 0, options.dry_run)
    for kept in plan.keep:
        options.report(f"keep {kept.id}: {', '.join(kept.reasons)}")
    for one in removed:
        options.report(f"remove {one.id}")
    what = f"Remove {count(len(removed), 'set')}, keep {len(plan.keep)}"
    freed = 0
    with guarded(ports, "db prune", target=store.place, options=options, question=f"{what}?", of_moved=True) as guard:
        if guard.step(what):
            freed = store.remove([one.id for one in removed])
        guard.result = f"{count(len(removed), 'set')}, {freed} bytes"
    return SetsPruned(removed, plan.keep, freed, guard.dry_run)

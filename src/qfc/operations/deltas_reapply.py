"""Apply field edits that never arrived, in the order of their arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import UsageError
from ..stack.model import Refusal
from ..stack.ports import Ports
from ..stack.queue_changes import BULK_LIMIT
from .guard import Options, guarded
from .project_name import project_id
from .queue_change import Changed, changed, count, summary

#: What is taken without `--status`. Conflicts come to the same end again unless somebody changed the project's policy,
#: and what was put aside or forbidden stays so.
USUAL = ("pending", "started", "error", "not_applied")


#: Why a filter does not take a delta whose job was broken off.
IN_DOUBT = "It may be in the data already: its job was broken off. Compare, then name it: qfc deltas reapply ID"


@dataclass(frozen=True)
class DeltaSelection:
    """Deltas by name, or by filter; at most 1000. Without names, `everything` has to be said or a filter given."""

    names: Sequence[str] = ()
    everything: bool = False
    statuses: Sequence[str] = ()
    project: str | None = None
    job: str | None = None


def deltas_reapply(ports: Ports, selection: DeltaSelection, options: Options) -> Changed:
    """Make new apply jobs of deltas; those that were applied, or wait in a job, are left alone."""
    ids, doubtful = _ids(ports, selection)
    what = f"Apply again: {count(len(ids), 'delta')}"
    question = f"{what}?" if ids and not selection.names else ""
    target = ids[0] if len(ids) == 1 else count(len(ids), "delta")
    with guarded(ports, "deltas reapply", target=target, options=options, question=question) as guard:
        change = ports.jobs.reapply(ids, dry_run=not guard.step(what))
        guard.result = summary(change)
    told = replace(change, refused=(*change.refused, *(Refusal(name, IN_DOUBT) for name in doubtful)))
    return changed(told, selected=len(ids) + len(doubtful), strict=bool(selection.names), dry_run=guard.dry_run)


def _ids(ports: Ports, selection: DeltaSelection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the deltas that are meant, and those that a filter finds and that only a person may decide about."""
    if selection.names:
        return tuple(dict.fromkeys(ports.jobs.delta(name).id for name in selection.names)), ()
    if not (selection.everything or selection.project or selection.job or selection.statuses):
        raise UsageError("Which deltas?", hint="Name them by id, or give --all, --project, --job or --status.")
    found = ports.jobs.deltas(
        statuses=selection.statuses or USUAL,
        project_id=project_id(ports, selection.project),
        job_id=ports.jobs.job(selection.job).id if selection.job else None,
        limit=BULK_LIMIT,
    )
    doubtful = tuple(delta.id for delta in found if delta.is_in_doubt)
    return tuple(delta.id for delta in found if not delta.is_in_doubt), doubtful

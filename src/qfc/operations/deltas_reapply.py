"""Apply field edits that were not applied, in the order of their arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import UsageError
from ..stack.model import Refusal
from ..stack.ports import Ports
from .deltas_filter import DeltaFilter, find_deltas
from .guard import Options, guarded
from .queue_change import Changed, changed, count, summary

#: The statuses that apply without `--status`. A conflict would end the same way unless somebody changed the project's
#: policy, and ignored or forbidden edits stay so.
USUAL = ("pending", "started", "error", "not_applied")

OPTIONS = "--project, --job, --by, --older, --reason or --status"
#: Why a filter skips a delta whose job was interrupted.
IN_DOUBT = "Its job was interrupted, so it may already be in the data. Compare, then type: qfc deltas reapply ID"


@dataclass(frozen=True)
class DeltaSelection:
    """Deltas by name, or by filter; at most 1000. Without names, it needs `everything` or a filter."""

    names: Sequence[str] = ()
    everything: bool = False
    wanted: DeltaFilter = field(default_factory=DeltaFilter)


@dataclass(frozen=True)
class _Chosen:
    """Ids of the selected deltas; ids that only a person may decide about; whether more deltas match."""

    ids: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    is_cut: bool = False


def deltas_reapply(ports: Ports, selection: DeltaSelection, options: Options) -> Changed:
    """Create new apply jobs for deltas; those that are applied, or waiting in a job, are left unchanged."""
    chosen = _choose(ports, selection)
    ids = chosen.ids
    what = f"Reapply {count(len(ids), 'edit')}"
    question = f"{what}?" if ids and not selection.names else ""
    target = ids[0] if len(ids) == 1 else count(len(ids), "edit")
    with guarded(ports, "deltas reapply", target=target, options=options, question=question) as guard:
        change = ports.jobs.reapply(ids, dry_run=not guard.step(what))
        guard.result = summary(change)
    complete = replace(change, refused=(*change.refused, *(Refusal(name, IN_DOUBT) for name in chosen.doubtful)))
    selected = len(ids) + len(chosen.doubtful)
    result = changed(complete, selected=selected, strict=bool(selection.names), dry_run=guard.dry_run)
    return replace(result, is_cut=chosen.is_cut, jobs=_numbered(result.jobs) if guard.dry_run else result.jobs)


def _numbered(jobs: Sequence[str]) -> tuple[str, ...]:
    """Return names for jobs that a dry run made and took back: their ids will never be seen again."""
    return tuple(f"new job {number}" for number, _ in enumerate(jobs, 1))


def _choose(ports: Ports, selection: DeltaSelection) -> _Chosen:
    if selection.names:
        return _Chosen(tuple(dict.fromkeys(ports.jobs.delta(name).id for name in selection.names)))
    wanted = selection.wanted
    if not (selection.everything or wanted.is_given):
        raise UsageError("No edits selected.", hint=f"Give ids, --all, {OPTIONS}.")
    found = find_deltas(ports, replace(wanted, statuses=wanted.statuses or USUAL))
    doubtful = tuple(delta.id for delta in found.deltas if delta.is_in_doubt)
    return _Chosen(tuple(delta.id for delta in found.deltas if not delta.is_in_doubt), doubtful, found.is_cut)

"""Apply field edits that never arrived, in the order of their arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import UsageError
from ..stack.model import Refusal
from ..stack.ports import Ports
from .deltas_filter import DeltaFilter, find_deltas
from .guard import Options, guarded
from .queue_change import Changed, changed, count, summary

#: What is taken without `--status`. Conflicts come to the same end again unless somebody changed the project's policy,
#: and what was put aside or forbidden stays so.
USUAL = ("pending", "started", "error", "not_applied")

OPTIONS = "--project, --job, --by, --older, --reason or --status"
#: Why a filter does not take a delta whose job was broken off.
IN_DOUBT = "It may be in the data already: its job was broken off. Compare, then name it: qfc deltas reapply ID"


@dataclass(frozen=True)
class DeltaSelection:
    """Deltas by name, or by filter; at most 1000. Without names, `everything` has to be said or a filter given."""

    names: Sequence[str] = ()
    everything: bool = False
    wanted: DeltaFilter = field(default_factory=DeltaFilter)


@dataclass(frozen=True)
class _Chosen:
    """Ids of the deltas that are meant; those that only a person may decide about; whether there are more of them."""

    ids: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    is_cut: bool = False


def deltas_reapply(ports: Ports, selection: DeltaSelection, options: Options) -> Changed:
    """Make new apply jobs of deltas; those that were applied, or wait in a job, are left alone."""
    chosen = _choose(ports, selection)
    ids = chosen.ids
    what = f"Apply again: {count(len(ids), 'delta')}"
    question = f"{what}?" if ids and not selection.names else ""
    target = ids[0] if len(ids) == 1 else count(len(ids), "delta")
    with guarded(ports, "deltas reapply", target=target, options=options, question=question) as guard:
        change = ports.jobs.reapply(ids, dry_run=not guard.step(what))
        guard.result = summary(change)
    told = replace(change, refused=(*change.refused, *(Refusal(name, IN_DOUBT) for name in chosen.doubtful)))
    selected = len(ids) + len(chosen.doubtful)
    made = changed(told, selected=selected, strict=bool(selection.names), dry_run=guard.dry_run)
    return replace(made, is_cut=chosen.is_cut)


def _choose(ports: Ports, selection: DeltaSelection) -> _Chosen:
    if selection.names:
        return _Chosen(tuple(dict.fromkeys(ports.jobs.delta(name).id for name in selection.names)))
    wanted = selection.wanted
    if not (selection.everything or wanted.is_given):
        raise UsageError("Which deltas?", hint=f"Name them by id, or give --all, {OPTIONS}.")
    found = find_deltas(ports, replace(wanted, statuses=wanted.statuses or USUAL))
    doubtful = tuple(delta.id for delta in found.deltas if delta.is_in_doubt)
    return _Chosen(tuple(delta.id for delta in found.deltas if not delta.is_in_doubt), doubtful, found.is_cut)

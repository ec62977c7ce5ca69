"""Field edits: those that were not applied, the reasons, and one edit in detail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..stack.failures import classify_delta, reason_of
from ..stack.model import Delta
from ..stack.ports import Ports
from ..stack.queue_changes import BULK_LIMIT
from .deltas_filter import DeltaFilter, find_deltas
from .jobs_view import age

#: Every status of a delta but `applied`.
NOT_ARRIVED = ("pending", "started", "conflict", "not_applied", "error", "ignored", "unpermitted")
STATUSES = ("applied", *NOT_ARRIVED)


@dataclass(frozen=True)
class DeltaLine:
    """A delta in a list. `age_s` counts from its arrival; `reason` is the message of the last attempt.

    `signature` and `cause` explain the reason, `fix` is what to type; None if the edit is waiting or was applied.
    """

    id: str
    deltafile_id: str
    project_id: str
    project: str
    status: str
    method: str
    layer_id: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    modified_pk: str | None
    age_s: float
    reason: str | None
    signature: str | None
    cause: str | None
    fix: str | None


@dataclass(frozen=True)
class DeltasList:
    """Deltas in the order of their arrival. `is_cut`: more deltas match the filter, or may match it.

    `others` counts, by status, those that are not in the data and have another status than the wanted ones.
    """

    deltas: tuple[DeltaLine, ...]
    is_cut: bool
    others: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class DeltaGroup:
    """Deltas that have `name` in common, by status; the oldest arrived at `oldest`, `oldest_s` seconds ago."""

    name: str
    count: int
    statuses: Mapping[str, int]
    oldest: datetime
    oldest_s: float
    newest: datetime
    fix: str | None


@dataclass(frozen=True)
class DeltasSummary:
    """Deltas grouped by `group`, the largest group first. `is_cut`: only the oldest 1000 were counted."""

    group: str
    count: int
    groups: tuple[DeltaGroup, ...]
    is_cut: bool


@dataclass(frozen=True)
class DeltaShown:
    """One delta with what the device sent and the feedback of the last attempt."""

    delta: DeltaLine
    content: dict[str, Any] | None
    feedback: dict[str, Any] | None


def _named_reason(delta: DeltaLine) -> str:
    return delta.signature or ("waiting" if delta.status in ("pending", "started") else delta.status)


#: What edits can be grouped by.
GROUPS: Mapping[str, Callable[[DeltaLine], str]] = {
    "project": lambda delta: delta.project,
    "person": lambda delta: delta.created_by or "unknown",
    "reason": _named_reason,
}


def deltas_list(ports: Ports, wanted: DeltaFilter | None = None, *, limit: int = 50) -> DeltasList:
    """Return deltas that match the filter; without one, those that were not applied."""
    wanted = wanted or DeltaFilter(NOT_ARRIVED)
    found = find_deltas(ports, wanted, limit=limit)
    now = ports.clock.now()
    others = _others(ports, wanted) if not found.deltas else dict[str, int]()
    return DeltasList(tuple(delta_line(delta, now) for delta in found.deltas), found.is_cut, others)


def _others(ports: Ports, wanted: DeltaFilter) -> Mapping[str, int]:
    """Count the edits that only another status keeps out of a list."""
    statuses = tuple(one for one in NOT_ARRIVED if wanted.statuses and one not in wanted.statuses)
    if not statuses:
        return {}
    found = find_deltas(ports, replace(wanted, statuses=statuses), limit=BULK_LIMIT).deltas
    counts = {status: sum(one.status == status for one in found) for status in statuses}
    return {status: count for status, count in counts.items() if count}


def deltas_summary(ports: Ports, wanted: DeltaFilter, *, group: str) -> DeltasSummary:
    """Count deltas by what they have in common. `group` is a key of `GROUPS`."""
    listed = deltas_list(ports, wanted, limit=BULK_LIMIT)
    groups: dict[str, list[DeltaLine]] = {}
    for delta in listed.deltas:
        groups.setdefault(GROUPS[group](delta), []).append(delta)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    counted = tuple(_group(name, deltas, with_fix=group == "reason") for name, deltas in ordered)
    return DeltasSummary(group, len(listed.deltas), counted, listed.is_cut)


def _group(name: str, deltas: list[DeltaLine], *, with_fix: bool) -> DeltaGroup:
    """Describe a group; its deltas are in the order of arrival."""
    states = [delta.status for delta in deltas]
    return DeltaGroup(
        name=name,
        count=len(deltas),
        statuses={state: states.count(state) for state in sorted(set(states))},
        oldest=deltas[0].created_at,
        oldest_s=deltas[0].age_s,
        newest=deltas[-1].created_at,
        fix=deltas[0].fix if with_fix else None,
    )


def deltas_show(ports: Ports, name: str) -> DeltaShown:
    """Return one delta. Raises NotFoundError."""
    delta = ports.jobs.delta(name)
    return DeltaShown(delta_line(delta, ports.clock.now()), delta.content, delta.feedback)


def delta_line(delta: Delta, now: datetime) -> DeltaLine:
    """Describe a delta."""
    known = classify_delta(delta)
    reason = reason_of(delta) if delta.status != "applied" else ""
    return DeltaLine(
        id=delta.id,
        deltafile_id=delta.deltafile_id,
        project_id=delta.project_id,
        project=delta.project,
        status=delta.status,
        method=delta.method,
        layer_id=delta.layer_id,
        created_by=delta.created_by,
        created_at=delta.created_at,
        updated_at=delta.updated_at,
        modified_pk=delta.modified_pk,
        age_s=age(delta.created_at, now),
        reason=reason or None,
        signature=known and known.signature,
        cause=known and known.cause,
        fix=known and known.fix,
    )

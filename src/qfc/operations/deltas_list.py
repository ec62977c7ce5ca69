"""Field edits: those that never arrived, and one with all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..stack.model import Delta
from ..stack.ports import Ports
from .jobs_view import age
from .project_name import project_id

#: Every status of a delta but `applied`.
NOT_ARRIVED = ("pending", "started", "conflict", "not_applied", "error", "ignored", "unpermitted")
STATUSES = ("applied", *NOT_ARRIVED)


@dataclass(frozen=True)
class DeltaLine:
    """A delta in a list. `age_s` counts from its arrival; `reason` is what the last try said."""

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


@dataclass(frozen=True)
class DeltasList:
    """Deltas in the order of their arrival."""

    deltas: tuple[DeltaLine, ...]


@dataclass(frozen=True)
class DeltaShown:
    """One delta with what the device sent and what the last try said."""

    delta: DeltaLine
    content: dict[str, Any] | None
    feedback: dict[str, Any] | None


def deltas_list(
    ports: Ports,
    *,
    statuses: Sequence[str] = NOT_ARRIVED,
    project: str | None = None,
    job: str | None = None,
    limit: int = 50,
) -> DeltasList:
    """Return deltas that fit every filter; without one, those that never arrived."""
    deltas = ports.jobs.deltas(
        statuses=statuses,
        project_id=project_id(ports, project),
        job_id=ports.jobs.job(job).id if job else None,
        limit=limit,
    )
    now = ports.clock.now()
    return DeltasList(tuple(delta_line(delta, now) for delta in deltas))


def deltas_show(ports: Ports, name: str) -> DeltaShown:
    """Return one delta. Raises NotFoundError."""
    delta = ports.jobs.delta(name)
    return DeltaShown(delta_line(delta, ports.clock.now()), delta.content, delta.feedback)


def delta_line(delta: Delta, now: datetime) -> DeltaLine:
    """Describe a delta."""
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
        reason=_reason(delta),
    )


def _reason(delta: Delta) -> str | None:
    """Return the message of the last try; `msg` is the worker's, `error` what older releases wrote."""
    feedback = delta.feedback or {}
    text = feedback.get("msg") or feedback.get("error")
    return str(text) if text and delta.status != "applied" else None

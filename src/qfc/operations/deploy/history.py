"""Past deployments, and which of them can be rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...stack.deploy_records import past, under_way
from ...stack.model import Revision
from ...stack.ports import Ports
from ...stack.rollout import DeployState, Record


@dataclass(frozen=True)
class HistoryLine:
    """One deployment. `seconds` counts from its first step to its end.

    `way_back`: whether it can be rolled back; `with_data`: together with the database from before it.
    """

    id: str
    kind: str
    began_at: datetime
    by: str
    before: Revision
    after: Revision
    result: str
    seconds: float | None
    failure: str
    migrated: bool
    way_back: bool
    with_data: bool


@dataclass(frozen=True)
class History:
    """Deployments, newest first. `open` has not ended: it is running, or was interrupted."""

    deployments: tuple[HistoryLine, ...]
    open: HistoryLine | None
    now: Revision


def deploy_history(ports: Ports) -> History:
    """Return all recorded deployments."""
    deployment = ports.deployment
    current = under_way(ports.records)
    lines = tuple(map(_line, past(ports.records)))
    return History(lines, _line(current) if current else None, deployment.source.state().revision)


def _line(record: Record) -> HistoryLine:
    seconds = round((record.ended_at - record.began_at).total_seconds(), 1) if record.ended_at else None
    return HistoryLine(
        id=record.id,
        kind=record.kind,
        began_at=record.began_at,
        by=record.by,
        before=record.before,
        after=record.after,
        result=record.state.value,
        seconds=seconds,
        failure=record.failure,
        migrated=record.migrate,
        way_back=record.state is DeployState.DEPLOYED,
        with_data=record.dump is not None and record.state is DeployState.DEPLOYED,
    )

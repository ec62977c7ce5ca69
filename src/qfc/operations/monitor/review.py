"""The state of a stack's monitor, its incidents, its log; and a recorded history decided again."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...errors import QfcError, UsageError
from ...stack.beats import judged
from ...stack.findings import Finding, worst
from ...stack.model import Verdict
from ...stack.monitor import Alert, Limits, Look, Orders, Pause, Silence
from ...stack.monitor.codec import restored
from ...stack.monitor.replay import replayed
from ...stack.ports import Ports
from ...stack.ports.monitoring import Beat, History, Incident, Note


@dataclass(frozen=True)
class MonitorStatus:
    """The state of a stack's monitor. `watcher` is who acts for the stack now, None if nobody does."""

    stack: str
    verdict: Verdict
    watcher: str | None
    since: datetime | None
    looked_at: datetime | None
    last: Note | None
    alerts: tuple[Alert, ...]
    given_up: tuple[str, ...]
    pause: Pause | None
    orders: Orders
    finding: Finding


@dataclass(frozen=True)
class AlertLine:
    """An open alert. `state` says who takes care of it or silenced it, and why; empty if nobody did."""

    id: str
    severity: str
    title: str
    evidence: str
    fix: str
    since: datetime
    tried: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class AlertsList:
    """The open alerts of a stack, and the silences that hold."""

    stack: str
    alerts: tuple[AlertLine, ...]
    silences: tuple[Silence, ...]


@dataclass(frozen=True)
class Step:
    """One decision of a replay."""

    at: datetime
    notes: tuple[str, ...]
    action: str | None
    message: str | None


def monitor_status(ports: Ports) -> MonitorStatus:
    """Return the state of the monitor. What nobody watches is `unknown`, however well it was."""
    now = ports.clock.now()
    holder = ports.monitoring.watch.holder()
    beat = ports.monitoring.beat()
    orders = ports.monitoring.orders()
    with opened(ports) as history:
        state, notes, looked_at = history.state(), history.notes(limit=1), history.last_look()
    alerts = tuple(one for one in state.alerts.values() if one.closed is None)
    finding = judged(beat, now, lives=holder is not None)
    verdict = worst([one.finding for one in alerts]) if alerts else Verdict.OK
    return MonitorStatus(
        stack=ports.name,
        verdict=verdict if holder is not None and finding.is_well else Verdict.UNKNOWN,
        watcher=str(holder) if holder else None,
        since=holder.since if holder else None,
        looked_at=_newest(beat, looked_at),
        last=notes[0] if notes else None,
        alerts=alerts,
        given_up=tuple(state.given_up.values()),
        pause=orders.paused(now),
        orders=orders,
        finding=finding,
    )


def alerts(ports: Ports) -> AlertsList:
    """Return the open alerts, the oldest first."""
    now, orders = ports.clock.now(), ports.monitoring.orders()
    with opened(ports) as history:
        found = [one for one in history.state().alerts.values() if one.closed is None]
    lines = tuple(_line(one, orders, now) for one in sorted(found, key=lambda one: one.opened))
    return AlertsList(ports.name, lines, tuple(one for one in orders.silences if one.until > now))


def _line(alert: Alert, orders: Orders, now: datetime) -> AlertLine:
    finding = alert.finding
    care = orders.acknowledgement(alert.id, alert.opened) or orders.silence(alert.id, now)
    state = f"{care.who}: {care.why}" if care is not None else ""
    title = finding.title or alert.id
    return AlertLine(
        alert.id, finding.severity.value, title, finding.evidence, finding.fix, alert.opened, alert.tried, state
    )


def incidents(ports: Ports, *, limit: int) -> tuple[Incident, ...]:
    """Return the last incidents, the newest first."""
    with opened(ports) as history:
        return history.incidents(limit=limit)


def log(ports: Ports, *, limit: int) -> tuple[Note, ...]:
    """Return the last sentences of the monitor, the newest first."""
    with opened(ports) as history:
        return history.notes(limit=limit)


def recorded(ports: Ports, *, limit: int) -> Sequence[Look]:
    """Return the last looks as they were recorded, the oldest first."""
    with opened(ports) as history:
        return history.looks(limit=limit)


def replay(name: str, path: Path, limits: Limits) -> tuple[Step, ...]:
    """Decide again about a recorded history: a file with one look in JSON a line. Raises UsageError."""
    found = replayed(name, _looks_in(path), limits)
    return tuple(
        Step(look.at, one.notes, one.action.id if one.action else None, one.message.title if one.message else None)
        for look, one in found
    )


@contextmanager
def opened(ports: Ports) -> Generator[History]:
    """Open a stack's history for a moment."""
    history = ports.monitoring.history()
    try:
        yield history
    finally:
        history.close()


def _looks_in(path: Path) -> Iterator[Look]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _look(line, path, number)
    except (OSError, UnicodeDecodeError) as error:
        raise QfcError(f"{path} cannot be read.", hint="Record one: qfc monitor log --looks 1000 >FILE") from error


def _look(line: str, path: Path, number: int) -> Look:
    try:
        return restored(Look, json.loads(line))
    except ValueError as error:
        hint = "Record a history: qfc monitor log --looks 1000 >FILE"
        raise UsageError(f"{path}, line {number}: not a look of a monitor.", hint=hint) from error


def _newest(beat: Beat | None, looked_at: datetime | None) -> datetime | None:
    moments = [one for one in (beat.looked_at if beat else None, looked_at) if one is not None]
    return max(moments, default=None)

"""What people tell the monitor. It obeys at its next look; each order has a name, a reason and a line in the audit log.

The stack's lock is not taken: a monitor has to be paused while somebody is at work, which is when it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from ...errors import NotFoundError, QfcError, RefusedError
from ...stack.model import AuditEntry
from ...stack.monitor import Orders, Pause, Silence
from ...stack.monitor.model import Acknowledgement
from ...stack.ports import Ports
from ..guard import Options

#: The last orders that are kept.
MOST = 100


@dataclass(frozen=True)
class Ordered:
    """What the monitor was told, and what holds now."""

    stack: str
    did: str
    orders: Orders
    dry_run: bool = False


def pause(ports: Ports, options: Options, *, seconds: float | None, why: str) -> Ordered:
    """Let the monitor only observe, for some time or until it is resumed."""
    now = ports.clock.now()
    until = None if seconds is None else now + timedelta(seconds=seconds)
    order = Pause(ports.lock.identity(), why, now, until)
    return _ordered(ports, options, "monitor pause", f"Paused: {why}", lambda known: replace(known, pause=order))


def resume(ports: Ports, options: Options) -> Ordered:
    """End a pause, and let the monitor repair again what it has given up."""
    now = ports.clock.now()
    return _ordered(ports, options, "monitor resume", "Resumed", lambda known: replace(known, pause=None, armed_at=now))


def acknowledge(ports: Ports, options: Options, *, alert: str, why: str) -> Ordered:
    """Say that somebody takes care of an open alert: it is not repeated. Raises NotFoundError if it is not open."""
    history = ports.monitoring.history()
    try:
        is_open = alert in {id for id, one in history.state().alerts.items() if one.closed is None}
    finally:
        history.close()
    if not is_open:
        raise NotFoundError(f"There is no open alert {alert}.", hint="Type: qfc alerts list")
    order = Acknowledgement(alert, ports.lock.identity(), why, ports.clock.now())

    def change(known: Orders) -> Orders:
        return replace(known, acknowledged=(*known.acknowledged, order)[-MOST:])

    return _ordered(ports, options, "alerts ack", f"Acknowledged {alert}: {why}", change)


def silence(ports: Ports, options: Options, *, alert: str, seconds: float, why: str) -> Ordered:
    """Tell nobody of an alert for some time; `*` means every one."""
    now = ports.clock.now()
    order = Silence(alert, ports.lock.identity(), why, now, now + timedelta(seconds=seconds))

    def change(known: Orders) -> Orders:
        kept = (one for one in known.silences if one.until > now and one.alert != alert)
        return replace(known, silences=(*kept, order)[-MOST:])

    return _ordered(ports, options, "alerts silence", f"Silenced {alert}: {why}", change)


def unsilence(ports: Ports, options: Options, *, alert: str) -> Ordered:
    """Tell of an alert again. Raises RefusedError if it is not silenced."""
    now = ports.clock.now()
    if not any(one.alert == alert and one.until > now for one in ports.monitoring.orders().silences):
        raise RefusedError(f"{alert} is not silenced.", hint="Type: qfc alerts list")

    def change(known: Orders) -> Orders:
        return replace(known, silences=tuple(one for one in known.silences if one.alert != alert))

    return _ordered(ports, options, "alerts unsilence", f"Told again: {alert}", change)


def _ordered(ports: Ports, options: Options, command: str, did: str, change: Callable[[Orders], Orders]) -> Ordered:
    orders = change(_known(ports))
    if not options.dry_run:
        began = ports.clock.now()
        ports.monitoring.order(orders)
        seconds = round((ports.clock.now() - began).total_seconds(), 3)
        ports.audit.append(AuditEntry(began, ports.lock.identity(), command, ports.name, f"done: {did}", seconds))
    return Ordered(ports.name, did, orders, options.dry_run)


def _known(ports: Ports) -> Orders:
    """Return the present orders; unreadable ones are replaced."""
    try:
        return ports.monitoring.orders()
    except QfcError:
        return Orders()

"""The monitor itself: what watches everything else must not stop unseen."""

from __future__ import annotations

from ..stack.beats import ID, judged
from .base import Check, Severity
from .evidence import Evidence


class MonitorStopped(Check):
    """Nobody is woken by a monitor that has stopped."""

    id = ID
    title = "The monitor has stopped"
    severity = Severity.WARNING
    fix = "Start it: qfc monitor run; or let systemd do that: qfc monitor install"

    def look(self, seen: Evidence) -> str | None:
        """Read when the monitor last looked, if one was ever started and nobody ended it."""
        found = judged(seen.ports.monitoring.beat(), seen.ports.clock.now())
        return None if found.is_well else found.evidence


MONITORING: tuple[Check, ...] = (MonitorStopped(),)

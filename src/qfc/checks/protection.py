"""What `qfc protect` set up, and is not there any more."""

from __future__ import annotations

from ..stack.protection import gone, read
from .base import Auto, Check, Severity
from .evidence import Evidence


class ProtectionGone(Check):
    """A timer that was removed, limits that were ended: nobody notices until they are needed."""

    id = "protection"
    title = "A part of the protection has gone"
    severity = Severity.WARNING
    fix = "Put it in place again: qfc protect; to end it: qfc protect --undo"
    auto = Auto.SAFE
    operation = "qfc.operations.protect.run:repair"

    def look(self, seen: Evidence) -> str | None:
        """Compare what is remembered of the protection with what is there."""
        protection = read(seen.ports.own_records)
        if protection is None:
            return None
        found = gone(seen.ports, protection)
        return f"{protection.who} protected {seen.ports.name}, but {', '.join(found.values())}." if found else None


PROTECTION: tuple[Check, ...] = (ProtectionGone(),)

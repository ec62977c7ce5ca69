"""Maintenance that began and was killed."""

from __future__ import annotations

from ..stack.maintenance import JOBS, from_document, never_ended
from .base import Check, Severity
from .evidence import Evidence, named


class MaintenanceUnended(Check):
    """A run that was killed says nothing by itself: not that a backup is missing, and not that workers are stopped."""

    id = "maintenance-unended"
    title = "Maintenance began and never ended"
    severity = Severity.WARNING
    fix = "See what it did: qfc maintenance history; then run it again: qfc maintenance run NAME"

    def look(self, seen: Evidence) -> str | None:
        """Compare the last run of each job with who is at work now."""
        ports, is_locked = seen.ports, seen.ports.lock.holder() is not None
        last = [runs[-1] for job in JOBS if (runs := from_document(ports.records.read(f"maintenance/{job.name}.json")))]
        found = [run for run in last if never_ended(run, ports.clock.now(), is_locked=is_locked)]
        listed = named(f"{run.job} of {run.began_at:%Y-%m-%d %H:%M} UTC" for run in found)
        return f"No end is known of {listed}." if found else None


MAINTENANCE: tuple[Check, ...] = (MaintenanceUnended(),)

"""Rows that the application writes with every request or task, and never removes."""

from __future__ import annotations

from datetime import datetime, timedelta

from .base import Auto, Check, Severity
from .evidence import Evidence

APP = "app"
#: From so many old rows on, a table is worth the operator's attention.
MANY_ROWS = 50_000
#: Entries of the audit log are proof of who changed what: they stay for a year.
AUDIT_KEPT = timedelta(days=365)
#: Runs of periodic tasks are of use only while somebody looks for a fault.
RUNS_KEPT = timedelta(days=30)
COMMAND_S = 1800.0


class ExpiredSessions(Check):
    """Every request without a session cookie leaves a row, also one with a token; nothing removes them."""

    id = "sessions"
    title = "Expired sessions fill the database"
    severity = Severity.WARNING
    fix = "Remove them: qfc doctor --fix; then every week from cron: manage.py clearsessions"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Count the sessions that have ended."""
        number = seen.conditions.server.expired_sessions()
        return f"{number} sessions have ended and are still stored." if (number or 0) >= MANY_ROWS else None

    def repair(self, seen: Evidence) -> None:
        """Let the application remove the sessions that have ended."""
        seen.ports.runtime.execute(APP, ["clearsessions"], timeout_s=COMMAND_S)


class AuditLogGrows(Check):
    """Every change of a file, a job or an account leaves an entry; nothing removes them."""

    id = "audit-log"
    title = "Old entries of the audit log fill the database"
    severity = Severity.INFO
    fix = "Remove them: qfc doctor --fix; or: manage.py auditlogflush --before-date DATE"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Count the entries that are older than a year."""
        number = self._number(seen)
        return f"{number} entries are older than a year." if number >= MANY_ROWS else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return how many entries would be removed, and their age."""
        return (f"{self._number(seen)} entries from before {_day(seen, AUDIT_KEPT):%Y-%m-%d} would be removed",)

    def repair(self, seen: Evidence) -> None:
        """Let the application remove them."""
        day = f"{_day(seen, AUDIT_KEPT):%Y-%m-%d}"
        seen.ports.runtime.execute(APP, ["auditlogflush", "--yes", "--before-date", day], timeout_s=COMMAND_S)

    def _number(self, seen: Evidence) -> int:
        before = _day(seen, AUDIT_KEPT)
        return seen.once("old audit entries", lambda: seen.conditions.server.audit_entries(before=before)) or 0


class CronLogGrows(Check):
    """Each run of a periodic task leaves a row, some 2,000 a day; nothing removes them."""

    id = "cron-log"
    title = "Old runs of periodic tasks fill the database"
    severity = Severity.INFO
    fix = "Remove them: qfc doctor --fix"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Count the runs that are older than a month."""
        number = seen.conditions.server.old_cron_runs(before=_day(seen, RUNS_KEPT)) or 0
        return f"{number} runs are older than {RUNS_KEPT.days} days." if number >= MANY_ROWS else None

    def repair(self, seen: Evidence) -> None:
        """Remove them; the last run of each task stays."""
        seen.conditions.server.remove_cron_runs(before=_day(seen, RUNS_KEPT))


def _day(seen: Evidence, age: timedelta) -> datetime:
    """Return the beginning of the day of so long ago."""
    now = seen.once("day of growth", seen.ports.clock.now)
    return (now - age).replace(hour=0, minute=0, second=0, microsecond=0)


GROWTH: tuple[Check, ...] = (ExpiredSessions(), AuditLogGrows(), CronLogGrows())

"""The state of the database server and of the application's periodic tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from qfc.stack.model.conditions import CronRun, StuckSession

from ....stack.ports.diagnosis import ServerConditions
from ..connection import Database
from .reading import MOST, Reader

#: Rows are counted up to this number.
MOST_ROWS = 1_000_000


class PostgresServer(ServerConditions):
    """The database server, and the application's periodic tasks."""

    def __init__(self, database: Database) -> None:
        self._database, self._reader = database, Reader(database)

    def is_read_only(self) -> bool:
        return bool(self._reader.row("conditions_server.read_only")["is_read_only"])

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        return self._reader.all(StuckSession, "conditions_server.stuck_sessions", older_s=older_s, limit=MOST)

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        return self._reader.kept(CronRun, "conditions_server.cron_runs")

    def expired_sessions(self) -> int | None:
        return self._number("conditions_server.expired_sessions")

    def audit_entries(self, *, before: datetime) -> int | None:
        return self._number("conditions_server.audit_entries", before=before)

    def old_cron_runs(self, *, before: datetime) -> int | None:
        return self._number("conditions_server.old_cron_runs", before=before)

    def remove_cron_runs(self, *, before: datetime) -> None:
        with self._database.writing() as transaction:
            if transaction.answers("conditions_server.remove_cron_runs"):
                transaction.change("conditions_server.remove_cron_runs", before=before)

    def oldest_secret(self) -> datetime | None:
        found = self._reader.kept_rows("conditions_server.oldest_secret")
        return found[0]["oldest"] if found else None

    def change_password(self, password: str) -> None:
        """Change the password of our role, which is the application's. The server only receives its hash."""
        with self._database.writing() as transaction:
            transaction.change_password(password)

    def _number(self, query: str, **parameters: Any) -> int | None:
        found = self._reader.kept_rows(query, **parameters, limit=MOST_ROWS)
        return int(found[0]["number"]) if found else None

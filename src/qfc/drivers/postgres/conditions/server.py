"""What the database server and the application say of themselves."""

from __future__ import annotations

from datetime import datetime

from qfc.stack.model.conditions import CronRun, StuckSession

from ..connection import Database
from .reading import MOST, Reader


class PostgresServer:
    """Implements `qfc.stack.ports.diagnosis.ServerConditions`."""

    def __init__(self, database: Database) -> None:
        self._database, self._reader = database, Reader(database)

    def is_read_only(self) -> bool:
        """Tell whether nothing can be written: the server is a copy of another, or was told so."""
        return bool(self._reader.row("conditions_server.read_only")["is_read_only"])

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return transactions that are open or wait for so many seconds, the oldest first, as far as we may see."""
        return self._reader.all(StuckSession, "conditions_server.stuck_sessions", older_s=older_s, limit=MOST)

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return the application's periodic tasks."""
        return self._reader.kept(CronRun, "conditions_server.cron_runs")

    def oldest_secret(self) -> datetime | None:
        """Return since when projects' secrets are stored that are still there; None without any."""
        found = self._reader.kept_rows("conditions_server.oldest_secret")
        return found[0]["oldest"] if found else None

    def change_password(self, password: str) -> None:
        """Give our role, which is the application's, another password. The server only gets its hash."""
        with self._database.writing() as transaction:
            transaction.change_password(password)

"""What the database server and the application say of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ...model.conditions import CronRun, StuckSession


class ServerConditions(Protocol):
    """The database itself, and what the application does by the clock."""

    def is_read_only(self) -> bool:
        """Tell whether nothing can be written: the server is a copy of another, or was told so."""
        ...

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return transactions that are open or wait for so many seconds, the oldest first, as far as we may see."""
        ...

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return the application's periodic tasks."""
        ...

    def oldest_secret(self) -> datetime | None:
        """Return since when projects' secrets are stored that are still there; None without any."""
        ...

    def change_password(self, password: str) -> None:
        """Give the role by which the application comes another password; no log of the server gets to know it."""
        ...

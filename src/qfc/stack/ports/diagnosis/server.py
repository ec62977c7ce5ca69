"""The state of the database server and of the application's periodic tasks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model.conditions import CronRun, StuckSession


class ServerConditions(Protocol):
    """The database itself, and the application's periodic tasks."""

    def is_read_only(self) -> bool:
        """Return whether the database is read-only: the server is a replica, or is configured so."""
        ...

    def stuck_sessions(self, *, older_s: float) -> tuple[StuckSession, ...]:
        """Return transactions that have been open or waiting for `older_s` seconds or more, the oldest first.

        Only those that our role is allowed to see are included.
        """
        ...

    def cron_runs(self) -> tuple[CronRun, ...] | None:
        """Return the last runs of the application's periodic tasks; None where the server does not record them."""
        ...

    def expired_sessions(self) -> int | None:
        """Return the number of rows of sessions that have ended, up to a million; None without such rows."""
        ...

    def audit_entries(self, *, before: datetime) -> int | None:
        """Return the number of entries of the audit log from before, up to a million; None without such a log."""
        ...

    def old_cron_runs(self, *, before: datetime) -> int | None:
        """Return the number of stored runs of periodic tasks from before, up to a million; None without such rows."""
        ...

    def remove_cron_runs(self, *, before: datetime) -> None:
        """Remove these runs, but for the last one of each task."""
        ...

    def oldest_secret(self) -> datetime | None:
        """Return when the oldest stored secret of a project was created; None without secrets."""
        ...

    def change_password(self, password: str) -> None:
        """Change the password of the application's role; it never appears in a log of the server."""
        ...

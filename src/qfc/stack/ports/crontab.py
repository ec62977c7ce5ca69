"""The table of cron."""

from __future__ import annotations

from typing import Protocol


class Crontab(Protocol):
    """A table of cron, of this user or of the system. Every method raises RefusedError where there is no cron."""

    @property
    def place(self) -> str:
        """Where it is, in words."""
        ...

    @property
    def account(self) -> str:
        """The account that lines of the system's table name; "" in a user's own."""
        ...

    def usable(self) -> bool:
        """Return whether there is a cron that reads this table. Never raises."""
        ...

    def block(self, name: str) -> str | None:
        """Return our lines of that name; None without them."""
        ...

    def put(self, name: str, lines: str) -> None:
        """Replace our lines of that name, and leave all others as they are; with "" remove them."""
        ...

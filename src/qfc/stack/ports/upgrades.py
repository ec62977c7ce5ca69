"""What an upgrade of an embedded stack replaces, and what it can put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..node_release import NodeRelease


class Upgrades(Protocol):
    """The release that serves a stack and the one that is installed. Every change can be repeated and taken back."""

    def present(self) -> NodeRelease | None:
        """Return the release that serves the stack, or served it last; None before its first start."""
        ...

    def installed(self) -> NodeRelease:
        """Return the release that is installed. Raises ConfigError if it cannot read the stack's data."""
        ...

    def room_bytes(self) -> int:
        """Return the free space that a copy of the database needs on the disk of the stack."""
        ...

    def remember(self) -> None:
        """Keep everything that `restart_before` needs, but no data."""
        ...

    def renew_database(self) -> None:
        """Keep the database as it is, and let the installed release have its own. API and workers must not run."""
        ...

    def start_hidden(self) -> None:
        """Start the installed release at a port that no client knows, with at least one worker."""
        ...

    def database_back(self) -> None:
        """Stop everything, and put the database back as it was kept, if it was."""
        ...

    def settings_back(self) -> None:
        """Give the stack its port, address and workers back."""
        ...

    def restart_before(self) -> bool:
        """Start the release that served before, if it is still installed; return whether."""
        ...

    def settle(self) -> None:
        """Remove everything that was kept."""
        ...

    def forget(self) -> None:
        """Remove what `remember` kept."""
        ...

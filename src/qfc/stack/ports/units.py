"""The units of systemd, of the system or of one user."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Units(Protocol):
    """Units that start with the machine, or with the first login of their user.

    Every method raises RefusedError where systemd does not run, and CommandError with its words if it refuses.
    """

    @property
    def is_system(self) -> bool:
        """Whether the units are those of the system."""
        ...

    def usable(self) -> bool:
        """Return whether systemd runs here and takes orders from this account. Never raises."""
        ...

    def path(self, name: str) -> Path:
        """Return the file of a unit, whether or not it exists."""
        ...

    def text(self, name: str) -> str | None:
        """Return the content of a unit's file; None without it. Also where systemd does not run."""
        ...

    def install(self, name: str, text: str) -> None:
        """Write a unit, enable and start it; what it starts may already run."""
        ...

    def place(self, name: str, text: str) -> None:
        """Write a unit without enabling it: another one starts it."""
        ...

    def uninstall(self, name: str, *, stop: bool = False) -> None:
        """Disable a unit and remove it; what it started goes on, unless it has to `stop`."""
        ...

    def restart(self, name: str) -> None:
        """Restart a unit, which then follows its changed file."""
        ...

    def enabled(self, *names: str) -> bool:
        """Return whether all of these units start by themselves; True where systemd cannot be asked."""
        ...

    def state(self, name: str) -> str:
        """Return systemd's word for the state of a unit: active, inactive, failed, activating …"""
        ...

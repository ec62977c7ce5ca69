"""This machine, from which the operator manages a stack: what it starts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .crontab import Crontab
    from .units import Units


class ThisMachine(Protocol):
    """The operator's machine, which may be the stack's."""

    @property
    def name(self) -> str:
        """Its name in its network."""
        ...

    @property
    def account(self) -> str:
        """The account of this process."""
        ...

    def units(self, *, system: bool) -> Units:
        """Return the units of systemd, of the system or of this account."""
        ...

    def crontab(self, account: str) -> Crontab:
        """Return the system's table of cron, whose lines run as an account; with "" the table of this account."""
        ...

    def end(self, pid_file: Path, word: str) -> bool:
        """End the process whose id is in a file, if its command has the word; return whether there was one."""
        ...

    def table(self, config: Path, name: str) -> Mapping[str, Any]:
        """Return a table of a configuration's file as it is written there; empty without it. Raises QfcError."""
        ...

    def with_key(self, config: Path) -> tuple[str, ...]:
        """Return the stacks of a configuration that have a key of backups. Raises QfcError."""
        ...

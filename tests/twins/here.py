"""The twin of the operator's machine: units in a folder, tables of cron in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qfc.drivers.systemd import Systemd
from qfc.drivers.this_machine import table_of
from qfc.errors import QfcError
from qfc.stack.ports.crontab import Crontab


class FolderUnits(Systemd):
    """systemd's files without systemd. `fails`: the name of a unit that it refuses; `disabled`: those of others."""

    def __init__(self, folder: Path, *, system: bool = False) -> None:
        super().__init__(system=system, folder=folder, booted=folder)
        self.asked: list[tuple[str, ...]] = []
        self.works, self.fails, self.disabled = True, "", set[str]()

    def usable(self) -> bool:
        """Return what the test says."""
        return self.works

    def _ask(self, *words: str, check: bool = True) -> str:
        del check
        if self.fails and words[-1] == self.fails:
            raise QfcError(f"{self.fails} is refused.")
        self.asked.append(words)
        if words[0] == "is-enabled":
            return "\n".join("disabled" if name in self.disabled else "enabled" for name in words[1:])
        if words[0] == "enable":
            self.disabled.discard(words[-1])
        return ""

    def _require(self) -> None:
        """Let everybody change them."""
        self._folder.mkdir(parents=True, exist_ok=True)


class MemoryCrontab(Crontab):
    """A table of cron in a dictionary."""

    def __init__(self, account: str) -> None:
        self._account, self.blocks, self.works = account, dict[str, str](), True

    @property
    def place(self) -> str:
        """In words."""
        return "cron"

    @property
    def account(self) -> str:
        """The account of its lines."""
        return self._account

    def usable(self) -> bool:
        """Return what the test says."""
        return self.works

    def block(self, name: str) -> str | None:
        return self.blocks.get(name)

    def put(self, name: str, lines: str) -> None:
        """Keep the lines."""
        self.blocks.pop(name, None)
        if lines:
            self.blocks[name] = lines


@dataclass
class MemoryHere:
    """A machine whose units are files below `folder`; implements `qfc.stack.ports.ThisMachine`.

    `ended` are the processes that were ended, by their files; `with_keys` the stacks that have a key of backups.
    """

    name: str = "memory"
    account: str = "anna"
    folder: Path = Path("/memory/units")
    ended: list[Path] = field(default_factory=list[Path])
    with_keys: list[str] = field(default_factory=list[str])
    _units: dict[bool, FolderUnits] = field(default_factory=dict[bool, FolderUnits])
    _tables: dict[str, MemoryCrontab] = field(default_factory=dict[str, MemoryCrontab])

    def units(self, *, system: bool) -> FolderUnits:
        """Return the units of a folder."""
        folder = self.folder / ("system" if system else "user")
        return self._units.setdefault(system, FolderUnits(folder, system=system))

    def crontab(self, account: str) -> MemoryCrontab:
        """Return the table of an account."""
        return self._tables.setdefault(account, MemoryCrontab(account))

    def end(self, pid_file: Path, word: str) -> bool:
        """Note that it would be ended."""
        del word
        self.ended.append(pid_file)
        return True

    def table(self, config: Path, name: str) -> Mapping[str, Any]:
        """Return a table of a real file."""
        return table_of(config, name)

    def with_key(self, config: Path) -> tuple[str, ...]:
        """Return what the test says."""
        del config
        return tuple(self.with_keys)

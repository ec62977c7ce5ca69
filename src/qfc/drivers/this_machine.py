"""This machine: its name, its account, and what starts things on it."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from ..config import load, read_text
from ..config.places import CONFIG
from ..errors import ConfigError
from ..stack.ports import ThisMachine
from ..stack.ports.crontab import Crontab
from ..stack.ports.units import Units
from .crontab import SystemCrontab, UserCrontab
from .systemd import Systemd


class LocalMachine(ThisMachine):
    """The machine of this process."""

    @property
    def name(self) -> str:
        return socket.gethostname()

    @property
    def account(self) -> str:
        return pwd.getpwuid(os.geteuid()).pw_name

    def units(self, *, system: bool) -> Units:
        return Systemd(system=system)

    def crontab(self, account: str) -> Crontab:
        return SystemCrontab(account) if account else UserCrontab()

    def end(self, pid_file: Path, word: str) -> bool:
        try:
            pid = int(pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return False
        # The process may be gone, and its number be that of another one by now.
        if word.encode() not in words:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        return True

    def table(self, config: Path, name: str) -> Mapping[str, Any]:
        return table_of(config, name)

    def with_key(self, config: Path) -> tuple[str, ...]:
        from .backups.keys import KEYS, FileBackupKeys  # Only here: cryptography takes long to load.

        stacks = load({**os.environ, CONFIG: str(config)}).stacks.values()
        return tuple(one.name for one in stacks if FileBackupKeys(one.folder / KEYS).recipient() is not None)


def table_of(config: Path, name: str) -> Mapping[str, Any]:
    """Return a table of a configuration's file as it is written there. Raises ConfigError."""
    try:
        found: object = tomllib.loads(read_text(config)).get(name, {})
    except ValueError as error:
        raise ConfigError([f"{config} is not valid TOML: {error}"], hint="Correct the file, then try again.") from error
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}

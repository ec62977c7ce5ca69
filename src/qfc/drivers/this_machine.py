"""This machine: its name, its account, and what starts things on it."""

from __future__ import annotations

import os
import pwd
import signal
import socket
from contextlib import suppress
from pathlib import Path

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

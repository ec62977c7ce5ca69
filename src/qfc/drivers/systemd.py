"""systemd, by its own command `systemctl`."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import QfcError, RefusedError
from ..files import keep_file
from ..stack.ports.units import Units
from .commands import run

#: It exists where systemd is the init of the machine.
BOOTED = Path("/run/systemd/system")
SYSTEM_FOLDER = Path("/etc/systemd/system")
START_S = 600.0
ASK_S = 10.0


class Systemd(Units):
    """The units of the system, or of this user."""

    def __init__(self, *, system: bool, folder: Path | None = None, booted: Path = BOOTED) -> None:
        self._system, self._booted = system, booted
        self._folder = folder or (SYSTEM_FOLDER if system else user_folder())

    @property
    def is_system(self) -> bool:
        return self._system

    def usable(self) -> bool:
        if not self._booted.exists() or (self._system and os.geteuid() != 0):
            return False
        # A session without a bus of its user, as under `su`, has systemd and cannot reach it.
        try:
            return bool(self._ask("show", "--property=Version", check=False))
        except QfcError:
            return False

    def path(self, name: str) -> Path:
        return self._folder / name

    def text(self, name: str) -> str | None:
        try:
            return self.path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise QfcError(f"{self.path(name)} cannot be read.", hint="Check its permissions.") from error

    def install(self, name: str, text: str) -> None:
        self.place(name, text)
        self._ask("daemon-reload")
        self._ask("enable", "--now", name)

    def place(self, name: str, text: str) -> None:
        self._require()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise QfcError(f"{self._folder} cannot be created.", hint="Check its permissions.") from error
        keep_file(self.path(name), text.encode())

    def uninstall(self, name: str, *, stop: bool = False) -> None:
        self._require()
        self._ask("disable", *(["--now"] if stop or name.endswith(".timer") else []), name)
        self.path(name).unlink(missing_ok=True)
        self._ask("daemon-reload")

    def restart(self, name: str) -> None:
        self._require()
        self._ask("restart", name)

    def enabled(self, *names: str) -> bool:
        if not self.usable():
            return True
        return self._ask("is-enabled", *names, check=False).split() == ["enabled"] * len(names)

    def state(self, name: str) -> str:
        self._require()
        return self._ask("is-active", name, check=False) or "unknown"

    def _ask(self, *words: str, check: bool = True) -> str:
        argv = ["systemctl", *([] if self._system else ["--user"]), *words]
        return run(argv, environment=dict(os.environ), timeout_s=START_S, check=check).stdout.strip()

    def _require(self) -> None:
        if not self._booted.exists():
            raise RefusedError(
                "systemd does not run on this machine.",
                hint="Use another way to start at boot: in `crontab -e`, @reboot qfc up; for the rest: install --cron",
            )
        if self._system and os.geteuid() != 0:
            raise RefusedError("Only root may change units of the system.", hint="Use sudo, or --user.")


def active_unit(name: str, booted: Path = BOOTED) -> str | None:
    """Return a unit of the system or of this user if systemd has its file and it is active; None otherwise."""
    if not booted.exists():
        return None
    for whose in ([], ["--user"]):
        argv = ["systemctl", *whose, "show", "--property=LoadState,ActiveState", name]
        said = run(argv, environment=dict(os.environ), timeout_s=ASK_S, check=False).stdout.split()
        if "LoadState=loaded" in said and not {"ActiveState=inactive", "ActiveState=failed"} & set(said):
            return " ".join([name, *whose])
    return None


def user_folder() -> Path:
    """Return the folder of this user's units."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd/user"

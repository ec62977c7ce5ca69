"""Tables of cron: this user's, by `crontab`; the system's, a file in /etc/cron.d."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import RefusedError
from ..files import keep_file
from ..stack.ports.crontab import Crontab
from .commands import run

FOLDER = Path("/etc/cron.d")
TIMEOUT_S = 30.0
#: Programs that read it.
DAEMONS = ("cron", "crond", "fcron")


class UserCrontab(Crontab):
    """The table of this user. Our lines are between two of comments, so that others stay."""

    @property
    def place(self) -> str:
        """In words: there is one for each user."""
        return "your crontab"

    @property
    def account(self) -> str:
        """Nobody else's."""
        return ""

    def usable(self) -> bool:
        return shutil.which("crontab") is not None

    def block(self, name: str) -> str | None:
        return _split(self._text(), name)[1]

    def put(self, name: str, lines: str) -> None:
        others, _ = _split(self._text(), name)
        begin, end = _marks(name)
        own = f"{begin}\n{lines}{end}\n" if lines else ""
        run(["crontab", "-"], stdin=(others + own).encode(), timeout_s=TIMEOUT_S, environment=dict(os.environ))

    def _text(self) -> str:
        if shutil.which("crontab") is None:
            raise RefusedError("There is no cron on this machine.", hint="Leave --cron out.")
        done = run(["crontab", "-l"], timeout_s=TIMEOUT_S, check=False, environment=dict(os.environ))
        return done.stdout if done.exit_code == 0 else ""


class SystemCrontab(Crontab):
    """A file of our own for each name."""

    def __init__(self, account: str, folder: Path = FOLDER) -> None:
        self._account, self._folder = account, folder

    @property
    def account(self) -> str:
        """The account that runs the lines."""
        return self._account

    @property
    def place(self) -> str:
        """Its folder."""
        return str(self._folder)

    def usable(self) -> bool:
        """Return whether its folder is read: packages put files there on machines without any cron, too."""
        return self._folder.is_dir() and any(map(shutil.which, DAEMONS))

    def block(self, name: str) -> str | None:
        path = self._path(name)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def put(self, name: str, lines: str) -> None:
        if not self._folder.is_dir():
            raise RefusedError(f"There is no {self._folder}.", hint="Type: qfc maintenance install, without --cron")
        path = self._path(name)
        if lines:
            keep_file(path, lines.encode(), mode=0o644)
        else:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        """Return the file: cron ignores names with other characters."""
        return self._folder / "".join(one if one.isalnum() or one in "_-" else "-" for one in name)


def _marks(name: str) -> tuple[str, str]:
    return f"# begin {name} (written by qfc)", f"# end {name}"


def _split(text: str, name: str) -> tuple[str, str | None]:
    """Return the lines of others, and ours."""
    begin, end = _marks(name)
    before, found, rest = text.partition(f"{begin}\n")
    if not found:
        return text if not text or text.endswith("\n") else f"{text}\n", None
    own, _, after = rest.partition(f"{end}\n")
    return before + after, own

"""How a setting is read: from TOML, from a variable of the environment, from a flag.

Every command imports this, so these are plain classes: creating a dataclass takes half a millisecond.
"""

from __future__ import annotations

import re
from contextlib import suppress
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Generic, Protocol, TypeVar

WORD = re.compile(r"[^\s\0-][^\s\0]*")

Thing_co = TypeVar("Thing_co", covariant=True)
Choice = TypeVar("Choice", bound=StrEnum)


class Value(Protocol[Thing_co]):
    """One way to read a setting."""

    def parse(self, given: object) -> Thing_co:
        """Return the value. Raises ValueError with what it must be, as in "must be a text, not 5"."""
        ...


class Text:
    """Any text that is not empty. `called` is its name in the help of a flag."""

    def __init__(self, called: str = "TEXT") -> None:
        self.called = called

    def parse(self, given: object) -> str:
        """Return the text."""
        if isinstance(given, str) and given:
            return given
        raise ValueError(f"must be a text, not {given!r}")


class Word(Text):
    """A name that commands receive as one word."""

    def __init__(self) -> None:
        super().__init__("NAME")

    def parse(self, given: object) -> str:
        """Return the name."""
        text = super().parse(given)
        if WORD.fullmatch(text):
            return text
        raise ValueError(f"must be a name without spaces that does not begin with -, not {text!r}")


class SftpUrl(Text):
    """A folder on a server: `sftp://USER@HOST:PORT/FOLDER`; user and port are optional, `/~/` is the home folder."""

    def __init__(self) -> None:
        super().__init__("URL")

    def parse(self, given: object) -> str:
        """Return the URL."""
        text = super().parse(given)
        if re.fullmatch(r"sftp://([^@/:\s]+@)?([^@/:\s\[-][^@/:\s]*|\[[^]\s]+\])(:\d+)?/\S+", text):
            return text
        raise ValueError(f"must be sftp://USER@HOST:PORT/FOLDER, without a password, not {text!r}")


class Schedule:
    """When a job of maintenance runs: `every 5m`, `every 4h`, `02:00` or `off`."""

    def parse(self, given: object) -> str:
        """Return the time."""
        from ..stack.maintenance.times import check

        return check(Text().parse(given))


class LocalPath:
    """A path on this machine; `~` is our home folder."""

    def parse(self, given: object) -> Path:
        """Return the path."""
        text = Text().parse(given)
        with suppress(RuntimeError):  # the home folder of an account that does not exist
            path = Path(text).expanduser()
            if path.is_absolute():
                return path
        raise ValueError(f"must be an absolute path, not {text!r}")


class HostPath:
    """A path on the stack's host, where `~` would not be our home folder."""

    def parse(self, given: object) -> PurePosixPath:
        """Return the path."""
        text = Text().parse(given)
        if text.startswith("/"):
            return PurePosixPath(text)
        raise ValueError(f"must be an absolute path on the host, not {text!r}")


class WholeNumber:
    """A whole number from `low` to `high`, both included."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def parse(self, given: object) -> int:
        """Return the number; it may be given as text."""
        number = self._number(given)
        if number is not None and self.low <= number <= self.high:
            return number
        raise ValueError(f"must be a whole number from {self.low} to {self.high}, not {given!r}")

    @staticmethod
    def _number(given: object) -> int | None:
        if isinstance(given, bool) or not isinstance(given, int | str):
            return None
        try:
            return int(given)
        except ValueError:
            return None


class OneOf(Generic[Choice]):
    """One of the values of an enumeration."""

    def __init__(self, choices: type[Choice]) -> None:
        self.choices, self.names = choices, tuple(choice.value for choice in choices)

    def parse(self, given: object) -> Choice:
        """Return the choice."""
        text = Text().parse(given)
        try:
            return self.choices(text)
        except ValueError:
            raise ValueError(f"must be one of {', '.join(self.names)}, not {text!r}") from None

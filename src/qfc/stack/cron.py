"""Commands as lines of cron know them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def shell(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return a command as the shell reads it.

    Variables are set for the command alone: in cron, they would hold for all lines below.
    """
    settings = [f"{name}={word(value)}" for name, value in environment.items()]
    return " ".join((*settings, *map(word, command)))


def escaped(line: str) -> str:
    """Return a line without what cron would take for its end: a percent sign."""
    return line.replace("%", "\\%")


def word(text: str) -> str:
    """Return one word as the shell reads it; quoted where it has to be."""
    plain = all(one.isalnum() or one in "_-./:=,+@" for one in text)
    return text if text and plain else "'" + text.replace("'", "'\"'\"'") + "'"

"""Read the node's settings from the environment: `NAME`, or for secrets the file that `NAME_FILE` names."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path


class SettingsError(Exception):
    """A variable is missing or has an invalid value."""


def text(name: str, default: str = "") -> str:
    """Return the variable, or the default if it is unset or empty."""
    return os.environ.get(name) or default


def required(name: str) -> str:
    """Return the variable. Raises SettingsError if it is unset or empty."""
    value = text(name)
    if not value:
        raise SettingsError(f"{name} is not set. The node reads only its environment, which `qfc up` sets.")
    return value


def secret(name: str) -> str:
    """Return the variable or the content of the file that `NAME_FILE` names. Raises SettingsError without either."""
    path = text(f"{name}_FILE")
    if not path:
        return required(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}") from error


def number(name: str, default: int) -> int:
    """Return the variable as a whole number. Raises SettingsError on anything else."""
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise SettingsError(f"{name} must be a whole number, not {value!r}.") from error


def switch(name: str, default: bool = False) -> bool:
    """Return the variable as yes or no: 1, true, yes, on; 0, false, no, off. Raises SettingsError on anything else."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name} must be 0 or 1, not {value!r}.")


def words(name: str) -> list[str]:
    """Return the words of the variable, separated by white space."""
    return text(name).split()


def choices(name: str, known: Collection[str]) -> list[str]:
    """Return the words of the variable, separated by commas or white space. Raises SettingsError for unknown ones."""
    found = text(name).replace(",", " ").split()
    for word in found:
        if word not in known:
            raise SettingsError(f"{name} must name some of {', '.join(known)}, not {word!r}.")
    return found

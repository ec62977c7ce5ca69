"""Writing the configuration file; its content stays, including comments and order."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from ..errors import ConfigError, QfcError
from ..files import replace_file
from .schema import settings_of
from .tables import DEMO, StackConfig

HEADER = "The stacks that qfc manages. A setting that is missing here has its default; see: qfc init --help"

#: A new file may name hosts and folders, and whoever can write it decides where secrets are read from.
NEW = 0o600


def with_stack(text: str, name: str, values: Mapping[str, object], *, default: bool) -> str:
    """Return the file's text with a stack added, or with these values of it changed. Raises ConfigError.

    New values are in the order of the settings. The first stack, except the demo's, becomes the default.
    """
    document = _parsed(text)
    if not text.strip():
        document.add(tomlkit.comment(HEADER))
    stacks = document.setdefault("stacks", tomlkit.table(is_super_table=True))
    first = name != DEMO and not set(stacks) - {DEMO} and "default" not in document
    if default or first:
        document["default"] = name
    table = cast("Table", stacks.setdefault(name, tomlkit.table()))
    for key in sorted(values, key=list(settings_of(StackConfig)).index):
        table[key] = values[key]
    return tomlkit.dumps(document)


def without_stack(text: str, name: str) -> str:
    """Return the file's text without a stack; it is no default any more. Raises ConfigError if the file has none."""
    document = tomlkit.parse(text)
    values = cast("dict[str, Any]", document)
    stacks = values.get("stacks", {})
    if name not in stacks:
        raise ConfigError([f"The configuration has no [stacks.{name}]."], hint="See: qfc stacks")
    del stacks[name]
    if values.get("default") == name:
        del values["default"]
    return tomlkit.dumps(document)


def with_value(text: str, table: str, name: str, value: str) -> str:
    """Return the file's text with a setting of a table. Raises ConfigError."""
    document = _parsed(text)
    cast("dict[str, Any]", document.setdefault(table, tomlkit.table()))[name] = value
    return tomlkit.dumps(document)


def without_value(text: str, table: str, name: str, value: str) -> str:
    """Return the file's text without a setting, if it has this value; a table without any other goes too."""
    document = _parsed(text)
    values = cast("dict[str, dict[str, Any]]", document)
    if values.get(table, {}).get(name) == value:
        del values[table][name]
        if not values[table]:
            del values[table]
    return f"{left}\n" if (left := tomlkit.dumps(document).rstrip("\n")) else ""


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(
            [f"The configuration is not valid TOML: {error}"], hint="Correct the file, then try again."
        ) from error


def write(path: Path, text: str) -> None:
    """Replace the file with the same owner and permissions; keep a copy of the old one beside it. Raises QfcError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat() if path.exists() else None
        mode = NEW if before is None else stat.S_IMODE(before.st_mode)
        copy = path.with_name(f"{path.name}.bak")
        if before is not None:
            replace_file(copy, path.read_bytes(), mode=mode)
        replace_file(path, text.encode(), mode=mode)
        if before is not None and os.geteuid() == 0:
            # Whoever owns the configuration decides as whom things run.
            for file in (path, copy):
                os.chown(file, before.st_uid, before.st_gid)
    except OSError as error:
        hint = "Check the folder's owner and permissions, or set QFC_CONFIG to another file."
        raise QfcError(f"{path} cannot be written.", hint=hint) from error

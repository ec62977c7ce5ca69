"""Turns file, environment and flags into typed tables, and reports all mistakes at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from ..errors import ConfigError
from ..stack.model import Kind
from ..stack.names import did_you_mean
from .known import FILE as NOTES
from .places import CONFIG, HOME, config_path, home_folder, is_deployment, left_behind, platform_file
from .schema import from_environment, key_of, parsed, settings_of, variable_of
from .tables import NODE, TABLES, StackConfig, Top

STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
STACKS = "stacks"

Table = TypeVar("Table")
#: A table as it is in the file.
Raw = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """The whole configuration. `wanted` is the stack named by flag or environment."""

    path: Path
    home: Path
    stacks: Mapping[str, StackConfig] = field(default_factory=dict[str, StackConfig])
    default: str | None = None
    wanted: str | None = None
    tables: Mapping[type[Any], Any] = field(default_factory=dict[type[Any], Any])

    def stack(self) -> StackConfig:
        """Return the selected stack: the one named, the default, or the only one. Raises ConfigError."""
        if not self.stacks:
            raise ConfigError([f"No stack is configured in {self.path}."], hint="Type: qfc init")
        name = self.wanted or self.default or (next(iter(self.stacks)) if len(self.stacks) == 1 else None)
        names = ", ".join(self.stacks)
        if name is None:
            raise ConfigError([f"There are several stacks: {names}."], hint="Choose one with --stack NAME.")
        if name not in self.stacks:
            raise ConfigError(
                [f"There is no stack named {name}.{did_you_mean(name, self.stacks)}"],
                hint=f"Configured: {names}. See: qfc stacks",
            )
        return self.stacks[name]

    def table(self, of: type[Table]) -> Table:
        """Return the table of a class in `tables.TABLES`; its defaults if the file has no such table."""
        return cast("Table", self.tables[of])


def load(
    environment: Mapping[str, str],
    *,
    stack: str | None = None,
    flags: Mapping[str, object] | None = None,
    text: str | None = None,
    here: Path | None = None,
    tables: Mapping[str, type[Any]] = TABLES,
) -> Config:
    """Read the configuration. `flags` override single settings of the selected stack; None means not given.

    `text` replaces the content of the file, before it is written. Without stacks in the file, the stack is the server
    that variables of older set-ups name, or the deployment in the folder `here`. Raises ConfigError with all mistakes
    of file, environment and flags at once.
    """
    path, home = config_path(environment), home_folder(environment)
    document = _parse(_file(environment, path, home) if text is None else text, path)
    problems = _unknown_keys(document, {*settings_of(Top), STACKS, *tables}, path)
    top = _top(document, problems)
    raw = _raw_stacks(document, problems) or _implied(environment, here, home)
    wanted = stack or environment.get(variable_of(Top, "default")) or None
    meant = wanted or top.default or (next(iter(raw)) if len(raw) == 1 else None)
    if meant in raw:
        raw[meant] = _overruled(raw[meant], environment, _given(flags or {}))
    notes = path.with_name(NOTES)
    stacks = {name: _stack(name, table, home, notes, problems) for name, table in raw.items()}
    problems += _shared_folders(stacks)
    others = {of: _table(name, of, document, environment, problems) for name, of in tables.items()}
    if top.default is not None and top.default not in stacks:
        problems.append(f"default = {top.default!r} is not a stack in the file")
    if problems:
        raise ConfigError(problems, hint=f"Correct the option, the QFC_… variable or {path}, then try again.")
    return Config(path, home, stacks, top.default, wanted, others)


def read_text(path: Path) -> str:
    """Return the text of the file, empty if it does not exist. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [f"{path} cannot be read: {error}"], hint="Check the file's owner and permissions."
        ) from error


def _file(environment: Mapping[str, str], path: Path, home: Path) -> str:
    """Read the file. Also raises ConfigError if it is missing and an older place has its content."""
    text = read_text(path)
    if not text and environment.get(HOME) and not environment.get(CONFIG) and not path.exists():
        _refuse_left_behind(platform_file(), path, home)
    return text


def _refuse_left_behind(old: Path, new: Path, home: Path) -> None:
    """Raise ConfigError if the previous configuration file has stacks whose data is in this home."""
    if any(folder.is_relative_to(home) and folder.is_dir() for folder in _folders(old, home)):
        raise left_behind(old, new)


def _folders(path: Path, home: Path) -> list[Path]:
    """Return the data folders of a file's stacks; none for a file that is unreadable or invalid."""
    try:
        stacks = _raw_stacks(_parse(read_text(path), path), [])
    except ConfigError:
        return []
    return [_folder(name, table, home) for name, table in stacks.items()]


def _folder(name: str, table: Raw, home: Path) -> Path:
    """Return the data folder of a stack."""
    with suppress(ValueError):
        return settings_of(StackConfig)["folder"].value.parse(table.get("folder"))
    return home / name


def _parse(text: str, path: Path) -> Raw:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path} is not valid TOML: {error}"], hint="Correct that line, then try again.") from error


def _unknown_keys(document: Raw, known: set[str], path: Path) -> list[str]:
    return [f"{path} has an unknown key {key!r}" for key in document if key not in known]


def _top(document: Raw, problems: list[str]) -> Top:
    """Return the keys before the tables."""
    given = {name: document[name] for name in settings_of(Top) if name in document}
    return Top(**parsed(Top, given, problems))


def _raw_stacks(document: Raw, problems: list[str]) -> dict[str, Raw]:
    """Return the tables of the stacks; anything else among them is added to `problems`."""
    stacks = document.get(STACKS, {})
    if not isinstance(stacks, dict):
        problems.append("stacks must be tables: [stacks.NAME]")
        return {}
    tables: dict[str, Raw] = {}
    for name, table in cast("dict[str, object]", stacks).items():
        if not STACK_NAME.fullmatch(name):
            problems.append(f"stack name {name!r}: use a-z, 0-9, - and _, at most 31 characters")
        elif not isinstance(table, dict):
            problems.append(f"stacks.{name} must be a table: [stacks.{name}]")
        else:
            tables[name] = cast("Raw", table)
    return tables


def _implied(environment: Mapping[str, str], here: Path | None, home: Path) -> dict[str, Raw]:
    """Return the stack that needs no configuration: the server of an older set-up, or the deployment in this folder.

    Each has a data folder of its own, since the next call may use the same name for another one.
    """
    older = _older(environment)
    named = [older.get(name, "") for name in ("host", "project_path")]
    if any(named):
        return {"server": {"kind": Kind.COMPOSE.value, "folder": str(home / "server" / _as_name("_".join(named)))}}
    if here is not None and is_deployment(here):
        folder = str(home / "here" / _as_name(str(here)))
        return {"here": {"kind": Kind.COMPOSE.value, "project_path": str(here), "folder": folder}}
    return {}


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")


def _overruled(table: Raw, environment: Mapping[str, str], flags: Mapping[str, object]) -> Raw:
    """Return a stack's table with its overrides. Variables of older set-ups describe a deployment, never a node."""
    ours = from_environment(StackConfig, environment)
    if {**table, **ours, **flags}.get("kind", Kind.EMBEDDED) == Kind.EMBEDDED:
        return {**table, **ours, **flags}
    settings = settings_of(StackConfig)
    of_deployments = {name: value for name, value in ours.items() if settings[name].kinds != NODE}
    return {**table, **_older(environment), **of_deployments, **flags}


def _older(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a deployment in the variables of set-ups before this suite."""
    found = {name: environment.get(about.older_variable or "") for name, about in settings_of(StackConfig).items()}
    return {name: value for name, value in found.items() if value}


def _given(flags: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}


def _shared_folders(stacks: Mapping[str, StackConfig]) -> list[str]:
    """Return a problem for each two stacks of which one is in the folder of the other."""
    folders = [(name, stack.folder.resolve()) for name, stack in stacks.items()]
    return [
        f"stacks.{name}.folder {folder} is also that of {other}, or inside it"
        for name, folder in folders
        for other, others in folders
        if name != other and folder.is_relative_to(others) and (folder != others or name > other)
    ]


def _stack(name: str, table: Raw, home: Path, notes: Path, problems: list[str]) -> StackConfig:
    """Turn a table into a typed stack; mistakes are added to `problems` and replaced by defaults."""
    where = key_of(STACKS, name)
    values = parsed(StackConfig, table, problems, where=where)
    values.setdefault("folder", home / name)
    stack = StackConfig(name=name, home=home, notes=notes, **values)
    for key, about in settings_of(StackConfig).items():
        if table.get(key) is not None and stack.kind not in about.kinds:
            problems.append(f"{where}.{key} is a setting of the built-in node; a deployment has its own in .env")
    if stack.postgres_bin and stack.database_url_file:
        both = f"{where}.database_url_file and postgres_bin exclude each other"
        problems.append(f"{both}: the database is either the stack's own or external")
    return stack


def _table(name: str, of: type[Any], document: Raw, environment: Mapping[str, str], problems: list[str]) -> Any:
    """Turn a table other than the stacks into its class; its defaults if the file has no such table."""
    table = document.get(name, {})
    if not isinstance(table, dict):
        problems.append(f"{name} must be a table: [{name}]")
        table = {}
    given = {**cast("Raw", table), **from_environment(of, environment, prefix=name)}
    return of(**parsed(of, given, problems, where=name))

"""The configuration of the suite: a TOML file < the environment < flags.

    default = "local"                 # the stack that commands mean without --stack

    [stacks.local]
    kind = "embedded"                 # what runs the services: embedded or compose; without it, embedded
    folder = "/srv/qfc/local"         # everything of the stack; without it, a folder with its name in $QFC_HOME
    port = 8011                       # port of the API; without it, the last one, 8011 or a free one
    bind = "127.0.0.1"                # address that the API listens on; without it, 127.0.0.1: this machine only
    workers = 2                       # how many jobs are worked on at a time, 0 to 64; without it, 2
    postgres_bin = "/usr/lib/postgresql/15/bin"   # programs of an installed server; without it, those of the wheel
    database_url_file = "/etc/qfc/database-url"   # external database; the file holds postgresql://USER:PASSWORD@HOST/NAME
    host = "local"                    # where the commands run; an embedded stack is always here

    [stacks.server]
    kind = "compose"
    host = "gis.example.org"
    user = "ops"                      # account on the host; without it, what ~/.ssh/config says, or your own name
    ssh_port = 22                     # port of its SSH server; without it, what ~/.ssh/config says, or 22
    identity_file = "/home/anna/.ssh/ops"  # private key for it; without it, those of ssh and its agent
    ssh_config = "/etc/qfc/ssh"       # file in the place of ~/.ssh/config
    project_path = "/opt/QFieldCloud" # folder of docker-compose.yml and .env on the host; without it, looked for
    project = "qfieldcloud"           # name of the Compose project; without it, that of its containers or its .env
    public_host = "field.example.org" # name under which clients reach the server; without it, that of its .env

The file is `$QFC_CONFIG`, by default `config.toml` in the platform's configuration folder. Data lies in `$QFC_HOME`,
by default the platform's data folder (`/var/lib/qfc` for root). `QFC_STACK` names the stack; `QFC_PORT`,
`QFC_WORKERS` … set one value of it. For a stack that is not embedded so do the variables of older set-ups,
`QFIELDCLOUD_VPS_HOST` and its like (`OLDER_VARIABLES`).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

import platformdirs

from .errors import ConfigError
from .stack.model import Kind

STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
HOST = re.compile(r"[^\s\0-][^\s\0]*")
SETTINGS = (
    *("kind", "folder", "port", "bind", "workers", "postgres_bin", "database_url_file"),
    *("host", "user", "ssh_port", "identity_file", "ssh_config", "project_path", "project", "public_host"),
)
#: What set-ups before this suite call settings of a deployment.
OLDER_VARIABLES = {
    "host": "QFIELDCLOUD_VPS_HOST",
    "user": "QFIELDCLOUD_VPS_USER",
    "project_path": "QFIELDCLOUD_PROJECT_PATH",
    "public_host": "QFIELDCLOUD_HOST",
}
#: Settings of the built-in node. A deployment has its own in `.env`.
OF_THE_NODE = ("port", "bind", "workers", "postgres_bin", "database_url_file")
MAXIMUM_WORKERS = 64
#: The stack of `qfc demo`. It is meant when it is named or alone, never because it was there first.
DEMO = "demo"


@dataclass(frozen=True)
class StackConfig:
    """What the operator wants of one stack. None: what the stack had when it last ran, else the default.

    `home` is where stacks share what can be shared.
    """

    name: str
    kind: Kind
    folder: Path
    home: Path
    port: int | None = None
    bind: str | None = None
    workers: int | None = None
    postgres_bin: Path | None = None
    database_url_file: Path | None = None
    host: str = "local"
    user: str | None = None
    ssh_port: int | None = None
    identity_file: Path | None = None
    ssh_config: Path | None = None
    project_path: PurePosixPath | None = None
    project: str | None = None
    public_host: str | None = None


@dataclass(frozen=True)
class Config:
    """Everything that is configured. `wanted` is the stack named by flag or environment."""

    path: Path
    home: Path
    stacks: Mapping[str, StackConfig] = field(default_factory=dict[str, StackConfig])
    default: str | None = None
    wanted: str | None = None

    def stack(self) -> StackConfig:
        """Return the stack that is meant: the one named, the only one, or the default. Raises ConfigError."""
        if not self.stacks:
            raise ConfigError([f"No stack is configured in {self.path}."], hint="Type: qfc init")
        name = self.wanted or self.default or (next(iter(self.stacks)) if len(self.stacks) == 1 else None)
        names = ", ".join(self.stacks)
        if name is None:
            raise ConfigError([f"There are several stacks: {names}."], hint="Say which one with --stack NAME.")
        if name not in self.stacks:
            raise ConfigError([f"There is no stack named {name}."], hint=f"Configured: {names}. See: qfc stacks")
        return self.stacks[name]


def is_deployment(folder: Path) -> bool:
    """Tell whether a folder of this machine holds a deployment: Compose's file, and a .env that names its host."""
    env = folder / ".env"
    try:
        text = env.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    names_host = re.search(r"^QFIELDCLOUD_HOST=", text, re.MULTILINE) is not None
    return names_host and (folder / "docker-compose.yml").is_file()


def config_path(environment: Mapping[str, str]) -> Path:
    """Return where the configuration file is or would be."""
    named = environment.get("QFC_CONFIG")
    return Path(named).expanduser() if named else Path(platformdirs.user_config_dir("qfc")) / "config.toml"


def home_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder that holds the stacks' data."""
    named = environment.get("QFC_HOME")
    if named:
        return Path(named).expanduser().absolute()
    return Path("/var/lib/qfc") if os.geteuid() == 0 else Path(platformdirs.user_data_dir("qfc"))


def load(
    environment: Mapping[str, str],
    *,
    stack: str | None = None,
    flags: Mapping[str, object] | None = None,
    text: str | None = None,
    here: Path | None = None,
) -> Config:
    """Read the configuration. `flags` overrules single settings of the stack that is meant; None counts as not given.

    `text` stands for what the file is going to hold. A file without stacks means what older set-ups say of a server, or
    the deployment in the folder `here`. Raises ConfigError with every mistake of file, environment and
    flags at once.
    """
    path, home = config_path(environment), home_folder(environment)
    document = _parse(read_text(path) if text is None else text, path)
    tables, problems = _tables(document, path)
    if not tables:
        tables = _implied(environment, here, home)
    default = document.get("default")
    wanted = stack or environment.get("QFC_STACK") or None
    meant = wanted or default or (next(iter(tables)) if len(tables) == 1 else None)
    if isinstance(meant, str) and meant in tables:
        tables[meant] = _overruled(tables[meant], environment, _given(flags or {}))
    stacks = {name: _stack(name, table, home, problems) for name, table in tables.items()}
    if default is not None and default not in stacks:
        problems.append(f"default = {default!r} names no stack of the file")
    if problems:
        raise ConfigError(problems, hint=f"Correct the option, the QFC_… variable or {path}, then try again.")
    return Config(path, home, stacks, cast("str | None", default), wanted)


def read_text(path: Path) -> str:
    """Return the file as it is, empty when there is none. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read: {error}"], hint="Check the file's owner and rights.") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path} is not valid TOML: {error}"], hint="Correct that line, then try again.") from error


def _tables(document: dict[str, Any], path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the tables of the stacks, and what is wrong with the file as a whole."""
    problems = [f"{path} has an unknown key {key!r}" for key in document if key not in {"default", "stacks"}]
    stacks = document.get("stacks", {})
    if not isinstance(stacks, dict):
        return {}, [*problems, "stacks must be tables: [stacks.NAME]"]
    tables: dict[str, dict[str, Any]] = {}
    for name, table in cast("dict[str, object]", stacks).items():
        if not STACK_NAME.fullmatch(name):
            problems.append(f"stack name {name!r}: use a-z, 0-9, - and _, at most 31 characters")
        elif not isinstance(table, dict):
            problems.append(f"stacks.{name} must be a table: [stacks.{name}]")
        else:
            tables[name] = cast("dict[str, Any]", table)
    return tables, problems


def _implied(environment: Mapping[str, str], here: Path | None, home: Path) -> dict[str, dict[str, Any]]:
    """Return the stack that nobody had to configure: a server of an older set-up, or the deployment of this folder.

    What is remembered of each lies in a folder of its own: the next call may mean another one by the same name.
    """
    named = [environment.get(name) or "" for name in ("QFIELDCLOUD_VPS_HOST", "QFIELDCLOUD_PROJECT_PATH")]
    if any(named):
        return {"server": {"kind": Kind.COMPOSE.value, "folder": str(home / "server" / _as_name("_".join(named)))}}
    if here is not None and is_deployment(here):
        folder = str(home / "here" / _as_name(str(here)))
        return {"here": {"kind": Kind.COMPOSE.value, "project_path": str(here), "folder": folder}}
    return {}


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that the environment gives; QFC_HOME, QFC_CONFIG and QFC_STACK are none."""
    values = {name: environment.get(f"QFC_{name.upper()}", "") for name in SETTINGS}
    return {name: value for name, value in values.items() if value}


def _overruled(table: dict[str, Any], environment: Mapping[str, str], flags: Mapping[str, object]) -> dict[str, Any]:
    """Return a stack's table with what overrules it. What older set-ups say of a deployment is none of a node's."""
    values = {**table, **_from_environment(environment), **flags}
    if values.get("kind", Kind.EMBEDDED) == Kind.EMBEDDED:
        return values
    older = {name: environment[variable] for name, variable in OLDER_VARIABLES.items() if environment.get(variable)}
    ours = {name: value for name, value in _from_environment(environment).items() if name not in OF_THE_NODE}
    return {**table, **older, **ours, **flags}


def _given(flags: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}


def _stack(name: str, table: Mapping[str, Any], home: Path, problems: list[str]) -> StackConfig:
    """Turn a table into a typed stack; what is wrong is added to `problems` and replaced by the default."""
    reader = _Reader(name, table, problems)
    stack = StackConfig(
        name=name,
        kind=reader.kind(),
        folder=reader.path("folder") or home / name,
        home=home,
        port=reader.number("port", 1, 65535),
        bind=reader.text("bind"),
        workers=reader.number("workers", 0, MAXIMUM_WORKERS),
        postgres_bin=reader.path("postgres_bin"),
        database_url_file=reader.path("database_url_file"),
        host=reader.host("host") or "local",
        user=reader.host("user"),
        ssh_port=reader.number("ssh_port", 1, 65535),
        identity_file=reader.path("identity_file"),
        ssh_config=reader.path("ssh_config"),
        project_path=reader.remote_path("project_path"),
        project=reader.host("project"),
        public_host=reader.host("public_host"),
    )
    reader.finish()
    return stack


class _Reader:
    """Reads the values of one stack's table and collects what is wrong."""

    def __init__(self, name: str, table: Mapping[str, Any], problems: list[str]) -> None:
        self.name, self.table, self.problems = name, table, problems

    def problem(self, key: str, sentence: str) -> None:
        self.problems.append(f"stacks.{self.name}.{key} {sentence}")

    def text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self.problem(key, f"must be a text, not {value!r}")
        return None

    def kind(self) -> Kind:
        value = self.text("kind") or Kind.EMBEDDED
        if value not in set(Kind):
            self.problem("kind", f"must be one of {', '.join(Kind)}, not {value!r}")
            return Kind.EMBEDDED
        return Kind(value)

    def path(self, key: str) -> Path | None:
        value = self.text(key) if not isinstance(self.table.get(key), Path) else str(self.table[key])
        if value is None:
            return None
        path = Path(value).expanduser()
        if not path.is_absolute():
            self.problem(key, f"must be an absolute path, not {value!r}")
        return path

    def host(self, key: str) -> str | None:
        """Read a name that commands are given as one word."""
        value = self.text(key)
        if value is not None and not HOST.fullmatch(value):
            self.problem(key, f"must be a name without blanks, and not begin with -: {value!r}")
            return None
        return value

    def remote_path(self, key: str) -> PurePosixPath | None:
        """Read a path on the stack's host, where our home folder means nothing."""
        value = self.text(key)
        if value is not None and not value.startswith("/"):
            self.problem(key, f"must be an absolute path on the host, not {value!r}")
            return None
        return PurePosixPath(value) if value else None

    def number(self, key: str, low: int, high: int) -> int | None:
        value = self.table.get(key)
        if value is None:
            return None
        try:
            number = int(value) if not isinstance(value, (bool, float)) else low - 1
        except (TypeError, ValueError):
            number = low - 1
        if not low <= number <= high:
            self.problem(key, f"must be a whole number from {low} to {high}, not {value!r}")
            return None
        return number

    def finish(self) -> None:
        """Complain of unknown keys and of settings that exclude each other."""
        for key in self.table:
            if key not in SETTINGS:
                self.problem(key, f"is not a setting; known: {', '.join(SETTINGS)}")
        if self.table.get("kind") in (Kind.COMPOSE, Kind.SWARM):
            for key in OF_THE_NODE:
                if self.table.get(key) is not None:
                    self.problem(key, "is a setting of the built-in node; a deployment has its own in .env")
        if self.table.get("postgres_bin") and self.table.get("database_url_file"):
            self.problem("database_url_file", "and postgres_bin exclude each other: the database is ours or external")

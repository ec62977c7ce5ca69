"""The tables of the configuration file: every setting of the suite is named here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..stack.model import Kind
from .schema import WORKED_OUT, setting
from .values import HostPath, LocalPath, OneOf, Text, WholeNumber, Word

#: The stack of `qfc demo`. It is meant when it is named or alone, never because it was there first.
DEMO = "demo"
#: Kinds of the stacks that have settings of the built-in node. A deployment has its own in `.env`.
NODE = frozenset({Kind.EMBEDDED})
PORT = WholeNumber(1, 65535)


@dataclass(frozen=True, kw_only=True)
class Top:
    """What stands in the file before any table."""

    default: str | None = setting(
        Text(), None, "the stack that commands mean without --stack", variable="QFC_STACK", example="local"
    )


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """What the operator wants of one stack, `[stacks.NAME]`. None: what it had when it last ran, else its default.

    `home` is where stacks share what can be shared.
    """

    name: str
    home: Path
    kind: Kind = setting(
        OneOf(Kind),
        Kind.EMBEDDED,
        "what runs the services: embedded or compose",
        otherwise="embedded",
        example="compose",
    )
    folder: Path = setting(
        LocalPath(),
        WORKED_OUT,
        "everything of the stack",
        otherwise="a folder with its name in $QFC_HOME",
        example="/srv/qfc/local",
    )
    port: int | None = setting(
        PORT, None, "port of the API", otherwise="the last one, 8011 or a free one", kinds=NODE, example=8011
    )
    bind: str | None = setting(
        Text("ADDRESS"),
        None,
        "address that the API listens on, 0.0.0.0 for all",
        otherwise="127.0.0.1, this machine only",
        kinds=NODE,
        example="127.0.0.1",
    )
    workers: int | None = setting(
        WholeNumber(0, 64),
        None,
        "number of workers, 0 to 64; each runs one job at a time",
        otherwise="2",
        kinds=NODE,
        example=2,
    )
    postgres_bin: Path | None = setting(
        LocalPath(),
        None,
        "programs of an installed PostgreSQL server",
        otherwise="those of the wheel",
        kinds=NODE,
        example="/usr/lib/postgresql/15/bin",
    )
    database_url_file: Path | None = setting(
        LocalPath(),
        None,
        "file with the address of an external database, postgresql://USER:PASSWORD@HOST/NAME",
        kinds=NODE,
        example="/etc/qfc/database-url",
    )
    host: str = setting(
        Word(),
        "local",
        "server that ssh reaches, for a deployment there",
        otherwise="this machine",
        older_variable="QFIELDCLOUD_VPS_HOST",
        example="gis.example.org",
    )
    user: str | None = setting(
        Word(),
        None,
        "account on the host",
        otherwise="what ~/.ssh/config says, or your own name",
        older_variable="QFIELDCLOUD_VPS_USER",
        example="ops",
    )
    ssh_port: int | None = setting(
        PORT, None, "port of its SSH server", otherwise="what ~/.ssh/config says, or 22", example=22
    )
    identity_file: Path | None = setting(
        LocalPath(),
        None,
        "private key for the account",
        otherwise="those of ssh and its agent",
        example="/home/anna/.ssh/ops",
    )
    ssh_config: Path | None = setting(LocalPath(), None, "file in the place of ~/.ssh/config", example="/etc/qfc/ssh")
    project_path: PurePosixPath | None = setting(
        HostPath(),
        None,
        "folder of docker-compose.yml and .env on the host",
        otherwise="one is looked for",
        older_variable="QFIELDCLOUD_PROJECT_PATH",
        example="/opt/QFieldCloud",
    )
    project: str | None = setting(
        Word(),
        None,
        "name of the Compose project",
        otherwise="that of its containers or its .env",
        example="qfieldcloud",
    )
    public_host: str | None = setting(
        Word(),
        None,
        "name under which clients reach the server",
        otherwise="that of its .env",
        older_variable="QFIELDCLOUD_HOST",
        example="field.example.org",
    )


#: Every other table of the file by its name. `Config.table` gives the one of a class.
TABLES: Mapping[str, type[Any]] = {}

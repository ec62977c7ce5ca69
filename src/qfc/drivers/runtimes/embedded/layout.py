"""The files of an embedded stack: every path below `$QFC_HOME/<stack>`."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ....errors import ConfigError, QfcError
from ....stack.ports import DataNote
from ...postgres_server import LONGEST_SOCKET_FOLDER

#: Every process that supervisord starts has this variable, the stack's folder, so that orphans can be found.
MARK = "QFC_SUPERVISED"
#: Characters that have a meaning in supervisord's configuration and cannot be escaped there.
FORBIDDEN = set("\"'%;#\n\r\t")


@dataclass(frozen=True)
class EmbeddedConfig:
    """The configuration of an embedded stack. None: the last value, else the default.

    `home` is the folder that all stacks share. With `database_url_file` the stack has no service `db`. `known` is the
    note, outside the stack's folder, that the stack has data. `trial_since` is the moment since which an upgrade tries
    the release: its workers leave everything from before.
    """

    name: str
    folder: Path
    home: Path
    port: int | None = None
    bind: str | None = None
    workers: int | None = None
    postgres_bin: Path | None = None
    database_url_file: Path | None = None
    known: DataNote | None = None
    trial_since: datetime | None = None


@dataclass(frozen=True)
class Layout:
    """The paths of one stack."""

    folder: Path

    @property
    def database(self) -> Path:
        """PostgreSQL's data."""
        return self.folder / "db"

    @property
    def node(self) -> Path:
        """The node's data: blobs, staging, job folders."""
        return self.folder / "node"

    @property
    def blobs(self) -> Path:
        """The bytes of all file versions."""
        return self.node / "blobs"

    @property
    def log(self) -> Path:
        """The logs of all services."""
        return self.folder / "log"

    @property
    def secrets(self) -> Path:
        """Files with one secret each; only the owner has access."""
        return self.folder / "secrets"

    @property
    def run(self) -> Path:
        """Sockets. A short folder elsewhere if the path would be too long for the address of a socket."""
        run = self.folder / "run"
        if len(os.fsencode(run / "db")) <= LONGEST_SOCKET_FOLDER:
            return run
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path("/tmp") / f"qfc-{os.geteuid()}-{digest}"

    @property
    def database_sockets(self) -> Path:
        """PostgreSQL's socket."""
        return self.run / "db"

    @property
    def supervisor_socket(self) -> Path:
        """The socket on which supervisord listens."""
        return self.run / "supervisor.sock"

    @property
    def supervisor_pid(self) -> Path:
        """The file with the process id of supervisord."""
        return self.folder / "run" / "supervisord.pid"

    @property
    def supervisor_conf(self) -> Path:
        """The configuration of supervisord, which we write at every start."""
        return self.folder / "supervisord.conf"

    @property
    def state(self) -> Path:
        """The remembered state of the stack: port, address, workers."""
        return self.folder / "state.json"

    @property
    def history(self) -> Path:
        """The starts and ends of processes, with their reasons."""
        return self.log / "history.jsonl"

    @property
    def node_environment(self) -> Path:
        """Optional settings of the node by the operator: NAME=value, one per line."""
        return self.folder / "node.env"

    @property
    def exists(self) -> bool:
        """Whether the stack has ever been started."""
        return self.supervisor_conf.exists()

    def missing(self, *, with_database: bool) -> tuple[Path, ...]:
        """Return what is missing of the data that a stack has once it has been started: its folder if all is."""
        database = (self.database / "PG_VERSION", self.secrets / "POSTGRES_PASSWORD") if with_database else ()
        parts = (self.node, self.secrets / "SECRET_KEY", *database)
        if not any(part.exists() for part in parts):
            return (self.folder,)
        return tuple(part for part in parts if not part.exists())

    def create(self) -> None:
        """Create the folders. Raises ConfigError for an unusable path, QfcError when it cannot be written."""
        if FORBIDDEN & set(str(self.folder)):
            raise ConfigError(
                [f"The path {self.folder} contains a quote, %, ; or #."],
                hint="Set another folder of the stack, or another QFC_HOME.",
            )
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            for folder, mode in ((self.node, 0o700), (self.log, 0o700), (self.secrets, 0o700)):
                folder.mkdir(mode=mode, exist_ok=True)
            (self.folder / "run").mkdir(mode=0o755, exist_ok=True)
            self.run.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            raise QfcError(
                f"{self.folder} cannot be written.",
                hint="Run qfc as its owner, or set QFC_HOME to a folder of your own.",
            ) from error
        if self.run.stat().st_uid != os.geteuid():
            raise QfcError(
                f"{self.run} belongs to another user.", hint=f"Remove {self.run}, or set a shorter QFC_HOME."
            )

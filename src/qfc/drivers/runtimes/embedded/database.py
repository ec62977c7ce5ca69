"""The database of an embedded stack: its own server on a Unix socket, or an external one whose address is in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ....errors import ConfigError, NotRunningError, QfcError, UnreachableError
from ....files import keep_file
from ...postgres_server import (
    PORT,
    Endpoint,
    Installation,
    connect,
    create_cluster,
    data_major,
    locate,
    require_access,
    server_argv,
)
from ...service_account import make_folder, service_account
from . import secrets
from .layout import EmbeddedConfig, Layout
from .programs import DATABASE, DATABASE_STOP_S, Program, operation_mark

#: The default names of an official deployment.
NAME, USER = "qfieldcloud_db", "qfieldcloud_db_admin"


def endpoint(layout: Layout, settings: EmbeddedConfig) -> Endpoint:
    """Return the endpoint of the stack's database. Raises QfcError if the stack has never been started."""
    if settings.database_url_file is not None:
        return external_endpoint(settings.database_url_file)
    try:
        password = (layout.secrets / "POSTGRES_PASSWORD").read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise UnreachableError("The stack has no database yet.", hint="Type: qfc up") from error
    except OSError as error:
        raise QfcError("The database's password cannot be read.", hint="Run qfc as the stack's owner.") from error
    return Endpoint(str(layout.database_sockets), PORT, USER, password, NAME)


def running_endpoint(layout: Layout, settings: EmbeddedConfig) -> Endpoint:
    """Return the endpoint of the running database. Raises NotRunningError if our own server has no socket."""
    target = endpoint(layout, settings)
    if settings.database_url_file is None and not (layout.database_sockets / f".s.PGSQL.{PORT}").exists():
        raise NotRunningError("The stack is not running.", hint="Type: qfc up")
    return target


def external_endpoint(path: Path) -> Endpoint:
    """Read `postgresql://user:password@host:port/database` from a file. Raises ConfigError; never shows the content."""
    hint = f"Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE into {path}, readable only by its owner."
    try:
        url = urlsplit(path.read_text(encoding="utf-8").strip())
        parts = (url.hostname, url.username, url.password, url.path.lstrip("/"))
        port = url.port or PORT
    except (OSError, ValueError) as error:
        raise ConfigError(
            [f"database_url_file {path} cannot be read, or is not the address of a database."], hint=hint
        ) from error
    if url.scheme not in {"postgresql", "postgres"} or not all(parts):
        raise ConfigError([f"database_url_file {path} lacks host, user, password or database."], hint=hint)
    host, user, password, database = (unquote(part or "") for part in parts)
    return Endpoint(host, port, user, password, database)


def installation(layout: Layout, settings: EmbeddedConfig) -> Installation:
    """Return the programs of the release that the stack's data needs, ready for the account that runs them."""
    found = locate(settings.postgres_bin, major=data_major(layout.database))
    return found.prepare_for(service_account(), settings.home)


def prepare(layout: Layout, settings: EmbeddedConfig) -> Program | None:
    """Create everything that the database needs to start; return its program, None for an external one."""
    if settings.database_url_file is not None:
        secrets.put(layout.secrets / "POSTGRES_PASSWORD", external_endpoint(settings.database_url_file).password)
        return None
    account, chosen = service_account(), installation(layout, settings)
    password = secrets.ensure(layout.secrets / "POSTGRES_PASSWORD")
    mark = operation_mark(layout.folder)
    create_cluster(chosen, layout.database, account=account, user=USER, password=password, environment=mark)
    make_folder(layout.database, account)
    make_folder(layout.database_sockets, account)
    argv = server_argv(chosen, layout.database, layout.database_sockets)
    user = account.name if account else None
    return Program(DATABASE, DATABASE, tuple(argv), "INT", DATABASE_STOP_S, user=user)


def ensure_database(layout: Layout, settings: EmbeddedConfig) -> None:
    """Create the node's database in our own server; an external one must exist. Raises UnreachableError."""
    target = endpoint(layout, settings)
    if settings.database_url_file is not None:
        require_access(target)
        return
    with connect(replace(target, database="postgres"), autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone() is None:
            connection.execute(f"create database {NAME}")


def write_password_file(layout: Layout, target: Endpoint) -> Path:
    """Write the password file for psql and pg_dump, unless it is right already; return its path."""
    path = layout.secrets / "pgpass"
    fields = (target.host, str(target.port), "*", target.user, target.password)
    escaped = (field.replace("\\", "\\\\").replace(":", "\\:") for field in fields)
    content = (":".join(escaped) + "\n").encode()
    if not path.exists() or path.read_bytes() != content:
        keep_file(path, content, mode=0o600)
    return path

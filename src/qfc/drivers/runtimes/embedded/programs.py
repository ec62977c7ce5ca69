"""The programs of an embedded stack, and supervisord's configuration for them. Builds text and argv; runs nothing."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ....errors import ConfigError
from ...postgres_server import Endpoint
from .layout import Layout
from .listening import EVERYWHERE
from .state import EmbeddedState

DATABASE, APP, WORKER = "db", "app", "worker_wrapper"
#: Every command of an operation has this variable, so that it can be found after the operation was killed.
OPERATION_MARK = "QFC_OPERATION"
#: Seconds for a worker to finish its job, for the app its requests, for the database its shutdown.
WORKER_STOP_S, APP_STOP_S, DATABASE_STOP_S = 900, 60, 60
APP_PROCESSES, APP_THREADS = 2, 8
#: Variables that programs inherit from the environment of the operator; all others are dropped.
INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
#: supervisord waits 1, 2, 3 … seconds between failed starts, and gives up after this many.
START_RETRIES = 20


@dataclass(frozen=True)
class Program:
    """A process that supervisord manages. `user` is its account, None for that of supervisord."""

    service: str
    name: str
    argv: tuple[str, ...]
    stop_signal: str
    stop_wait_s: int
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str | None = None


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that programs inherit from this process."""
    kept = {name: environment[name] for name in INHERITED if environment.get(name)}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept, "TZ": "UTC"}


def operation_mark(folder: Path) -> dict[str, str]:
    """Return the mark of this process's commands for a stack: its pid, its start, the stack."""
    process = psutil.Process()
    return {OPERATION_MARK: f"{process.pid} {process.create_time()} {folder}"}


def node_environment(layout: Layout, state: EmbeddedState, endpoint: Endpoint) -> dict[str, str]:
    """Return the node's settings, with secrets as paths of their files; the operator's own `node.env` comes last."""
    own = {
        "DJANGO_SETTINGS_MODULE": "qfc_node.settings",
        "QFC_NODE_DATA": str(layout.node),
        "SECRET_KEY_FILE": str(layout.secrets / "SECRET_KEY"),
        "POSTGRES_HOST": endpoint.host,
        "POSTGRES_PORT": str(endpoint.port),
        "POSTGRES_DB": endpoint.database,
        "POSTGRES_USER": endpoint.user,
        "POSTGRES_PASSWORD_FILE": str(layout.secrets / "POSTGRES_PASSWORD"),
        "DJANGO_ALLOWED_HOSTS": " ".join(own_names(state.bind)),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    return {**own, **read_environment_file(layout.node_environment)}


def own_names(bind: str) -> list[str]:
    """Return the names and addresses at which clients reach a server that listens on this address."""
    if bind not in EVERYWHERE:
        return [bind]
    addresses = [
        one.address.split("%")[0] for many in psutil.net_if_addrs().values() for one in many if one.family in FAMILIES
    ]
    return sorted({socket.gethostname(), *(f"[{one}]" if ":" in one else one for one in addresses)})


FAMILIES = (socket.AF_INET, socket.AF_INET6)


def read_environment_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines; blank lines and # comments are left out. Raises ConfigError with the line."""
    try:
        return environment_of(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read."], hint="Check the file's owner and permissions.") from error


def environment_of(text: str, path: Path) -> dict[str, str]:
    """Return the variables in the text of such a file. Raises ConfigError with the line."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not name.isidentifier() or '"' in value:
            raise ConfigError([f"{path}, line {number}: not NAME=value without quotes."], hint="Correct that line.")
        values[name] = value
    return values


def app_argv(state: EmbeddedState) -> tuple[str, ...]:
    """Return the command of the API: a few processes with threads. The node's own file has the rest."""
    address = f"[{state.bind}]:{state.port}" if ":" in state.bind else f"{state.bind}:{state.port}"
    heartbeat = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    return (
        *(sys.executable, "-m", "gunicorn", "--config", "python:qfc_node.serving.configuration"),
        *("--bind", address, "--worker-tmp-dir", heartbeat),
        *("--workers", str(APP_PROCESSES), "--threads", str(APP_THREADS)),
        *("--timeout", "300", "--graceful-timeout", str(APP_STOP_S - 10)),
    )


def worker_argv() -> tuple[str, ...]:
    """Return the command of one worker."""
    return (sys.executable, "-m", "qfc_node", "dequeue")


def node_programs(state: EmbeddedState, environment: Mapping[str, str]) -> list[Program]:
    """Return the API and the workers. Each worker is a separate program, so that any one of them can be removed."""

    def named(name: str) -> dict[str, str]:
        return {**environment, "QFC_NODE_PROCESS": name, "LOGGER_SOURCE": name}

    workers = [worker_name(number) for number in state.workers]
    return [
        Program(APP, APP, app_argv(state), "TERM", APP_STOP_S, named(APP)),
        *(Program(WORKER, name, worker_argv(), "TERM", WORKER_STOP_S, named(name)) for name in workers),
    ]


def worker_name(number: int) -> str:
    """Return the name of a worker's process."""
    return f"{WORKER}-{number}"


def service_of(process: str) -> str:
    """Return the service that a process belongs to."""
    return WORKER if process.startswith(f"{WORKER}-") else process


def supervisor_conf(layout: Layout, programs: Sequence[Program], *, user: str | None) -> str:
    """Return supervisord's configuration. supervisord starts nothing by itself: we decide the order."""
    head = {
        "unix_http_server": {"file": layout.supervisor_socket, "chmod": "0700"},
        "supervisord": {
            "logfile": layout.log / "supervisord.log",
            "logfile_maxbytes": "10MB",
            "logfile_backups": 3,
            "pidfile": layout.supervisor_pid,
            "childlogdir": layout.log,
            "umask": "077",
            **({"user": user} if user else {}),
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
        },
        "rpcinterface:qfc": {
            "supervisor.rpcinterface_factory": "qfc.drivers.runtimes.embedded.history:make_history",
            "path": layout.history,
        },
    }
    sections = {**head, **{f"program:{program.name}": _program(layout, program) for program in programs}}
    return "\n".join(_section(title, values) for title, values in sections.items())


def _program(layout: Layout, program: Program) -> dict[str, object]:
    values: dict[str, object] = {
        "command": shlex.join(program.argv),
        "directory": "/",
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "startretries": START_RETRIES,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_wait_s,
        "redirect_stderr": "true",
        "stdout_logfile": layout.log / f"{program.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 5,
    }
    if program.user:
        values["user"] = program.user
    if program.environment:
        pairs = program.environment.items()
        values["environment"] = ",".join(f'{name}="{value}"' for name, value in pairs)
    return values


def _section(title: str, values: Mapping[str, object]) -> str:
    lines = [f"{name}={str(value).replace('%', '%%')}" for name, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])

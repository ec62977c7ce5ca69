"""A typed client for supervisord's XML-RPC interface on its Unix socket, and the start of supervisord itself."""

from __future__ import annotations

import http.client
import logging
import socket
import subprocess
import sys
import time
import xmlrpc.client  # nosec B411 -- only our own supervisord, over its private socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil

from ....errors import CommandError, NotRunningError, UnreachableError
from ...commands import echo

log = logging.getLogger("qfc.supervisor")
START_TIMEOUT_S = 20
ANSWER_TIMEOUT_S = 30
#: Faults of supervisord that only mean that nothing has to be done.
BAD_NAME, NOT_RUNNING, ALREADY_STARTED, ALREADY_ADDED, STILL_RUNNING = 10, 70, 60, 90, 91


@dataclass(frozen=True)
class ProcessInfo:
    """A process as supervisord reports it. `state` is its own word: RUNNING, STARTING, BACKOFF, STOPPED, FATAL, …"""

    name: str
    state: str
    pid: int | None
    started_at: float
    exit_code: int | None
    error: str


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the Unix socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """Return a connection to the socket, whatever the host name; `close` closes the connection stored here."""
        connection = _Connection(self._path)
        self._connection = (host, connection)
        return connection


class Supervisor:
    """The supervisord of one stack. Every method raises NotRunningError when it does not answer.

    UnreachableError means that it may run, but refuses us.
    """

    def __init__(self, socket_path: Path) -> None:
        self._socket = socket_path

    def call(self, method: str, *arguments: object) -> Any:
        """Call a method on a new connection, since supervisord drops idle ones."""
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(self._socket), allow_none=True)
        try:
            with proxy:
                answer = getattr(proxy.supervisor, method)(*arguments)
        except PermissionError as error:
            hint = "Run qfc as the user who started the stack."
            raise UnreachableError("The stack belongs to another user.", hint=hint) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise NotRunningError("The stack is not running.", hint="Type: qfc up") from error
        log.log(logging.DEBUG if method.startswith("get") else logging.INFO, "+ supervisor.%s%r", method, arguments)
        return answer

    def pid(self) -> int | None:
        """Return the process id of supervisord, None when it does not answer."""
        try:
            return int(self.call("getPID"))
        except NotRunningError:
            return None

    def processes(self) -> dict[str, ProcessInfo]:
        """Return all processes by name."""
        infos = cast("list[dict[str, Any]]", self.call("getAllProcessInfo"))
        return {str(info["name"]): _info(info) for info in infos}

    def reload(self) -> tuple[list[str], list[str], list[str]]:
        """Reload the configuration; return the new, changed and removed programs. Nothing is started yet."""
        try:
            added, changed, removed = self.call("reloadConfig")[0]
        except xmlrpc.client.Fault as fault:
            raise CommandError(f"supervisord cannot read its configuration: {fault.faultString}") from fault
        return list(added), list(changed), list(removed)

    def add(self, name: str) -> None:
        """Add a program of the configuration; it does not run yet."""
        self._tolerate({ALREADY_ADDED}, "addProcessGroup", name)

    def remove(self, name: str) -> None:
        """Remove a stopped program."""
        self._tolerate({BAD_NAME}, "removeProcessGroup", name)

    def start(self, name: str) -> None:
        """Begin to start a process; starting a running one is harmless."""
        self._tolerate({ALREADY_STARTED}, "startProcess", name, False)

    def stop(self, name: str) -> None:
        """Begin to stop a process; stopping a stopped one is harmless."""
        self._tolerate({NOT_RUNNING, BAD_NAME}, "stopProcess", name, False)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a process, if it runs."""
        self._tolerate({NOT_RUNNING, BAD_NAME}, "signalProcess", name, signal)

    def shutdown(self) -> None:
        """Begin to end supervisord and all its processes."""
        self.call("shutdown")

    def _tolerate(self, faults: set[int], method: str, *arguments: object) -> None:
        try:
            self.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in faults:
                raise CommandError(f"supervisord refuses {method} {arguments[0]}: {fault.faultString}") from fault


def _info(info: Mapping[str, Any]) -> ProcessInfo:
    pid, ended = int(info["pid"]), bool(info["stop"])
    return ProcessInfo(
        name=str(info["name"]),
        state=str(info["statename"]),
        pid=pid or None,
        started_at=float(info["start"]),
        exit_code=int(info["exitstatus"]) if ended and not pid else None,
        error=str(info["spawnerr"]),
    )


def launch(conf: Path, supervisor: Supervisor, *, environment: Mapping[str, str], program: str = sys.executable) -> int:
    """Start supervisord in the background, by the Python `program`; return its process id when it answers.

    Raises UnreachableError with its output when it does not start.
    """
    argv = [program, "-m", "supervisor.supervisord", "--configuration", str(conf)]
    echo(argv)
    done = subprocess.run(argv, cwd="/", env=dict(environment), capture_output=True, text=True, check=False, timeout=60)
    deadline = time.monotonic() + START_TIMEOUT_S
    while done.returncode == 0 and time.monotonic() < deadline:
        pid = supervisor.pid()
        if pid is not None:
            return pid
        time.sleep(0.02)
    said = (done.stderr.strip() or done.stdout.strip() or "it does not answer").splitlines()[-1]
    raise UnreachableError(f"supervisord cannot be started: {said}", hint="See: qfc logs --service supervisor")


def wait_gone(pid: int, *, timeout_s: float) -> bool:
    """Wait until a process has ended; return whether it has."""
    try:
        psutil.Process(pid).wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True

"""Start the fork servers of a worker, and jobs in them.

There are two, each started when it is first needed: one whose jobs have no network, and one whose jobs reach databases
elsewhere. One that dies is started again for the next job.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..box.limits import Limits
from ..box.messages import Broken, ConversationOverError, Line, Message, Ready, Run, Started
from ..storage.errors import StorageError
from .process import JobProcess

#: Variables that a job's process may know. All others are dropped: some are secrets, or name files with secrets.
KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONWARNINGS", "MALLOC_ARENA_MAX", "QFC_SUPERVISED"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
#: A job has one thread. Its home is nowhere: libpq would look there for passwords.
FIXED = {
    "HOME": "/nonexistent",
    "GDAL_NUM_THREADS": "1",
    "OGR_GPKG_NUM_THREADS": "1",
    "OGR_GPKG_ALLOW_THREADED_RTREE": "NO",
    "OPENBLAS_NUM_THREADS": "1",
}
#: Seconds that a server gets to start, on a busy machine.
START_S = 60.0


@dataclass(frozen=True)
class ServerSettings:
    """What both servers have in common: the folder with the folders of jobs, the engine, the layers left out."""

    home: Path
    engine: str
    without: Collection[str]


class ForkServer:
    """A running fork server, from its start to its end."""

    def __init__(self, settings: ServerSettings, *, network: bool) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        told = {
            "worker": os.getpid(),
            "home": str(settings.home),
            "engine": settings.engine,
            "without": sorted(settings.without),
            "network": network,
        }
        argv = [sys.executable, "-P", "-m", "qfc_node.box", str(theirs.fileno()), json.dumps(told)]
        with theirs:
            self._process = subprocess.Popen(
                argv, env=_environment(), cwd="/", stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        ours.settimeout(START_S)
        self._line = Line(ours)
        self._ready: Ready | None = None

    @property
    def ready(self) -> Ready:
        """Wait until it can start jobs; return its layers. Raises StorageError if it cannot."""
        if self._ready is None:
            message = self._answer()
            if not isinstance(message, Ready):
                reason = message.reason if isinstance(message, Broken) else "it does not start"
                raise StorageError(f"jobs cannot be started: {reason}")
            self._ready = message
        return self._ready

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def start_job(self, folder: Path, limits: Limits, given: int, errors: int) -> JobProcess:
        """Start the process of a job, with its input and the file for its errors. Raises StorageError."""
        try:
            self._line.send(Run(str(folder), limits), [given, errors])
            message, files = self._line.receive()
        except ConversationOverError as error:
            raise StorageError("the server of jobs has died") from error
        if not isinstance(message, Started) or not files:
            raise StorageError("the server of jobs gives a wrong answer")
        return JobProcess(message.pid, files[0], self._line)

    def end(self) -> None:
        """End it, with its job."""
        self._process.kill()
        self._process.wait()
        self._line.close()

    def _answer(self) -> Message | None:
        with suppress(ConversationOverError):
            return self._line.receive()[0]
        return None


class ForkServers:
    """The servers of one worker; a context that ends them."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._servers: dict[bool, ForkServer] = {}

    def __enter__(self) -> Self:
        """Start the server that most jobs use; it gets ready while the worker does."""
        self.get(network=False)
        return self

    def __exit__(self, *_: object) -> None:
        """End the servers."""
        for server in self._servers.values():
            server.end()

    def get(self, *, network: bool) -> ForkServer:
        """Return the server, started if it does not live. Only the worker's main thread may call this.

        The kernel ends a server with the thread that started it.
        """
        server = self._servers.get(network)
        if server is not None and not server.lives:
            server.end()
            server = None
        if server is None:
            server = self._servers[network] = ForkServer(self._settings, network=network)
        return server


def _environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in KEPT if name in os.environ}, **FIXED}


def as_input(content: bytes) -> int:
    """Return an open file in memory with this content; only processes that are given it can read it."""
    file = os.memfd_create("job", os.MFD_CLOEXEC)
    rest: Sequence[int] = memoryview(content)
    while rest:
        rest = rest[os.write(file, bytes(rest)) :]
    return file

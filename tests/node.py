"""A node in separate processes, for tests that use it over HTTP and kill parts of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Self

import httpx

from ports import free_port
from qfc.drivers.postgres_server import Endpoint
from qfc_command import hear_signals

START_S = 60.0


def node_environment(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    """Return the environment of a node on that database and folder, without other variables of this process."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "SECRET_KEY": "only-for-tests",
        "QFC_NODE_DATA": str(folder),
        "POSTGRES_HOST": endpoint.host,
        "POSTGRES_PORT": str(endpoint.port),
        "POSTGRES_USER": endpoint.user,
        "POSTGRES_PASSWORD": endpoint.password,
        "POSTGRES_DB": endpoint.database,
        "PYTHONWARNINGS": "default",
    }


class Node:
    """An API server on a free port of loopback, and workers, each started on request; all end with the block."""

    def __init__(self, endpoint: Endpoint, folder: Path, **environment: str) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.environment = {**node_environment(endpoint, folder), **environment}
        self.workers: list[subprocess.Popen[bytes]] = []
        self._app: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] = (folder / "processes.log").open("ab")
        self.port = free_port()
        #: Resources of tests on this node that are closed with it.
        self.resources = contextlib.ExitStack()

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"http://127.0.0.1:{self.port}/api/v1/"

    @property
    def app_pid(self) -> int:
        """The process id of the API server's master."""
        assert self._app is not None
        return self._app.pid

    @property
    def log(self) -> str:
        """The output of the processes."""
        return (self.folder / "processes.log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_workers()
        if self._app:
            end(self._app, signal.SIGKILL)
        self._log.close()

    def end_workers(self) -> None:
        """SIGKILL the workers, and close the clients of tests."""
        self.resources.close()
        for worker in self.workers:
            end(worker, signal.SIGKILL)
        self.workers.clear()

    def start_app(self) -> None:
        """Start the API server and wait until it answers."""
        argv = [sys.executable, "-m", "gunicorn", "--config", "python:qfc_node.serving.configuration"]
        argv += ["--bind", f"127.0.0.1:{self.port}", "--threads", "8", "--workers", "1", "--timeout", "120"]
        self._app = self._start(argv)
        self._await_answer()

    def kill_app(self) -> None:
        """SIGKILL the API server with its children."""
        assert self._app is not None
        os.killpg(self._app.pid, signal.SIGKILL)
        self._app.wait()

    def start_worker(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker without waiting for it."""
        worker = self._start([sys.executable, "-m", "qfc_node", "dequeue", *arguments], environment)
        self.workers.append(worker)
        return worker

    def command(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "qfc_node", *arguments],
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def create_user(self, username: str, password: str = "correct-horse-battery", *, superuser: bool = False) -> None:
        """Create a user with the node's own command."""
        arguments = ["--username", username, "--email", f"{username}@example.com", "--password-stdin"]
        self.command("createuser", *arguments, *(["--superuser"] if superuser else []), stdin=password)

    def _start(self, argv: list[str], extra: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        environment = {**self.environment, **(extra or {})}
        return subprocess.Popen(
            argv, env=environment, stdout=self._log, stderr=self._log, start_new_session=True, preexec_fn=hear_signals
        )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}auth/providers/", timeout=5)
                return
            assert self._app is not None
            assert self._app.poll() is None, self.log[-3000:]
            time.sleep(0.05)
        raise AssertionError(f"the API server does not answer:\n{self.log[-3000:]}")


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """End a process with its group, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(timeout=60)


def await_port(port: int, *, seconds: float = 20) -> None:
    """Wait until a program listens on a port of this machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
            return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens at port {port}")

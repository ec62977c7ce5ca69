"""The embedded runtime beyond the contract: which workers stop first, what is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from qfc.drivers.clock import SystemClock
from qfc.drivers.runtimes.embedded import EmbeddedConfig, EmbeddedRuntime
from qfc.errors import UnreachableError
from qfc.stack.model import Health
from qfc_command import fresh_qfc

WORKER = "worker_wrapper"


class Idle:
    """Reports idle workers, like the database."""

    def __init__(self) -> None:
        self.pids: frozenset[int] | None = frozenset()

    def __call__(self) -> frozenset[int]:
        if self.pids is None:
            raise UnreachableError("The database cannot be reached.")
        return self.pids


@pytest.fixture
def idle() -> Idle:
    """No worker is idle at first."""
    return Idle()


@pytest.fixture
def runtime(idle: Idle) -> Iterator[EmbeddedRuntime]:
    """A running stack with three workers."""
    with fresh_qfc() as qfc:
        settings = EmbeddedConfig("local", qfc.home / "local", qfc.home, port=0, workers=3)
        made = EmbeddedRuntime(settings, clock=SystemClock(), idle_workers=idle)
        made.start(None)
        yield made


def workers(runtime: EmbeddedRuntime) -> dict[str, int]:
    (service,) = (one for one in runtime.services() if one.name == WORKER)
    return {instance.id: instance.pid for instance in service.instances if instance.pid}


def test_an_idle_worker_goes_before_one_with_a_job(runtime: EmbeddedRuntime, idle: Idle) -> None:
    before = workers(runtime)
    idle.pids = frozenset({before["worker_wrapper-2"]})
    runtime.scale(WORKER, 2)
    assert workers(runtime) == {name: pid for name, pid in before.items() if name != "worker_wrapper-2"}
    runtime.scale(WORKER, 3)
    assert set(workers(runtime)) == set(before)


def test_when_nobody_knows_who_is_idle_the_newest_goes(runtime: EmbeddedRuntime, idle: Idle) -> None:
    idle.pids = None
    runtime.scale(WORKER, 2)
    assert set(workers(runtime)) == {"worker_wrapper-1", "worker_wrapper-2"}


def test_now_waits_for_nobody(runtime: EmbeddedRuntime) -> None:
    """A worker that does not react is killed together with its child processes."""
    stuck = psutil.Process(workers(runtime)["worker_wrapper-1"])
    family = [stuck, *stuck.children(recursive=True)]
    for process in family:
        process.suspend()
    runtime.stop([WORKER], now=True)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert workers(runtime) == {}


def test_everything_is_gone_after_a_stop(runtime: EmbeddedRuntime) -> None:
    run: Path = runtime.layout.run
    runtime.stop(None, now=True)
    assert not (run / "supervisor.sock").exists()
    assert not (runtime.layout.database / "postmaster.pid").exists()
    assert list((run / "db").iterdir()) == []


class Stranger(BaseHTTPRequestHandler):
    """Answers everything with 200, like another healthy server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def stranger_on(port: int) -> Generator[None]:
    """Let another server listen on a port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Stranger)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_stranger_who_is_faster_on_our_port_is_not_taken_for_our_api() -> None:
    with fresh_qfc() as qfc:
        settings = EmbeddedConfig("local", qfc.home / "local", qfc.home, port=0, workers=0)
        runtime = EmbeddedRuntime(settings, clock=SystemClock(), idle_workers=Idle())
        with ThreadPoolExecutor(1) as background:
            starting = background.submit(runtime.start, None)
            while not runtime.layout.state.exists() and not starting.done():
                time.sleep(0.01)
            chosen = json.loads(runtime.layout.state.read_text())["port"]
            with stranger_on(chosen):
                starting.result()
                assert not runtime.url.endswith(f":{chosen}")
                app = next(one for one in runtime.services() if one.name == "app")
                assert app.health is Health.HEALTHY
        runtime.stop(None, now=True)

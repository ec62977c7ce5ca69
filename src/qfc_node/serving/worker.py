"""The worker class for gunicorn: gunicorn starts, watches and stops the processes, `Server` serves in them."""

from __future__ import annotations

import os
import resource
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from gunicorn.workers.base import Worker as GunicornWorker

from .. import environment
from .callers import Callers
from .library import Adjustments, Dispatcher, loop
from .limits import Limits
from .proxies import trusted_proxies
from .requests import BODY_IN_MEMORY
from .server import Server

TICK_S = 1.0
#: Bytes of an answer that stay in memory; the rest is in the staging folder, as of bodies.
ANSWER_IN_MEMORY = 256 * 1024
READ_BYTES = 64 * 1024
#: A multipart body is larger than the file in it.
ENVELOPE_BYTES = 1024 * 1024
#: Descriptors besides those of connections and their spooled bodies.
OTHER_DESCRIPTORS = 256
#: Before gunicorn's patience ends, so that the answer to the last request is complete.
STOP_MARGIN_S = 2.0


class Worker(GunicornWorker):
    """One process of the API."""

    servers: list[Server]
    map: dict[int, Any]

    def init_process(self) -> None:
        """Prepare the process, then serve."""
        limits = Limits.from_environment()
        _allow_descriptors(2 * limits.connections + OTHER_DESCRIPTORS)
        tempfile.tempdir = str(_spool_folder())
        self.limits = limits
        super().init_process()

    def run(self) -> None:
        """Serve until the process shall stop; finish what has begun."""
        self.map = {}
        dispatcher = Dispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        self.servers = [self._serve(listener, dispatcher) for listener in _sockets(self)]
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._drain()
        dispatcher.shutdown()

    def _serve(self, listener: Any, dispatcher: Any) -> Server:
        listener.setblocking(False)
        return Server(
            self.wsgi,
            self.map,
            True,
            listener,
            dispatcher,
            adjustments(),
            (listener.family, listener.type, listener.proto, listener.getsockname()),
            False,
            limits=self.limits,
            trusted=trusted_proxies(),
            callers=_callers(),
        )

    def _turn(self) -> None:
        self.notify()
        loop(timeout=TICK_S, use_poll=True, map=self.map, count=1)

    def _drain(self) -> None:
        deadline = monotonic() + max(1.0, self.cfg.graceful_timeout - STOP_MARGIN_S)
        for server in self.servers:
            server.stop_accepting()
        while not all(server.is_done for server in self.servers) and monotonic() < deadline:
            self._turn()
            for server in self.servers:
                server.maintenance(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; the loop notices at once."""
        super().handle_exit(sig, frame)
        for server in getattr(self, "servers", []):
            server.pull_trigger()


def _callers() -> Callers:
    from ..api.admission import is_somebody  # only now, after Django was set up

    return Callers(is_somebody)


def _sockets(worker: Any) -> list[Any]:
    return [listener.sock for listener in worker.sockets]


def adjustments() -> Any:
    """Return the settings of waitress."""
    return Adjustments(
        ident=None,
        cleanup_interval=TICK_S,
        # Our own limits come first.
        channel_timeout=24 * 3600,
        connection_limit=1_000_000,
        recv_bytes=READ_BYTES,
        inbuf_overflow=BODY_IN_MEMORY,
        outbuf_overflow=ANSWER_IN_MEMORY,
        # An answer goes to the spool, never back to the thread that made it.
        outbuf_high_watermark=2**60,
        max_request_header_size=32 * 1024,
        max_request_body_size=environment.number("QFC_NODE_UPLOAD_MAX_BYTES", 10 * 1024**3) + ENVELOPE_BYTES,
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
        asyncore_use_poll=True,
    )


def _allow_descriptors(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _spool_folder() -> Path:
    """Return the folder of bodies that are being received: on the disk that the files go to."""
    folder = Path(environment.required("QFC_NODE_DATA")) / "staging"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder

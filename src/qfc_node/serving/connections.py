"""One client's connection: what it waits for and for how long."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (waitress has no types)
from __future__ import annotations

import socket
from contextlib import suppress
from time import monotonic
from typing import Any

from .library import HTTPChannel
from .limits import Limits, Phase, Progress, is_late
from .proxies import counted_as
from .refusals import RefusedError
from .requests import Answer, RefusalAnswer, Request

#: Seconds in which the rest of a refused body is read and dropped, so that the client sees the refusal.
LINGER_S = 10.0


class Connection(HTTPChannel):
    """A connection that is closed when its client keeps the server waiting for too long."""

    parser_class = Request
    task_class = Answer
    error_task_class = RefusalAnswer

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any = None) -> None:
        self.limits: Limits = server.limits
        self.counted_as = counted_as(str(addr[0]))
        self.moved_at = self.idle_since = monotonic()
        self.answer_since: float | None = None
        self.answered = 0
        self.lingers_until: float | None = None
        self.has_refused = False
        super().__init__(server, sock, addr, adj, map)

    def progress(self, now: float) -> Progress:
        """Return what the connection waits for now, and for how long it has."""
        phase, since, moved = self._state(now)
        return Progress(phase, now - since, now - max(since, self.moved_at), moved)

    def _state(self, now: float) -> tuple[Phase, float, int]:
        request = self.request
        if self.total_outbufs_len:
            self.answer_since = self.answer_since or now
            return Phase.ANSWER, self.answer_since, self.answered
        self.answer_since, self.answered = None, 0
        if self.requests:
            self.idle_since = now
            return Phase.WORK, now, 0
        if request is not None and request.is_held:
            return Phase.WORK, now, 0
        if request is None:
            return Phase.IDLE, max(self.idle_since, self.moved_at), 0
        if request.headers_done is None:
            return Phase.HEADERS, request.started, request.header_bytes_received
        return Phase.BODY, request.headers_done, request.body_bytes_received

    def close_if_late(self, now: float) -> Phase | None:
        """Close the connection if its client is late; return what it waited for."""
        if self.lingers_until is not None:
            self.will_close = self.will_close or now > self.lingers_until
            return None
        progress = self.progress(now)
        if self.will_close or not is_late(progress, self.limits):
            return None
        self.drop(progress.phase)
        return progress.phase

    def drop(self, phase: Phase) -> None:
        """Close the connection; a client that has begun a request is told why, if it listens."""
        if phase in (Phase.HEADERS, Phase.BODY):
            with suppress(OSError):
                self.socket.send(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.will_close = True

    def readable(self) -> bool:
        """Whether bytes of the client are wanted."""
        if self.lingers_until is not None:
            return True
        return not (self.request is not None and self.request.is_held) and bool(super().readable())

    def handle_read(self) -> None:
        """Take in bytes, or drop what follows a refusal."""
        self.moved_at = monotonic()
        if self.lingers_until is None:
            super().handle_read()
            return
        try:
            self.will_close = not self.recv(self.adj.recv_bytes)
        except OSError:
            self.will_close = True

    def received(self, data: bytes) -> bool:
        """Take in bytes; a large body waits until its sender is known."""
        did: bool = super().received(data)
        request = self.request
        if request is not None and request.is_held:
            if self.server.callers.remembers(request.headers):
                self.decide(request, None)
            else:
                self.server.add_task(LookUp(self, request))
        return did

    def decide(self, request: Request, refusal: RefusedError | None) -> None:
        """Go on with a request that was held, or refuse it. Threads call this too."""
        with self.requests_lock:
            if refusal is None:
                request.go_on()
                if request.expect_continue and not self.requests and not self.sent_continue:
                    self.send_continue()
                return
            request.refuse(refusal)
            self.request = None
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send bytes; count them."""
        sent: int = super().send(data, do_close=do_close)
        if sent:
            self.moved_at = monotonic()
            self.answered += sent
        return sent

    def handle_write(self) -> None:
        """Send what is ready; after a refusal let the client finish before the connection closes."""
        if self.has_refused and self.close_when_flushed and self.lingers_until is None and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len:
                self._linger()
            return
        super().handle_write()

    def writable(self) -> bool:
        """Whether there is something to send, or the connection is to be closed."""
        if self.lingers_until is not None:
            return self.will_close
        return bool(super().writable())

    def _linger(self) -> None:
        self.lingers_until = monotonic() + LINGER_S
        self.close_when_flushed = False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True

    def add_channel(self, map: Any = None) -> None:
        """Count the connection."""
        super().add_channel(map)
        self.server.count(self.counted_as, 1)

    def del_channel(self, map: Any = None) -> None:
        """Count the connection no more."""
        super().del_channel(map)
        self.server.count(self.counted_as, -1)


class LookUp:
    """A thread's task: ask who sends a body, while the connection waits."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection, self._request = connection, request

    def service(self) -> None:
        """Ask, and let the connection go on."""
        server = self._connection.server
        self._connection.decide(self._request, server.callers.refusal(self._request.headers))
        server.pull_trigger()

    def cancel(self) -> None:
        """Give up: the server stops."""
        self._connection.cancel()

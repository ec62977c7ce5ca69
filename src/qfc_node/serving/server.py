"""The server of one process: its loop reads requests and sends answers, its threads see whole requests only."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (waitress has no types)
from __future__ import annotations

import ctypes
import logging
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from .callers import Callers
from .connections import Connection
from .library import TcpWSGIServer
from .limits import Limits, Phase
from .proxies import Network, counted_as, is_trusted

logger = logging.getLogger(__name__)

#: Seconds between two log lines about clients that were sent away.
REPORT_S = 60.0
#: Seconds that a stopping server keeps an idle connection, for a request that may be on its way.
LAST_REQUEST_S = 1.0
#: Seconds between two times that memory is given back.
GIVE_BACK_S = 10.0
#: Which connections make room for others when there are too many: those that cost their client least.
MAKES_ROOM = (Phase.HEADERS, Phase.IDLE, Phase.BODY)
BUSY = b"HTTP/1.1 %s\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class Server(TcpWSGIServer):
    """Accepts connections up to the limits, and closes those whose clients are late."""

    channel_class = Connection

    def __init__(
        self, *arguments: Any, limits: Limits, trusted: Sequence[Network], callers: Callers, **keywords: Any
    ) -> None:
        self.limits = limits
        self.callers = callers
        self.trusted = trusted
        self.is_stopping = False
        self.by_address: Counter[str] = Counter()
        self.sent_away: Counter[str] = Counter()
        self.next_report = 0.0
        #: Whether anything was served since memory was given back, and when that may be next.
        self.has_worked, self.next_give_back = False, 0.0
        super().__init__(*arguments, **keywords)

    def add_task(self, task: Any) -> None:
        """Give a task to the threads."""
        self.has_worked = True
        super().add_task(task)

    def count(self, address: str, change: int) -> None:
        """Count a connection that was opened or closed."""
        self.by_address[address] += change
        if self.by_address[address] <= 0:
            del self.by_address[address]

    def handle_accept(self) -> None:
        """Accept a connection, unless its address has too many; make room if there are too many of all."""
        try:
            accepted = self.accept()
            if accepted is None:
                return
            connection, address = accepted
            if self._has_too_many(str(address[0])):
                self._refuse(connection, b"429 Too Many Requests", "too many connections of one address")
            elif not self._has_room():
                self._refuse(connection, b"503 Service Unavailable", "too many connections")
            else:
                self.set_socket_options(connection)
                self.channel_class(self, connection, address, self.adj, map=self._map)
        except OSError:
            logger.debug("A connection ended before it was accepted.", exc_info=True)

    def _has_too_many(self, address: str) -> bool:
        if is_trusted(address, self.trusted):
            return False
        return self.by_address[counted_as(address)] >= self.limits.per_address

    def _has_room(self) -> bool:
        """Whether one more connection fits; the one that has waited longest for its client makes room."""
        if len(self.active_channels) < self.limits.connections:
            return True
        now = monotonic()
        waiting = [(channel.progress(now), channel) for channel in self._connections() if not channel.will_close]
        for phase in MAKES_ROOM:
            slow = [(progress.waited_s, channel) for progress, channel in waiting if progress.phase is phase]
            if slow:
                _, longest = max(slow, key=lambda one: one[0])
                longest.handle_close()
                self.sent_away["made room for others"] += 1
                return True
        return False

    def _refuse(self, connection: socket.socket, status: bytes, why: str) -> None:
        self.sent_away[why] += 1
        with connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(BUSY % status)

    def _connections(self) -> list[Connection]:
        return list(self.active_channels.values())

    def maintenance(self, now: float) -> None:
        """Close the connections whose clients are late; report them now and then."""
        del now
        moment = monotonic()
        for channel in self._connections():
            phase = channel.close_if_late(moment)
            if phase not in (None, Phase.IDLE):
                self.sent_away[f"late: waited for {phase.value}"] += 1
            if self.is_stopping:
                _end_if_idle(channel, moment)
        self._report(moment)
        self.give_back(moment)

    def give_back(self, moment: float) -> None:
        """Give memory that large requests have left back to the system, once nothing is served."""
        if not self.has_worked or moment < self.next_give_back:
            return
        if any(channel.requests for channel in self._connections()):
            return
        self.has_worked, self.next_give_back = False, moment + GIVE_BACK_S
        trim_memory()

    def _report(self, moment: float) -> None:
        if self.sent_away and moment >= self.next_report:
            self.next_report = moment + REPORT_S
            reasons = ", ".join(f"{count} ({why})" for why, count in sorted(self.sent_away.items()))
            logger.warning("Connections closed or refused: %s.", reasons)
            self.sent_away.clear()

    def stop_accepting(self) -> None:
        """Accept nothing more; what has begun is finished."""
        self.is_stopping = True
        self.accepting = False
        self.del_channel(self._map)
        self.socket.close()

    @property
    def is_done(self) -> bool:
        """Whether no connection is left."""
        return not self.active_channels


def trim_memory() -> None:
    """Have the C library give back what was freed; others than GNU's do so themselves."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _end_if_idle(channel: Connection, now: float) -> None:
    progress = channel.progress(now)
    if progress.phase is Phase.IDLE and progress.waited_s >= LAST_REQUEST_S:
        channel.will_close = True

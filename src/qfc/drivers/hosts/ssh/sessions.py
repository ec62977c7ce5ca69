"""Sessions over one connection: one command each, and some that wait for the next commands."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import BinaryIO

from ....errors import CommandError
from ...commands import echo
from . import arguments, failures
from .arguments import SshSettings
from .channel import Channel
from .connection import Connection
from .launcher import Ending

#: A session takes two round trips until it waits, and a command one: two ahead keep up with commands in a row.
_AHEAD = 2
#: How long a command waits on a server that allows no more sessions, since one of this process last ended.
_ROOM_S = 5
#: A server that does not answer is not waited for when a command there is to be ended.
_KILL_S = 5
# What ignores the request to end is killed; that happens there, without us.
_KILL = 'kill -s TERM -- "-$1"; (sleep 3; kill -s KILL -- "-$1") </dev/null >/dev/null 2>&1 &'


class Sessions:
    """Runs commands on a server.

    A session takes a round trip to open and another one to start the launcher in it. While a command runs, the sessions
    of the next ones are opened; their words and their input then leave at once, and come back one round trip later.
    """

    def __init__(self, settings: SshSettings) -> None:
        self.settings = settings
        self.connection = Connection(settings)
        self._spares: deque[Channel] = deque()
        self._ahead = _AHEAD
        self._lock = Lock()
        self._ended_at = time.monotonic()

    def begin(self, argv: Sequence[str], environment: Mapping[str, str]) -> Channel:
        """Start a command to talk with. Raises UnreachableError."""
        echo(argv, on=self.settings.name)
        channel = self._attempt(argv, environment, Channel.prepare_reading)
        if channel.was_refused:
            channel.kill()
            raise failures.unreachable(self.settings, channel.ending.stderr)
        return channel

    def run(
        self,
        argv: Sequence[str],
        source: BinaryIO,
        sink: Callable[[bytes], object],
        *,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        shown: str = "",
    ) -> Ending:
        """Run a command to its end between two streams. Raises CommandError when the time is up.

        `--verbose` shows it as it is or as `shown`.
        """

        def pass_streams(channel: Channel) -> None:
            channel.feed(source)
            self._prepare()
            channel.drain(sink, timeout_s)

        echo(argv, on=self.settings.name, shown=shown)
        channel = self._attempt(argv, environment or {}, pass_streams)
        if channel.expired:
            raise CommandError(f"{argv[0]} did not end within {timeout_s:g} s.")
        return self.ending(argv[0], channel)

    def ending(self, program: str, channel: Channel) -> Ending:
        """Return how a command ended. Raises UnreachableError or CommandError when that was not heard of."""
        ended = channel.ending
        if ended.exit_code is not None:
            self._ended_at = time.monotonic()
            return ended
        if channel.was_refused:
            raise failures.unreachable(self.settings, ended.stderr)
        if not self.connection.is_open():
            raise failures.broken(self.settings, program)
        if not channel.has_launcher:
            raise failures.no_shell(self.settings, ended.stderr or channel.greeting)
        raise CommandError(
            f"{program} was killed on {self.settings.name}.", hint="Check the memory and the system log of that server."
        )

    def close(self) -> None:
        """End what waits, and the connection."""
        while spare := self._waiting():
            spare.kill()
        self.connection.close()

    def _attempt(self, argv: Sequence[str], environment: Mapping[str, str], then: Callable[[Channel], None]) -> Channel:
        """Start a command and go on with it; again while the server allows no more sessions.

        The last session may just be ending, or another thread's will; as long as sessions end, one becomes free. One
        that was refused had no launcher: nothing was run, and nothing was read from the source.
        """
        began = time.monotonic()
        while (channel := self._once(argv, environment, then)).was_refused and self._may_find_room(since=began):
            self._learn(channel)
            time.sleep(0.05)
        return channel

    def _may_find_room(self, *, since: float) -> bool:
        return time.monotonic() < max(since, self._ended_at) + _ROOM_S

    def _once(self, argv: Sequence[str], environment: Mapping[str, str], then: Callable[[Channel], None]) -> Channel:
        channel = self._take()
        try:
            channel.begin(argv, environment)
            then(channel)
        except BaseException:
            channel.kill()
            raise
        return channel

    def _learn(self, channel: Channel) -> None:
        """Open fewer sessions ahead on a server that allows few."""
        channel.kill()
        if channel.was_refused:
            self._ahead = max(0, self._ahead - 1)

    def _take(self) -> Channel:
        """Return a session that waits, or open one."""
        self.connection.open()
        while spare := self._waiting():
            if spare.is_running:
                return spare
            self._learn(spare)
        return self._open(self._end_there)

    def _waiting(self) -> Channel | None:
        with self._lock:
            return self._spares.popleft() if self._spares else None

    def _prepare(self) -> None:
        """Open the sessions of the next commands, unless they wait already."""
        with self._lock, suppress(CommandError):
            while len(self._spares) < self._ahead:
                self._spares.append(self._open(self._end_there))

    def _open(self, end_there: Callable[[int], None]) -> Channel:
        argv = arguments.session(self.settings, self.connection.open())
        return Channel(argv, self.connection.environment, end_there)

    def _end_there(self, group: int) -> None:
        """End a process group on the server, when it can be reached."""
        if not self.connection.is_open():
            return
        with suppress(CommandError):
            channel = self._open(_leave)
            channel.begin(["sh", "-c", _KILL, "sh", str(group)], {})
            channel.feed(io.BytesIO())
            channel.drain(len, _KILL_S)


def _leave(_group: int) -> None:
    """Leave a command to itself: what ends others is not ended."""

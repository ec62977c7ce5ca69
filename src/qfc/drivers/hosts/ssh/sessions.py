"""Sessions over one connection: one per command, and some that wait for the next commands."""

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

#: Opening a session takes two round trips, a command one: two in advance keep up with successive commands.
_AHEAD = 2
#: Seconds that a command waits on a server that allows no more sessions, since one of this process last ended.
_ROOM_S = 5
#: Seconds to wait for the server when a command there has to be ended.
_KILL_S = 5
# A command that ignores SIGTERM is killed; that happens on the server, without us.
_KILL = 'kill -s TERM -- "-$1"; (sleep 3; kill -s KILL -- "-$1") </dev/null >/dev/null 2>&1 &'


class Sessions:
    """Runs commands on a server.

    A session takes one round trip to open and another one to start the launcher in it. While a command runs, the
    sessions for the next ones are opened; such a command is then sent at once, and takes one round trip.
    """

    def __init__(self, settings: SshSettings) -> None:
        self.settings = settings
        self.connection = Connection(settings)
        self._spares: deque[Channel] = deque()
        self._ahead = _AHEAD
        self._lock = Lock()
        self._ended_at = time.monotonic()

    def begin(self, argv: Sequence[str], environment: Mapping[str, str]) -> Channel:
        """Start a command to write to and read from. Raises UnreachableError."""
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
        """Run a command between two streams and wait for its end. Raises CommandError on a timeout.

        `--verbose` shows the command, or `shown` in its place.
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
        """Return the end of a command. Raises UnreachableError or CommandError when it was not reported."""
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
        """End the waiting sessions and the connection."""
        while spare := self._waiting():
            spare.kill()
        self.connection.close()

    def _attempt(self, argv: Sequence[str], environment: Mapping[str, str], then: Callable[[Channel], None]) -> Channel:
        """Start a command and continue with it; retry while the server allows no more sessions.

        The previous session may just be ending, or that of another thread will; as long as sessions end, one becomes
        free. A refused session had no launcher: nothing was run, and nothing was read from the source.
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
        """Open fewer sessions in advance on a server that allows few."""
        channel.kill()
        if channel.was_refused:
            self._ahead = max(0, self._ahead - 1)

    def _take(self) -> Channel:
        """Return a waiting session, or open one."""
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
        """Open the sessions for the next commands, unless they wait already."""
        with self._lock, suppress(CommandError):
            while len(self._spares) < self._ahead:
                self._spares.append(self._open(self._end_there))

    def _open(self, end_there: Callable[[int], None]) -> Channel:
        argv = arguments.session(self.settings, self.connection.open())
        return Channel(argv, self.connection.environment, end_there)

    def _end_there(self, group: int) -> None:
        """End a process group on the server, if it can be reached."""
        if not self.connection.is_open():
            return
        with suppress(CommandError):
            channel = self._open(_leave)
            channel.begin(["sh", "-c", _KILL, "sh", str(group)], {})
            channel.feed(io.BytesIO())
            channel.drain(len, _KILL_S)


def _leave(_group: int) -> None:
    """Leave a command alone: the command that ends others must not be ended itself."""

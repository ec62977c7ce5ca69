"""The monitor of several stacks: a thread for each, one for messages, until somebody ends it."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType

from ..stack.monitor import Limits
from ..stack.ports import Ports
from ..stack.ports.monitoring import Post
from .network import Network
from .notify import EVERY_S, ping, tell_systemd
from .sender import Sender
from .watcher import Watcher

#: A watcher, or the sender, that has not finished a turn for so long hangs. A repair may take minutes.
HANGS_S = 600.0
TURN_S = 5.0
#: Seconds that a repair gets to end, once somebody ends the monitor.
END_S = 240.0


class Daemon:
    """Watches stacks until `stop` is set. `ping_url` is requested while every stack is watched."""

    def __init__(
        self,
        stacks: Sequence[Ports],
        limits: Limits,
        routes: Sequence[Post],
        *,
        say: Callable[[str, str], None],
        ping_url: str | None = None,
    ) -> None:
        self.stop = Event()
        self._news = Event()
        self._network = Network()
        self._watchers = [Watcher(ports, limits, say=say, news=self._news, network=self._network) for ports in stacks]
        self._sender = Sender(self._watchers, routes, self._news)
        self._ping_url, self._pinged_s = ping_url, float("-inf")

    def run(self) -> None:
        """Watch until a signal says stop; a repair that has begun ends first."""
        threads = [Thread(target=one.run, args=(self.stop,), daemon=True) for one in self._watchers]
        sending = Thread(target=self._sender.run, args=(self.stop,), daemon=True)
        for thread in (*threads, sending):
            thread.start()
        tell_systemd("READY=1", f"STATUS=Watching {len(threads)} stacks.")
        while not self.stop.wait(TURN_S):
            self._live()
            self._tell_of_network()
        tell_systemd("STOPPING=1")
        self._news.set()
        for one in self._watchers:
            one.wake()
        until = time.monotonic() + END_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def end_on_signals(self) -> None:
        """End at SIGTERM and SIGINT."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self.stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)

    def _tell_of_network(self) -> None:
        """Tell people once that the network of this machine is gone, and once that it is back."""
        clock = self._watchers[0].ports.clock
        message = self._network.news(socket.gethostname(), clock.monotonic(), clock.now())
        if message is not None:
            self._watchers[0].unsaved.append(message)
            self._news.set()

    def _live(self) -> None:
        """Say that the monitor is alive, as long as every watcher and the sender are."""
        now = time.monotonic()
        if any(now - one.turned_s > HANGS_S for one in (*self._watchers, self._sender)):
            return
        tell_systemd("WATCHDOG=1", f"STATUS={self._sender.failed or 'All stacks are watched.'}")
        if self._ping_url and now - self._pinged_s >= EVERY_S:
            self._pinged_s = now
            Thread(target=ping, args=(self._ping_url,), daemon=True).start()

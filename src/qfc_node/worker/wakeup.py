"""Wait for whatever comes first: a signal, a notification of the database, the end of a child, or a time-out."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Sequence
from types import FrameType

from django.db import connection
from psycopg import Connection, Notify


class Signals:
    """SIGTERM asks to stop after the current job; a second one, or SIGINT, asks to stop at once."""

    def __init__(self) -> None:
        self.stopping = False
        self.abort = False
        self._pipe, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGINT, self._interrupt)
        # The parent process may ignore SIGCHLD; we would inherit that, and children would leave no exit code.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.abort = self.stopping
        self.stopping = True

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stopping = self.abort = True

    def wait(self, descriptors: Sequence[int], timeout_s: float) -> None:
        """Return when a file descriptor is readable, a signal arrived, or the time is over."""
        select.select([self._pipe, *descriptors], [], [], max(0.0, timeout_s))
        with contextlib.suppress(BlockingIOError):
            os.read(self._pipe, 4096)


class Notifications:
    """Notifications of the database that there may be work, collected since the last wait."""

    def __init__(self) -> None:
        self._connection: Connection[object] | None = None
        self._seen = False

    def wait(self, signals: Signals, timeout_s: float) -> None:
        """Return at the first notification, even one that arrived during a query. Raises OperationalError."""
        with connection.wrap_database_errors:
            self._wait(signals, timeout_s)

    def _wait(self, signals: Signals, timeout_s: float) -> None:
        current: Connection[object] = connection.connection
        if current is not self._connection:
            current.add_notify_handler(self._note)
            self._connection = current
            self._seen = True  # a notification may have been missed before the subscription
        if not self._take():
            signals.wait([current.fileno()], timeout_s)
            current.pgconn.consume_input()
        while current.pgconn.notifies():
            pass
        self._seen = False

    def _note(self, notification: Notify) -> None:
        del notification
        self._seen = True

    def _take(self) -> bool:
        seen, self._seen = self._seen, False
        return seen

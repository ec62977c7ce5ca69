"""The process of a job, as the worker sees it: a child of the fork server, which the worker watches and kills."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

from ..box.messages import ConversationOverError, Ended, Line

#: Seconds for the kernel to end a killed process.
END_S = 30.0


class JobProcess:
    """A running job. `descriptor` becomes readable when it ends."""

    def __init__(self, pid: int, pidfd: int, line: Line) -> None:
        self.pid = pid
        self.started = time.monotonic()
        #: Set when it has ended; the negative signal number if a signal killed it.
        self.exit_code: int | None = None
        self._pidfd = pidfd
        self._line = line

    @property
    def descriptor(self) -> int:
        """The descriptor to wait for: a message of the server, or the end of the server."""
        return self._line.fileno()

    @property
    def seconds(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self.started

    def ended(self) -> bool:
        """Whether it has ended. Then `exit_code` is set."""
        if self.exit_code is None and _is_readable(self.descriptor, 0):
            self._take_end()
        return self.exit_code is not None

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            self._take_end()

    def _take_end(self) -> None:
        try:
            message, _ = self._line.receive()
            self.exit_code = message.exit_code if isinstance(message, Ended) else -signal.SIGKILL
        except ConversationOverError:  # the server has died, and the kernel kills its children
            _is_readable(self._pidfd, END_S)
            self.exit_code = -signal.SIGKILL
        os.close(self._pidfd)


def _is_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])

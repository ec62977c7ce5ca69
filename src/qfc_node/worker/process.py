"""The child process of a job: forked from the worker, bounded in time and memory, gone when the worker goes."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChildProcess:
    """A running child. `pidfd` becomes readable when it ends."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.exit_code: int | None = None

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started

    def ended(self) -> bool:
        """Whether it has ended; the exit code is known then (minus the signal's number when one killed it)."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            self.exit_code = os.waitstatus_to_exitcode(status)
            os.close(self.pidfd)
        return True

    def kill(self) -> None:
        """End it now, and wait for its end."""
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
            os.close(self.pidfd)


def fork(work: Callable[[], None], memory_limit_bytes: int) -> ChildProcess:
    """Run `work` in a child process. The worker has one thread only, so that forking is safe."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_the_child(work, memory_limit_bytes, parent)
    return ChildProcess(pid)


def _be_the_child(work: Callable[[], None], memory_limit_bytes: int, parent: int) -> NoReturn:
    # os._exit at the end, and no way around it: a return from here would be a second worker.
    try:
        _die_with(parent)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001  (see above)
        os._exit(70)
    os._exit(71)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the worker dies, even when it dies in this very moment."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(72)

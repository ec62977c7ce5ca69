"""The child process of a job: forked from the worker, limited in time and memory, killed when the worker dies."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from ..storage.errors import is_fault_of_the_machine

PR_SET_PDEATHSIG = 1
#: Service managers and terminals signal whole groups of processes; a signal that stops the worker must not end the job.
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
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
        """Seconds since it started."""
        return time.monotonic() - self.started

    def ended(self) -> bool:
        """Whether it has ended. Then `exit_code` is set (the negative signal number if a signal killed it)."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            self.exit_code = os.waitstatus_to_exitcode(status)
            os.close(self.pidfd)
        return True

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
            os.close(self.pidfd)


def fork(work: Callable[[], None], memory_limit_bytes: int) -> ChildProcess:
    """Run `work` in a child process. The worker has only one thread, so that forking is safe.

    The child ends with 0, with EX_TEMPFAIL after a fault of the machine, else with EX_SOFTWARE.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_the_child(work, memory_limit_bytes, parent)
    try:
        return ChildProcess(pid)
    except OSError:  # no file descriptor is left to watch it
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _be_the_child(work: Callable[[], None], memory_limit_bytes: int, parent: int) -> NoReturn:
    # Every path ends in os._exit: returning from here would start a second worker.
    try:
        _die_with(parent)
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  (see above)
        with suppress(BaseException):
            traceback.print_exc()
        os._exit(os.EX_TEMPFAIL if is_fault_of_the_machine(error) else os.EX_SOFTWARE)
    os._exit(os.EX_SOFTWARE)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the worker dies, even if it dies at this very moment."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(os.EX_SOFTWARE)

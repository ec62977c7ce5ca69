"""The fork server: a small process, started by a worker, that starts one child per job.

It is started by `exec`, so it has nothing of the worker's memory. It imports what jobs use, and reads nothing of a
project: so all children start alike, whatever came before them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..faults import is_machine_error
from ..gis import elsewhere
from ..gis.port import EngineClass
from . import job, kernel
from .layers import Box
from .messages import ConversationOverError, Ended, Line, Ready, Run, Started
from .work import JobInput

#: Service managers and terminals signal whole groups of processes; a signal that stops the worker must not end the job.
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Server:
    """The conversation with the worker, the box of the children, and what they run."""

    line: Line
    box: Box
    engine: EngineClass

    def serve(self) -> None:
        """Run jobs, one at a time, until the worker ends the conversation."""
        gc.collect()
        gc.freeze()  # what is never collected is not touched either, so that the children share it
        self.line.send(Ready(tuple(layer.as_json() for layer in self.box.layers), self.box.account))
        with contextlib.suppress(ConversationOverError):
            while True:
                message, files = self.line.receive()
                if isinstance(message, Run):
                    self._run(message, files)

    def _run(self, order: Run, files: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_the_child(order, files, parent)
        for file in files:
            os.close(file)
        try:
            watch = os.pidfd_open(pid)
            self.line.send(Started(pid), [watch])
            self._await_end(watch)
        finally:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
        os.close(watch)
        self.line.send(Ended(os.waitstatus_to_exitcode(status)))

    def _await_end(self, watch: int) -> None:
        """Return when the child has ended. Raises ConversationOverError when the worker has."""
        readable, _, _ = select.select([watch, self.line], [], [])
        if watch not in readable:
            raise ConversationOverError

    def _be_the_child(self, order: Run, files: list[int], parent: int) -> NoReturn:
        # Every path ends in os._exit: returning from here would start a second server.
        try:
            given, errors = files
            self.line.close()
            _take_streams(errors)
            self.box.enter(Path(order.folder), order.limits)
            kernel.die_with_parent(parent)
            os.umask(0o077)
            content = _read_all(given)
            job.run(JobInput.decoded(content), Path(order.folder), self.engine)
            os._exit(0)
        except BaseException as error:  # noqa: BLE001  (see above)
            with contextlib.suppress(BaseException):
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(os.EX_TEMPFAIL if is_machine_error(error) else os.EX_SOFTWARE)
        os._exit(os.EX_SOFTWARE)


def prepare_process(parent: int) -> None:
    """Make this process one that ends with the worker, and by nothing else."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o022)
    kernel.die_with_parent(parent)


def warm_up(engine: EngineClass, *, network: bool) -> None:
    """Load now what every job loads."""
    warm = getattr(engine, "warm_up", None)
    if warm is not None:
        warm()
    if network:
        __import__("psycopg")
    else:
        elsewhere.forbid()


def _take_streams(errors: int) -> None:
    """Give this process nothing to read, and the file of errors for what libraries print."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    os.close(nothing)
    os.close(errors)


def _read_all(file: int) -> bytes:
    """Read an open file from its beginning, and close it."""
    with os.fdopen(file, "rb") as stream:
        stream.seek(0)
        return stream.read()

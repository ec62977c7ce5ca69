"""The stack's lock: a file in its folder that names its holder.

The file is read, judged and written under `flock` on a second file, so that two operators who find a dead holder at the
same moment do not both take the lock. If the disk is too full to write the file, `flock` itself is kept until the lock
is released: a stack on a full disk must still be stopped, pruned and repaired.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from ..errors import LockHeldError, QfcError
from ..files import FULL, replace_file
from ..stack.model import Holder
from ..stack.ports import Clock, Lock
from . import holders

#: Two measurements of the start of one process differ by less than this, in seconds.
SAME_START_S = 1.0
#: Judging takes milliseconds: a process that holds `flock` for longer than these seconds holds the lock itself.
JUDGING_S, RETRY_S = 5.0, 0.05


class FileLock(Lock):
    """Lets one operator at a time change the stack in `folder`; under another `name`, one monitor act for it."""

    def __init__(self, folder: Path, clock: Clock, *, name: str = "lock") -> None:
        self._folder, self._clock, self._mutex_name = folder, clock, f"{name}.mutex"
        self._path = folder / f"{name}.json"
        self._kept = ExitStack()
        self._is_unwritten = False

    def identity(self) -> str:
        return holders.identity()

    def take(self, reason: str) -> Holder:
        with ExitStack() as judging:
            judging.enter_context(self._mutex())
            holder = self.holder()
            if holder is not None:
                raise holders.held(holder, self._hint(holder))
            own = self._own(reason)
            self._is_unwritten = not self._written(own)
            if self._is_unwritten:
                self._kept = judging.pop_all()
            return own

    def release(self) -> None:
        self._kept.close()
        self._is_unwritten = False
        if not self._path.exists():
            return
        with self._mutex():
            if holders.is_this_process(self.holder()):
                self._path.unlink(missing_ok=True)

    def holder(self) -> Holder | None:
        """Return the living holder of the lock; None without one. A holder on another host is assumed to be alive."""
        try:
            holder = holders.from_document(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            hint = f"If nobody else is changing the stack, remove {self._path}."
            raise LockHeldError("The lock cannot be read.", hint=hint) from error
        return holder if _lives(holder) else None

    def is_ours(self) -> bool:
        with suppress(LockHeldError):
            return self._is_unwritten or holders.is_this_process(self.holder())
        return False

    def _own(self, reason: str) -> Holder:
        started = psutil.Process().create_time()
        return holders.ourselves(reason, self._clock.now(), process_started=started)

    def _hint(self, holder: Holder) -> str:
        if holder.host == socket.gethostname():
            return holders.LATER
        return f"If that operator on {holder.host} is no longer at work, remove {self._path}."

    def _written(self, own: Holder) -> bool:
        """Write the holder to the file; return whether the disk had space for it. Raises QfcError."""
        try:
            replace_file(self._path, holders.as_document(own).encode(), mode=0o644)
        except OSError as error:
            if error.errno not in FULL:
                raise QfcError(f"{self._path} cannot be written.", hint="Run qfc as the stack's owner.") from error
            return False
        return True

    @contextmanager
    def _mutex(self) -> Generator[None]:
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / self._mutex_name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise QfcError(
                f"{self._folder} cannot be written.",
                hint="Run qfc as the stack's owner, or set QFC_HOME to a folder of your own.",
            ) from error
        try:
            self._await(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _await(self, descriptor: int) -> None:
        """Wait for processes that judge. Raises LockHeldError for a holder that could not write the file."""
        for _ in range(round(JUDGING_S / RETRY_S)):
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            self._clock.sleep(RETRY_S)
        raise LockHeldError(
            f"Another operator is changing {self._folder}; their name could not be written to the full disk.",
            hint=holders.LATER,
        )


def _lives(holder: Holder) -> bool:
    if holder.host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(holder.pid).create_time() - holder.process_started) < SAME_START_S
    except psutil.NoSuchProcess:
        return False

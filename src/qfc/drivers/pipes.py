"""A running command and the streams through it, one piece at a time."""

from __future__ import annotations

import io
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import BinaryIO, cast

from ..errors import CommandError
from ..stack.model import CommandResult
from ..stack.ports import Process

#: Bytes of a stream in memory at a time.
CHUNK = 1 << 18
#: Only the last bytes of endless errors (`logs --follow`) are kept.
_ERRORS_KEPT = 1 << 20
#: Seconds to wait for output: a child of an ended command may keep its pipes open.
_LAST_WORDS_S = 1
_TERMINATION_S = 3


class Pipes:
    """A command with pipes to its input and from its outputs, in its own process group.

    Ctrl-C reaches us, and we end the command. The caller uses `stdin` and `stdout`, or `feed` and `drain`.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.expired = False
        self._errors = bytearray()
        self._fault: BaseException | None = None
        self._fed = False
        self._process = _start(argv, environment)
        self.stdin = cast("io.BufferedWriter", self._process.stdin)
        self.stdout = cast("io.BufferedReader", self._process.stdout)
        self._listener = Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    @property
    def is_running(self) -> bool:
        """Whether the command has not ended."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """The exit code, negative for a signal; valid only after the end."""
        return self._process.returncode

    @property
    def errors(self) -> bytes:
        """The output on standard error, the last mebibyte of it."""
        return bytes(self._errors)

    def feed(self, source: BinaryIO) -> None:
        """Send a stream as the whole input while the output is read."""
        self._fed = True
        Thread(target=self._send, args=(source,), daemon=True).start()

    def drain(self, sink: Callable[[bytes], object], timeout_s: float | None) -> None:
        """Pass on all output and wait for the end; `expired` is true after a timeout.

        An error of the source or the sink ends the command and is raised here.
        """
        timer = Timer(timeout_s or 0, self._expire)
        try:
            if timeout_s is not None:
                timer.start()
            self.prepare_reading()
            while chunk := self.stdout.read1(CHUNK):
                sink(chunk)
            self.wait()
        except BaseException:
            self.kill()
            raise
        finally:
            timer.cancel()
        if self._fault:
            raise self._fault

    def wait(self) -> None:
        """Wait for the end of a command whose output has been read."""
        self._process.wait()
        self._listener.join(_LAST_WORDS_S)
        self.stdout.close()
        if not self._fed:
            self.end_input()

    def end_input(self) -> None:
        """Close the input of the command."""
        with suppress(OSError):
            self.stdin.close()

    def kill(self) -> None:
        """End the command; harmless after its end."""
        self._end()
        self.wait()

    def prepare_reading(self) -> None:
        """Skip everything that is not the command's output."""

    def is_wanted(self) -> bool:
        """Return whether the input has a reader."""
        return True

    def end_command(self) -> None:
        """Ask the command to end, and its children."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_TERMINATION_S)

    def _end(self) -> None:
        if self.is_running:
            self.end_command()
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _expire(self) -> None:
        self.expired = True
        self._end()

    def _send(self, source: BinaryIO) -> None:
        """Copy the source to the command. A failed source must not look like one that ended."""
        try:
            while self.is_wanted() and (chunk := source.read(CHUNK)):
                self.stdin.write(chunk)
        except BrokenPipeError:
            pass  # the command reads no more
        except BaseException as error:  # noqa: BLE001 - raised again by `drain`, in the thread that waits
            self._fault = error
            self._end()
        finally:
            self.end_input()

    def _listen(self, stderr: io.BufferedReader) -> None:
        with stderr:
            while chunk := stderr.read1(CHUNK):
                self._errors += chunk
                del self._errors[:-_ERRORS_KEPT]


class Conversation(Process):
    """A command to write to and read from. `judge` returns its result after the end, or raises an error."""

    def __init__(self, pipes: Pipes, judge: Callable[[bool], CommandResult]) -> None:
        self._pipes, self._judge = pipes, judge
        self.stdin, self.stdout = pipes.stdin, pipes.stdout

    @property
    def is_running(self) -> bool:
        return self._pipes.is_running

    def finish(self, *, check: bool = True) -> CommandResult:
        self._pipes.end_input()
        self._pipes.drain(len, None)
        return self._judge(check)


def _start(argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(argv, env=dict(environment), stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)
    except OSError as error:
        name = Path(argv[0]).name
        raise CommandError(f"{argv[0]} cannot be started.", hint=f"Is {name} installed?") from error

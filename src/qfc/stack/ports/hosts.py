"""Where commands run, and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from io import BufferedReader, BufferedWriter
from pathlib import PurePath
from typing import BinaryIO, Protocol

from ..model import CommandResult, Disk


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> datetime:
        """Return the time now, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment; they never jump, whatever happens to the time of day."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Host(Protocol):
    """Where commands run and files lie."""

    name: str

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command to its end. Raises CommandError when `check` and the exit code is not 0."""
        ...

    def read_bytes(self, path: PurePath) -> bytes:
        """Return a file's content. Raises NotFoundError."""
        ...

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        """Replace a file's content atomically; the file never exists with wider rights than `mode`."""
        ...

    def disk(self, path: PurePath) -> Disk:
        """Return the space of the file system that holds the path."""
        ...


class Process(Protocol):
    """A running command that is talked with."""

    stdin: BufferedWriter
    stdout: BufferedReader

    def finish(self, *, check: bool = True) -> CommandResult:
        """Close the input, drop what was not read, wait for the end. Raises CommandError as `Host.run` does."""
        ...


class Streams(Protocol):
    """What else a host can do with commands: pass bytes of any size and value, a piece at a time."""

    def stream(
        self,
        argv: Sequence[str],
        *,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command like `Host.run`, with files for its input and its output."""
        ...

    def start(
        self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Process]:
        """Run a command and talk with it; it ends with the block."""
        ...

    def attach(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        """Run a command on the operator's terminal. Raises CommandError when `check` and its exit code is not 0."""
        ...

    def forward(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Give an address and a port of this machine that lead to those which the host reaches."""
        ...

    def close(self) -> None:
        """Close what is open towards the host; the next use opens it again."""
        ...


class Machine(Host, Streams, Protocol):
    """A host whose commands may also be talked with."""

"""Hosts, where commands run, and the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from io import BufferedReader, BufferedWriter
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from ..model import CommandResult, Disk


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary start; they never jump, even if the system time is changed."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        ...


class Host(Protocol):
    """A machine on which commands run and files are stored."""

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
        """Run a command and wait for its end. Raises CommandError when `check` is set and the exit code is not 0."""
        ...

    def read_bytes(self, path: PurePath) -> bytes:
        """Return a file's content. Raises NotFoundError."""
        ...

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        """Replace a file's content atomically; the file never exists with wider permissions than `mode`."""
        ...

    def disk(self, path: PurePath) -> Disk:
        """Return the free and total space of the path's file system."""
        ...


class Process(Protocol):
    """A running command with open input and output."""

    stdin: BufferedWriter
    stdout: BufferedReader

    @property
    def is_running(self) -> bool:
        """Whether the command has not ended, and can be reached."""
        ...

    def finish(self, *, check: bool = True) -> CommandResult:
        """Close the input, drop unread output, wait for the end. Raises CommandError as `Host.run` does."""
        ...


class Streams(Protocol):
    """Commands with streams: bytes of any size and value pass through in pieces."""

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
        """Run a command like `Host.run`, with files as its input and output."""
        ...

    def start(
        self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Process]:
        """Start a command, to write to and read from; it ends with the `with` block."""
        ...

    def attach(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        """Run a command on the operator's terminal. Raises CommandError as `Host.run` does."""
        ...

    def forward(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Yield an address and a port of this machine that lead to `address` and `port`, as the host reaches them."""
        ...

    def close(self) -> None:
        """Close the connections to the host; the next use opens them again."""
        ...


class Machine(Host, Streams, Protocol):
    """A host with streams."""

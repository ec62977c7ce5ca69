"""A server that is reached with OpenSSH's client."""

from __future__ import annotations

import io
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import BinaryIO

from ....errors import CommandError, NotFoundError, QfcError
from ....stack.model import CommandResult, Disk
from ....stack.ports import Machine
from ... import commands
from ...pipes import Conversation
from ..disk_space import parse_disk
from . import arguments, files
from .arguments import SshSettings
from .launcher import Ending
from .sessions import Sessions

#: Time limit for measuring a file system, in seconds.
_LOOK_S = 60


class SshHost(Machine):
    """Runs commands and stores files on a server, over one connection that opens on first use.

    While a command runs, the sessions for the next ones are opened, so each of those takes one round trip.
    """

    def __init__(self, settings: SshSettings) -> None:
        self.name = settings.name
        self._sessions = Sessions(settings)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command and wait for its end; `environment` is added to the account's own, hidden from other accounts.

        Raises CommandError, and UnreachableError when the connection fails.
        """
        output = io.BytesIO()
        ended = self._sessions.run(
            argv, io.BytesIO(stdin or b""), output.write, environment=environment, timeout_s=timeout_s
        )
        return self._result(argv, ended, output.getvalue().decode(errors="replace"), check)

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
        sink = stdout.write if stdout else len
        ended = self._sessions.run(argv, stdin or io.BytesIO(), sink, environment=environment, timeout_s=timeout_s)
        return self._result(argv, ended, "", check)

    @contextmanager
    def start(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Generator[Conversation]:
        channel = self._sessions.begin(argv, environment or {})
        try:
            yield Conversation(
                channel, lambda check: self._result(argv, self._sessions.ending(argv[0], channel), "", check)
            )
        finally:
            channel.kill()

    def attach(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        connection = self._sessions.connection
        over = arguments.terminal(connection.settings, connection.open(), argv)
        return commands.run_attached(over, environment=connection.environment, name=argv[0], check=check)

    @contextmanager
    def forward(self, address: str, port: int) -> Generator[tuple[str, int]]:
        local_port = _free_port()
        forwarding = arguments.forwarding(local_port, address, port)
        self._sessions.connection.control("forward", *forwarding)
        try:
            yield "127.0.0.1", local_port
        finally:
            with suppress(QfcError):
                self._sessions.connection.control("cancel", *forwarding)

    def read_bytes(self, path: PurePath) -> bytes:
        content = io.BytesIO()
        ended = self._sessions.run(files.read(path), io.BytesIO(), content.write, shown=f"read {path}")
        if ended.exit_code == files.ABSENT:
            raise NotFoundError(f"There is no file {path} on {self.name}.")
        if ended.exit_code != 0:
            raise QfcError(f"{path} on {self.name} cannot be read: {_last_line(ended)}")
        return content.getvalue()

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        self.upload(path, io.BytesIO(content), len(content), mode=mode)

    def upload(self, path: PurePath, source: BinaryIO, size: int, *, mode: int = 0o644) -> None:
        """Replace a file with the `size` bytes of `source`, as `write_bytes` does."""
        ended = self._sessions.run(files.write(path, size, mode), source, len, shown=f"write {path}, {size} bytes")
        if ended.exit_code == 0:
            return
        reason = "it is a folder" if ended.exit_code == files.FOLDER else _last_line(ended)
        raise QfcError(
            f"{path} on {self.name} cannot be written: {reason}", hint="Check free space and permissions there."
        )

    def disk(self, path: PurePath) -> Disk:
        """Return the free and total space of the file system of the path, which need not exist."""
        printed = io.BytesIO()
        ended = self._sessions.run(files.disk(path), io.BytesIO(), printed.write, timeout_s=_LOOK_S, shown=f"df {path}")
        if ended.exit_code != 0:
            raise QfcError(f"The disk of {path} on {self.name} cannot be measured: {_last_line(ended)}")
        return parse_disk(printed.getvalue().decode(errors="replace"))

    def close(self) -> None:
        self._sessions.close()

    def _result(self, argv: Sequence[str], ended: Ending, stdout: str, check: bool) -> CommandResult:
        """Return the result of a command. Raises CommandError as the port defines it."""
        if ended.absent:
            raise CommandError(f"{argv[0]} cannot be started.", hint=f"Is {argv[0]} installed on {self.name}?")
        return commands.checked(CommandResult(tuple(argv), ended.exit_code or 0, stdout, ended.stderr), check)


def _free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _last_line(ended: Ending) -> str:
    return ended.stderr.strip().splitlines()[-1] if ended.stderr.strip() else "no reason given"

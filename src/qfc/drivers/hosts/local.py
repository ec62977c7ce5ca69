"""This machine."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import BinaryIO

from ...errors import CommandError, NotFoundError, QfcError
from ...files import keep_file
from ...stack.model import CommandResult, Disk
from ...stack.ports import Machine
from .. import commands
from ..pipes import Conversation, Pipes


class LocalHost(Machine):
    """Runs commands and stores files on this machine."""

    name = "local"

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command and wait for its end; `environment` is added to our own. Raises CommandError."""
        return commands.run(argv, environment=_merged(environment), stdin=stdin, timeout_s=timeout_s, check=check)

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
        pipes = _begin(argv, environment)
        pipes.feed(stdin or io.BytesIO())
        pipes.drain(stdout.write if stdout else len, timeout_s)
        if pipes.expired:
            raise CommandError(f"{argv[0]} did not end within {timeout_s:g} s.")
        return _result(argv, pipes, check)

    @contextmanager
    def start(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Generator[Conversation]:
        pipes = _begin(argv, environment)
        try:
            yield Conversation(pipes, lambda check: _result(argv, pipes, check))
        finally:
            pipes.kill()

    def attach(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        return commands.run_attached(argv, environment=_merged(None), check=check)

    @contextmanager
    def forward(self, address: str, port: int) -> Generator[tuple[str, int]]:
        """Yield address and port unchanged: this machine reaches them directly."""
        yield address, port

    def close(self) -> None:
        """Do nothing: this machine needs no connection."""

    def read_bytes(self, path: PurePath) -> bytes:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {path}.") from error
        except OSError as error:
            raise QfcError(f"{path} cannot be read.") from error

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        keep_file(Path(path), content, mode=mode)

    def disk(self, path: PurePath) -> Disk:
        """Return the free and total space of the file system of the path, which need not exist."""
        place = next(folder for folder in (Path(path), *Path(path).parents) if folder.exists())
        usage = shutil.disk_usage(place)
        whole = place.resolve()
        mounted_on = next(folder for folder in (whole, *whole.parents) if folder.is_mount())
        return Disk(usage.free, usage.total, str(mounted_on))


def _merged(environment: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(environment or {})}


def _begin(argv: Sequence[str], environment: Mapping[str, str] | None) -> Pipes:
    commands.echo(argv)
    return Pipes(argv, _merged(environment))


def _result(argv: Sequence[str], pipes: Pipes, check: bool) -> CommandResult:
    said = pipes.errors.decode(errors="replace")
    return commands.checked(CommandResult(tuple(argv), pipes.exit_code, "", said), check)

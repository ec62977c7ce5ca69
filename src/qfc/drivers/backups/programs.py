"""Runs PostgreSQL's programs for backups, here or on a host: one that writes a dump, one that reads it."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO, cast

from ...errors import CommandError
from ...stack.ports import Process
from ..commands import echo, said_without_secrets
from ..docker.engine import Engine
from .dumps import Feeding, last_words


@contextmanager
def output_of(argv: Sequence[str], environment: Mapping[str, str]) -> Generator[BinaryIO]:
    """Give the output of a program of this machine. Reading its end raises CommandError if it has failed."""
    echo(argv)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        try:
            yield cast(BinaryIO, _Output(process, said))
        except BaseException:
            process.kill()
            raise


def input_of(argv: Sequence[str], environment: Mapping[str, str], write: Callable[[BinaryIO], None]) -> str:
    """Run a program of this machine; `write` writes what it reads. Return what it says. Raises CommandError."""
    echo(argv)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=said, stderr=said) as process,
    ):
        Feeding(cast("IO[bytes]", process.stdin), write).finish(process, said, argv[0].rpartition("/")[2])
        said.seek(0)
        return said.read().decode(errors="replace")


@contextmanager
def output_there(engine: Engine, argv: Sequence[str], name: str) -> Generator[BinaryIO]:
    """Give the output of a command on a host. Reading its end raises CommandError, by `name`, if it has failed."""
    with engine.start(argv) as process:
        yield cast(BinaryIO, _OutputThere(process, name))


def input_there(engine: Engine, argv: Sequence[str], name: str, write: Callable[[BinaryIO], None]) -> str:
    """Run a command on a host; `write` writes what it reads. Return its output. Raises CommandError if it fails."""
    with engine.start(argv) as process:
        feeding = _FeedingThere(process, write)
        said = process.stdout.read()
        feeding.finish()
        _require(process, name)
        return said.decode(errors="replace")


class _Output:
    """The output of a program here."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[Any]) -> None:
        self._process, self._said = process, said

    def read(self, size: int = -1) -> bytes:
        """Read output."""
        chunk = cast("IO[bytes]", self._process.stdout).read(size)
        if not chunk and (code := self._process.wait()) != 0:
            name = str(cast("Sequence[str]", self._process.args)[0]).rpartition("/")[2]
            raise CommandError(f"{name} ended with exit code {code}: {last_words(self._said)}")
        return chunk


class _OutputThere:
    """The output of a command on a host."""

    def __init__(self, process: Process, name: str) -> None:
        self._process, self._name = process, name
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Read output."""
        if self._ended:
            return b""
        chunk = self._process.stdout.read(size)
        if not chunk:
            self._ended = True
            _require(self._process, self._name)
        return chunk


class _FeedingThere:
    """Writes into a command on a host from another thread, while its output is read."""

    def __init__(self, process: Process, write: Callable[[BinaryIO], None]) -> None:
        self._process, self._write = process, write
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._write(cast(BinaryIO, self._process.stdin))
            self._process.stdin.flush()
        except Exception as error:  # noqa: BLE001 - `finish` raises it
            self._failure = error
        finally:
            with suppress(OSError, ValueError):
                self._process.stdin.close()

    def finish(self) -> None:
        """Wait for the end. Raises what the writing raised, unless the command read no more."""
        self._thread.join()
        if self._failure is not None and not isinstance(self._failure, BrokenPipeError):
            raise self._failure


def _require(process: Process, name: str) -> None:
    result = process.finish(check=False)
    if result.exit_code:
        lines = result.stderr.strip().splitlines()
        said = said_without_secrets(lines[-1]) if lines else "it printed nothing"
        raise CommandError(f"{name} ended with exit code {result.exit_code}: {said}")

"""A command here and one on a host, connected by a pipe."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, cast

from ..errors import CommandError
from ..stack.model import CommandResult
from ..stack.ports import Machine
from .commands import checked, echo


def piped(
    argv: Sequence[str],
    environment: Mapping[str, str],
    machine: Machine,
    there: Sequence[str],
    *,
    towards: bool,
    name: str | None = None,
) -> CommandResult:
    """Run `argv` here and `there` on the host; bytes go to the host, or from it. Raises CommandError.

    The result includes the output of a command that reads its input from the host; errors call it `name`.
    """
    echo(argv)
    with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as output:
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                argv,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL if towards else pipe,
                stdout=pipe if towards else output,
                stderr=words,
            )
        except OSError as error:
            raise CommandError(f"{argv[0]} cannot be started.", hint="Is PostgreSQL's client installed?") from error
        try:
            _pass_on(process, machine, there, towards)
        finally:
            process.kill()
            code = process.wait()
        words.seek(0)
        output.seek(0)
        said = words.read().decode(errors="replace")
        return checked(CommandResult(tuple(argv), code, output.read().decode(errors="replace"), said), name=name)


def _pass_on(process: subprocess.Popen[bytes], machine: Machine, there: Sequence[str], towards: bool) -> None:
    if towards:
        with cast(IO[bytes], process.stdout) as source:
            machine.stream(there, stdin=source)  # pyright: ignore[reportArgumentType]
    else:
        with cast(IO[bytes], process.stdin) as sink:
            machine.stream(there, stdout=sink)  # pyright: ignore[reportArgumentType]
    process.wait()

"""The only place that runs commands. Each is echoed first (`--verbose`).

A command never contains a secret. Still, whatever looks like one is hidden in the echo and in errors: the URL of an
operator's git server may contain a password.
"""

from __future__ import annotations

import logging
import shlex
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ..errors import CommandError
from ..stack.model import CommandResult

log = logging.getLogger("qfc.commands")


def echo(argv: Sequence[str], *, on: str = "", shown: str = "") -> None:
    """Show a command with `--verbose`, or `shown` in its place; a script is shown by its first line."""
    if not log.isEnabledFor(logging.INFO):
        return
    from ..stack.redaction import command_without_secrets, without_secrets

    words = [f"{word.strip().splitlines()[0]} …" if "\n" in word.strip() else word for word in argv]
    line = without_secrets(shlex.join(command_without_secrets(words)))
    log.info("+ %s%s", f"[{on}] " if on else "", shown or line)


def said_without_secrets(text: str) -> str:
    """Return the output of a command without secrets, for an error."""
    from ..stack.redaction import without_secrets

    return without_secrets(text)


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: bytes | None = None,
    timeout_s: float | None = None,
    check: bool = True,
    name: str | None = None,
) -> CommandResult:
    """Run a command with exactly this environment and wait for its end. Raises CommandError, which calls it `name`."""
    echo(argv)
    try:
        done = subprocess.run(
            argv, input=stdin or b"", env=dict(environment), capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{name or argv[0]} did not end within {timeout_s:g} s.") from error
    except OSError as error:
        raise _not_startable(argv) from error
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return checked(CommandResult(tuple(argv), done.returncode, out, err), check, name)


def run_attached(
    argv: Sequence[str], *, environment: Mapping[str, str], name: str | None = None, check: bool = True
) -> CommandResult:
    """Run a command on the operator's terminal; Ctrl-C is the command's. Raises CommandError as `run` does.

    Without `check` the caller passes the exit code on: that of a shell says nothing about qfc.
    """
    echo(argv)
    try:
        with _interrupts_ignored():
            done = subprocess.run(argv, env=dict(environment), check=False)
    except OSError as error:
        raise _not_startable(argv) from error
    return checked(CommandResult(tuple(argv), done.returncode, "", ""), check, name=name)


@contextmanager
def _interrupts_ignored() -> Generator[None]:
    """Ignore Ctrl-C here. A handler, unlike an ignored signal, is not inherited: the child still receives Ctrl-C."""
    before = signal.signal(signal.SIGINT, _nothing)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Do nothing on a signal."""


def checked(result: CommandResult, check: bool = True, name: str | None = None) -> CommandResult:
    """Return the result. Raises CommandError with the last output if `check` is set and the exit code is not 0."""
    if check and result.exit_code != 0:
        said = f"{result.stderr}\n{result.stdout}".strip()
        last = said_without_secrets(said.splitlines()[-1]) if said else "it printed nothing"
        called = name or Path(result.argv[0]).name
        raise CommandError(f"{called} ended with exit code {result.exit_code}: {last}", said=said)
    return result


def _not_startable(argv: Sequence[str]) -> CommandError:
    return CommandError(f"{argv[0]} cannot be started.", hint=f"Is {Path(argv[0]).name} installed?")

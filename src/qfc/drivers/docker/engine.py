"""Runs `docker` where a stack's commands run, and translates the engine's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath

from ...errors import CommandError, QfcError, UnreachableError
from ...stack.model import CommandResult
from ...stack.ports import Machine, Process
from ..commands import said_without_secrets

#: A command that only reads answers within this time; an engine that hangs is down.
QUERY_S = 60.0
_NO_ENGINE = re.compile(
    "Cannot connect to the Docker daemon|error during connect|Is the docker daemon running|fetching server API version",
    re.I,
)
# Compose v1 names the cause after its own action; a command in a container may be denied something else.
_FORBIDDEN = re.compile(
    r"permission denied while trying to connect to the docker|docker\.sock.*permission denied"
    r"|fetching server API version.*permission denied",
    re.I,
)
_NOT_THERE = re.compile(r"\bdocker: (?:command )?not found", re.I)
_NO_SPACE = re.compile(r"no space left on device", re.I)


class Engine:
    """The engine of one host. `mark` returns an environment variable for commands that change something.

    It identifies the commands of an operation that was killed, see `qfc.drivers.host_lock`. It is called when the first
    of them runs, since it may have to find the deployment first.
    """

    def __init__(self, machine: Machine, mark: Callable[[], Mapping[str, str]] | None = None) -> None:
        self.machine = machine
        self._mark = mark or dict

    def query(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        """Run a command that changes nothing. Raises UnreachableError, CommandError."""
        with self._translated(argv):
            result = self.machine.run(list(argv), environment={}, timeout_s=QUERY_S, check=False)
        return self._checked(argv, result, check)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        folder: PurePosixPath | None = None,
    ) -> CommandResult:
        """Run a command and wait for its end, in a folder of the host if one is given. Raises the errors of `query`."""
        command = within(folder, argv) if folder else list(argv)
        given = {**self._mark(), **(environment or {})}
        with self._translated(argv):
            result = self.machine.run(command, stdin=stdin, environment=given, timeout_s=timeout_s, check=False)
        return self._checked(argv, result, check)

    def start(self, argv: Sequence[str]) -> AbstractContextManager[Process]:
        """Start a command with open input and output; it ends with the `with` block."""
        return self.machine.start(argv, environment={**self._mark()})

    @contextmanager
    def _translated(self, argv: Sequence[str]) -> Generator[None]:
        """Translate the error of a program that is not installed."""
        try:
            yield
        except CommandError as error:
            raise self._missing(error, argv) from error

    def _checked(self, argv: Sequence[str], result: CommandResult, check: bool) -> CommandResult:
        """Return the result. Raises UnreachableError for a fault of the engine, CommandError if `check`."""
        if result.exit_code and (fault := self._fault(result)):
            raise fault
        if result.exit_code and check:
            raise failed(argv, result)
        return result

    def _missing(self, error: CommandError, argv: Sequence[str]) -> QfcError:
        if "cannot be started" not in error.message or argv[0] not in ("docker", "docker-compose", "sh"):
            return error
        return self._not_installed(argv[0])

    def _not_installed(self, program: str) -> QfcError:
        hint = "Install Docker's engine and Compose there."
        return UnreachableError(f"{program} is not installed on {self.machine.name}.", hint=hint)

    def _fault(self, result: CommandResult) -> QfcError | None:
        """Return the error for a fault of the engine itself."""
        said = result.stderr
        if result.argv[0] == "sh" and _NOT_THERE.search(said):
            return self._not_installed("docker")
        if _FORBIDDEN.search(said):
            return UnreachableError(
                f"The account may not use Docker's engine on {self.machine.name}.",
                hint="Add it to the group docker there (sudo usermod -aG docker NAME, then log in again).",
            )
        if _NO_ENGINE.search(said):
            return UnreachableError(
                f"Docker's engine on {self.machine.name} does not answer.",
                hint="Type there: systemctl status docker",
            )
        return None


def failed(argv: Sequence[str], result: CommandResult) -> CommandError:
    """Return the error for a command that failed, with the relevant line of its output."""
    said = f"{result.stdout}\n{result.stderr}".strip()
    # A script is named only by its shell.
    called = argv[0] if "-c" in argv[:2] else " ".join(word for word in argv[:3] if not word.startswith("-"))
    hint = "Free space: qfc services disk, qfc services prune" if _NO_SPACE.search(said) else ""
    return CommandError(
        f"{called} ended with exit code {result.exit_code}: {error_line(result.stderr or result.stdout)}",
        hint=hint,
        said=said,
    )


def error_line(said: str) -> str:
    """Return the line about the failure: the last one that mentions an error, else the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|fail|denied|refused|no such|cannot|invalid", line, re.I)]
    return said_without_secrets((errors or lines or ["it printed nothing"])[-1])[:300]


def within(folder: PurePosixPath, argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` in a folder."""
    return ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(folder), *argv]

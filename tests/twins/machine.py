"""The twins of clock and host: time passes only when somebody waits, files and commands are in dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from qfc.errors import CommandError, NotFoundError
from qfc.stack.model import CommandResult, Disk
from qfc.stack.ports import Clock, Host

START = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryClock(Clock):
    """A clock that stands still until somebody sleeps."""

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return (self.moment - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


#: The behaviour of a command: from its arguments and input to exit code, output and errors.
Program = Callable[[Sequence[str], bytes], tuple[int, str, str]]


class MemoryHost(Host):
    """A host with the given programs and files. `ran` has every command."""

    name = "memory"

    def __init__(self) -> None:
        self.files: dict[PurePath, tuple[bytes, int]] = {}
        self.programs: dict[str, Program] = {}
        self.space = Disk(50 * 1000**3, 100 * 1000**3)
        self.ran: list[tuple[str, ...]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a program to its end. Raises CommandError if it does not exist, or if it fails and `check` is set."""
        del environment, timeout_s
        self.ran.append(tuple(argv))
        program = self.programs.get(argv[0])
        if program is None:
            raise CommandError(f"{argv[0]} cannot be started.", hint=f"Is {argv[0]} installed?")
        result = CommandResult(tuple(argv), *program(argv, stdin or b""))
        if check and result.exit_code != 0:
            said = f"{result.stderr}\n{result.stdout}".strip()
            last = said.splitlines()[-1] if said else "it printed nothing"
            raise CommandError(f"{argv[0]} ended with exit code {result.exit_code}: {last}", said=said)
        return result

    def read_bytes(self, path: PurePath) -> bytes:
        if path not in self.files:
            raise NotFoundError(f"There is no file {path}.")
        return self.files[path][0]

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        self.files[path] = (content, mode)

    def disk(self, path: PurePath) -> Disk:
        """Return the space, the same everywhere."""
        del path
        return self.space

"""Messages of Docker's engine translated into ours, and sizes in Docker's notation."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pytest

from qfc.drivers.docker.engine import QUERY_S, Engine, error_line, failed
from qfc.drivers.docker.sizes import size_bytes
from qfc.errors import CommandError, QfcError, UnreachableError
from qfc.stack.model import CommandResult
from qfc.stack.ports import Machine, Process
from twins import MemoryHost

PERMISSION = (
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get x"
)
V1_TRACE = (
    "docker.errors.DockerException: Error while fetching server API version: ('Connection aborted.', {})\n[9] Failed"
)
BUILD = "#9 0.2 /bin/sh: ./x.sh: Permission denied\n------\nDockerfile:12\nERROR: failed to solve: exit code: 126"


class Computer(MemoryHost):
    """A machine with the given programs. Implements `Machine`; `asked` has the environment of each command."""

    def __init__(self, code: int = 0, said: str = "", errors: str = "", *, program: str = "docker") -> None:
        super().__init__()
        self.programs[program] = lambda *_: (code, said, errors)
        self.asked: list[tuple[dict[str, str], float | None]] = []

    def run(self, argv: Sequence[str], **how: Any) -> CommandResult:
        self.asked.append((dict(how.get("environment") or {}), how.get("timeout_s")))
        return super().run(argv, **how)

    def stream(
        self, argv: Sequence[str], *, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None, **how: Any
    ) -> CommandResult:
        result = self.run(argv, stdin=stdin.read() if stdin else None, **how)
        if stdout:
            stdout.write(result.stdout.encode())
        return result

    def start(
        self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Process]:
        del environment
        raise CommandError(f"{argv[0]} cannot be started.")

    def attach(self, argv: Sequence[str], *, check: bool = True) -> CommandResult:
        return self.run(argv, check=check)

    @contextmanager
    def forward(self, address: str, port: int) -> Generator[tuple[str, int]]:
        yield address, port

    def close(self) -> None:
        """Nothing is open."""


def error_of(machine: Machine, *argv: str, folder: str | None = None) -> QfcError:
    with pytest.raises(QfcError) as caught:
        Engine(machine).run(argv or ("docker", "ps"), folder=PurePosixPath(folder) if folder else None)
    return caught.value


def test_a_command_that_went_well_is_returned() -> None:
    machine = Computer(said="ok\n")
    assert Engine(machine).query(["docker", "ps"]).stdout == "ok\n"
    assert machine.asked == [({}, QUERY_S)]


def test_only_commands_that_may_change_something_are_marked() -> None:
    machine = Computer()
    engine = Engine(machine, lambda: {"QFC_MARK": "dep"})
    engine.query(["docker", "ps"])
    engine.run(["docker", "stop", "a"], environment={"A": "b"}, timeout_s=9)
    assert machine.asked == [({}, QUERY_S), ({"QFC_MARK": "dep", "A": "b"}, 9)]


def test_a_command_runs_in_a_folder_of_the_host() -> None:
    machine = Computer(program="sh")
    Engine(machine).run(["docker", "compose", "up"], folder=PurePosixPath("/opt/my cloud"))
    ((*shell, name, folder, program, compose, up),) = machine.ran
    assert (shell[:2], name, folder) == (["sh", "-c"], "sh", "/opt/my cloud")
    assert (program, compose, up) == ("docker", "compose", "up")


@pytest.mark.parametrize(
    ("said", "told", "hint"),
    [
        (f"Got {PERMISSION}", "may not use Docker's engine on memory", "usermod"),
        (PERMISSION.replace("daemon socket", "API"), "may not use Docker's engine", "usermod"),
        ("dial unix /var/run/docker.sock: connect: permission denied", "may not use Docker's engine", "usermod"),
        (V1_TRACE.format("PermissionError(13, 'Permission denied')"), "may not use Docker's engine", "usermod"),
        (
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "does not answer",
            "system",
        ),
        ("error during connect: Get http://x: EOF", "does not answer", "systemctl"),
        (V1_TRACE.format("FileNotFoundError(2, 'No such file or directory')"), "does not answer", "systemctl"),
        ("sh: 12: docker: not found", "docker is not installed on memory", "Install"),
        ("sh: line 12: docker: command not found", "docker is not installed on memory", "Install"),
    ],
)
def test_an_engine_that_cannot_be_used_is_told_with_what_to_do(said: str, told: str, hint: str) -> None:
    error = error_of(Computer(1, "", said, program="sh"), "sh", "-c", "docker ps")
    assert isinstance(error, UnreachableError)
    assert told in error.message
    assert hint in error.hint


def test_what_a_container_lacks_is_not_what_the_host_lacks() -> None:
    assert isinstance(error_of(Computer(127, "", "sh: docker: not found"), "docker", "exec", "a1"), CommandError)


def test_an_engine_that_cannot_be_used_is_told_without_a_check_too() -> None:
    with pytest.raises(UnreachableError):
        Engine(Computer(1, "", PERMISSION)).query(["docker", "ps"], check=False)


@pytest.mark.parametrize("program", ["docker", "docker-compose", "sh"])
def test_a_program_that_is_not_there_is_told(program: str) -> None:
    error = error_of(Computer(program="none"), program, "ps")
    assert isinstance(error, UnreachableError)
    assert error.message == f"{program} is not installed on memory."


def test_another_program_that_is_not_there_is_its_own_error() -> None:
    error = error_of(Computer(), "git", "status")
    assert isinstance(error, CommandError)
    assert error.message == "git cannot be started."


@pytest.mark.parametrize(
    ("argv", "errors", "told"),
    [
        (("docker", "build", "--quiet", "."), BUILD, "docker build ended with exit code 1: ERROR: failed to solve"),
        (("docker", "compose", "--progress", "plain"), "no\n", "docker compose ended with exit code 1: no"),
        (("docker-compose", "--project-name", "q"), "", "docker-compose q ended with exit code 1: it printed nothing"),
        (("git", "-C", "/opt/q", "fetch"), "fatal: no\n", "git /opt/q ended with exit code 1: fatal: no"),
        (("sh", "-c", "set -e\ndocker ps", "sh"), "no\n", "sh ended with exit code 1: no"),
    ],
)
def test_a_command_that_fails_is_told_by_its_own_words(argv: tuple[str, ...], errors: str, told: str) -> None:
    error = error_of(Computer(1, "out\n" if errors else "", errors, program=argv[0]), *argv)
    assert isinstance(error, CommandError)
    assert error.message.startswith(told)
    assert errors.strip() in error.said


def test_without_a_check_the_exit_code_is_the_callers() -> None:
    assert Engine(Computer(3)).run(["docker", "ps"], check=False).exit_code == 3


def test_a_full_disk_is_told_with_what_frees_space() -> None:
    error = failed(["docker", "pull", "x"], CommandResult((), 1, "write: No space left on device\n", ""))
    assert "qfc services prune" in error.hint
    assert "No space left" in error.message


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Error: a\nwarning b\n", "Error: a"),
        ("first error\n  second failed  \nlast\n\n", "second failed"),
        ("one\ntwo\n", "two"),
        ("no such image\nbye", "no such image"),
        ("\n", "it printed nothing"),
        ("x" * 500, "x" * 300),
    ],
)
def test_the_line_that_says_what_went_wrong(said: str, line: str) -> None:
    assert error_line(said) == line


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("712.1MB", 712_100_000),
        ("1.5GB", 1_500_000_000),
        ("27.88kB", 27_880),
        ("1.2TB", 1_200_000_000_000),
        ("1.58kB (virtual 1.1GB)", 1_580),
        (" 63B ", 63),
        ("1e+03kB", 1_000_000),
        ("N/A", None),
        ("", None),
        ("1.5GiB", None),
    ],
)
def test_sizes_of_the_engine(text: str, size: int | None) -> None:
    assert size_bytes(text) == size

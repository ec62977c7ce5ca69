"""Every host."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.memory import MemoryHost
from qfc.errors import CommandError, NotFoundError
from qfc.stack.ports import Host

ECHO = [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"]
FAIL = [sys.executable, "-c", "import sys; print('it broke', file=sys.stderr); sys.exit(7)"]


def _python(argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
    return (7, "", "it broke\n") if "sys.exit(7)" in argv[2] else (0, stdin.decode(), "")


@pytest.fixture(params=["local", "memory"])
def host(request: pytest.FixtureRequest) -> Host:
    if request.param == "local":
        return LocalHost()
    memory = MemoryHost()
    memory.programs[sys.executable] = _python
    return memory


def test_a_command_gets_its_input_and_gives_its_output(host: Host) -> None:
    result = host.run(ECHO, stdin=b"words")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "words", "")
    assert result.argv == tuple(ECHO)


def test_a_command_that_fails_is_an_error_with_its_last_words(host: Host) -> None:
    with pytest.raises(CommandError, match=r"exit code 7: it broke"):
        host.run(FAIL)


def test_a_command_may_be_allowed_to_fail(host: Host) -> None:
    assert host.run(FAIL, check=False).exit_code == 7


def test_a_program_that_is_not_there_is_an_error(host: Host) -> None:
    with pytest.raises(CommandError, match="cannot be started"):
        host.run(["/no/such/program"])


def test_a_file_is_replaced_and_read(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "file"
    host.write_bytes(path, b"old")
    host.write_bytes(path, b"new", mode=0o600)
    assert host.read_bytes(path) == b"new"


def test_a_missing_file_is_not_found(host: Host, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        host.read_bytes(tmp_path / "none")


def test_the_disk_of_a_path_that_is_not_there_yet_is_known(host: Host, tmp_path: Path) -> None:
    disk = host.disk(tmp_path / "not" / "yet")
    assert 0 < disk.free_bytes <= disk.total_bytes


def test_a_secret_file_is_the_owners_alone(tmp_path: Path) -> None:
    LocalHost().write_bytes(tmp_path / "secret", b"x", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_command_that_takes_too_long_is_ended() -> None:
    with pytest.raises(CommandError, match="did not end within"):
        LocalHost().run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)

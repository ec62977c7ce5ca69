"""Every host: this machine, the twin, a server over SSH, and one with its own network."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.hosts.ssh import SshHost
from qfc.errors import CommandError, NotFoundError, QfcError
from qfc.stack.ports import Host, Machine
from requirements import require
from second_host import CAN_MAKE, second_host
from ssh_server import SSHD, SshServer, running
from twins import MemoryHost

ECHO = [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"]
FAIL = [sys.executable, "-c", "import sys; print('it broke', file=sys.stderr); sys.exit(7)"]
WORDS = ["", " two  words ", "'", '"', "$HOME `id` \\ \\n %s", "-n", "*", "line\nbreak\n", "é\t€", "!x", "a;b|c&d"]
EVERY_BYTE = bytes(range(256))


def _python(argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
    return (7, "", "it broke\n") if "sys.exit(7)" in argv[2] else (0, stdin.decode(), "")


@pytest.fixture(scope="module")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    require("ssh", SSHD is not None, "an sshd; install openssh-server")
    with running(SshServer(tmp_path_factory.mktemp("ssh"))) as server:
        host = SshHost(server.settings())
        yield host
        host.close()


@pytest.fixture(scope="module")
def distant_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    require("ssh", SSHD is not None, "an sshd; install openssh-server")
    require("root", CAN_MAKE, "root and iproute2 for a network name space")
    with second_host() as second:
        server = SshServer(tmp_path_factory.mktemp("distant"), address=second.address, through=second.inside)
        with running(server):
            host = SshHost(server.settings())
            yield host
            host.close()


@pytest.fixture(params=["local", "memory", "ssh_host", "distant_host"])
def host(request: pytest.FixtureRequest) -> Host:
    if request.param == "local":
        return LocalHost()
    if request.param != "memory":
        return request.getfixturevalue(request.param)
    memory = MemoryHost()
    memory.programs[sys.executable] = _python
    return memory


@pytest.fixture(params=["local", "ssh_host", "distant_host"])
def machine(request: pytest.FixtureRequest) -> Machine:
    return LocalHost() if request.param == "local" else request.getfixturevalue(request.param)


def test_a_command_gets_its_input_and_gives_its_output(host: Host) -> None:
    result = host.run(ECHO, stdin=b"words")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "words", "")
    assert result.argv == tuple(ECHO)


def test_a_command_that_fails_is_an_error_with_its_last_words(host: Host) -> None:
    with pytest.raises(CommandError, match=r"exit code 7: it broke") as caught:
        host.run(FAIL)
    assert "it broke" in caught.value.said


def test_a_command_may_be_allowed_to_fail(host: Host) -> None:
    assert host.run(FAIL, check=False).exit_code == 7


def test_a_program_that_is_not_there_is_an_error(host: Host) -> None:
    with pytest.raises(CommandError, match="cannot be started"):
        host.run(["/no/such/program"])


def test_a_file_is_replaced_and_read(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "file"
    host.write_bytes(path, b"old")
    host.write_bytes(path, EVERY_BYTE, mode=0o600)
    assert host.read_bytes(path) == EVERY_BYTE


def test_a_missing_file_is_not_found(host: Host, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        host.read_bytes(tmp_path / "none")


def test_the_disk_of_a_path_that_is_not_there_yet_is_known(host: Host, tmp_path: Path) -> None:
    disk = host.disk(tmp_path / "not" / "yet")
    assert 0 < disk.free_bytes <= disk.total_bytes


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644])
def test_a_file_has_the_rights_that_were_asked_for(machine: Machine, tmp_path: Path, mode: int) -> None:
    machine.write_bytes(tmp_path / "secret", b"x", mode=mode)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_file_is_not_written_over_a_folder(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(QfcError, match="cannot be written"):
        machine.write_bytes(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_file_that_cannot_be_written_is_an_error(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(QfcError, match="cannot be written"):
        machine.write_bytes(tmp_path / "no" / "folder" / "file", b"x")


def test_a_folder_is_not_read_as_a_file(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(QfcError, match="cannot be read") as caught:
        machine.read_bytes(tmp_path)
    assert not isinstance(caught.value, NotFoundError)


def test_odd_file_names_are_kept(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "-odd 'name' $x\n€"
    machine.write_bytes(path, b"x")
    assert path.read_bytes() == b"x"
    assert machine.read_bytes(path) == b"x"


def test_the_disk_is_the_one_that_the_system_counts(machine: Machine, tmp_path: Path) -> None:
    assert machine.disk(tmp_path).total_bytes == LocalHost().disk(tmp_path).total_bytes


def test_every_word_arrives_as_it_is(machine: Machine) -> None:
    script = "import sys; print(ascii(sys.argv[1:]))"
    assert machine.run([sys.executable, "-c", script, *WORDS]).stdout.strip() == ascii(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_the_environment_is_added(machine: Machine, word: str) -> None:
    script = "import os, sys; sys.stdout.write(ascii([os.environ['GIVEN'], 'PATH' in os.environ]))"
    assert machine.run([sys.executable, "-c", script], environment={"GIVEN": word}).stdout == ascii([word, True])


@pytest.mark.parametrize("code", [1, 44, 126, 127, 255])
def test_every_exit_code_is_the_commands_own(machine: Machine, code: int) -> None:
    assert machine.run(["sh", "-c", f"echo out; echo err >&2; exit {code}"], check=False).exit_code == code


def test_without_input_a_command_reads_nothing(machine: Machine) -> None:
    assert machine.run(["cat"], timeout_s=30).stdout == ""


def test_a_command_that_takes_too_long_is_ended(machine: Machine) -> None:
    with pytest.raises(CommandError, match=r"sleep did not end within 0\.3 s"):
        machine.run(["sleep", "60"], timeout_s=0.3)
    with pytest.raises(CommandError, match=r"sleep did not end within 0\.3 s"):
        machine.stream(["sleep", "60"], timeout_s=0.3)


def test_bytes_of_any_value_pass_through_a_command(machine: Machine) -> None:
    output = io.BytesIO()
    result = machine.stream(["sh", "-c", "cat; echo said >&2"], stdin=io.BytesIO(EVERY_BYTE * 9), stdout=output)
    assert (output.getvalue(), result.exit_code, result.stderr) == (EVERY_BYTE * 9, 0, "said\n")


def test_a_stream_fails_as_a_command_does(machine: Machine) -> None:
    with pytest.raises(CommandError, match="exit code 7: it broke"):
        machine.stream(FAIL)
    assert machine.stream(FAIL, check=False).exit_code == 7


def test_a_command_that_wants_no_input_is_no_error(machine: Machine) -> None:
    assert machine.stream(["true"], stdin=io.BytesIO(bytes(5_000_000))).exit_code == 0


def test_a_source_that_fails_ends_the_command(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        machine.stream(["sh", "-c", 'cat >/dev/null; echo whole >"$1"', "sh", str(tmp_path / "end")], stdin=_Failing())
    assert not (tmp_path / "end").exists()


def test_a_sink_that_fails_ends_the_command(machine: Machine) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        machine.stream(["cat", "/dev/zero"], stdout=full)


def test_a_command_can_be_talked_with(machine: Machine) -> None:
    with machine.start(["sh", "-c", 'while read -r word; do echo "<$word>"; done; exit 3']) as process:
        for word in (b"one", b"two"):
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"<%s>\n" % word
        assert process.finish(check=False).exit_code == 3


def test_a_talk_that_is_left_ends_the_command(machine: Machine, tmp_path: Path) -> None:
    with machine.start(["sh", "-c", "echo $$; exec sleep 60"]) as process:
        pid = int(process.stdout.readline())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(10)


class _Failing(io.BytesIO):
    """Returns some bytes and then fails."""

    def __init__(self) -> None:
        super().__init__()
        self.given = False

    def read(self, size: int | None = -1) -> bytes:
        assert size != -1, "a stream is read in pieces"
        if self.given:
            raise OSError("the disk is gone")
        self.given = True
        return bytes(1000)

"""An open SSH connection: reuse, interruptions, streams, old servers with hardly any programs."""

from __future__ import annotations

import hashlib
import io
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil
import pytest

from qfc.drivers.clock import SystemClock
from qfc.drivers.host_lock import HostLock
from qfc.drivers.hosts.ssh import SshHost
from qfc.errors import CommandError, QfcError, UnreachableError
from qfc.stack.waiting import wait_until
from requirements import require
from second_host import CAN_MAKE, second_host
from ssh_server import IS_ROOT, SSHD, SshServer

BUSYBOX = shutil.which("busybox")
#: Programs that the suite needs on a server besides its shell.
TOOLS = ("sh", "cat", "chmod", "df", "kill", "mv", "rm", "sleep", "sync", "wc")
MEGABYTES = 20
LISTEN = """
import socket
server = socket.create_server(("127.0.0.1", 7777))
print("on", flush=True)
server.accept()[0].send(b"inner")
"""
NUMBERS = [str(number).encode() for number in range(18)]
EVERY_BYTE = bytes(range(256)) * 4096
Start = Callable[..., tuple[SshServer, SshHost]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers and hosts that end with the test."""
    require("ssh", SSHD is not None, "an sshd; install openssh-server")
    started: list[tuple[SshServer, SshHost]] = []

    def make(reaching: dict[str, object] | None = None, **more: object) -> tuple[SshServer, SshHost]:
        server = SshServer(tmp_path / f"server{len(started)}", **more)  # pyright: ignore[reportArgumentType]
        server.start()
        started.append((server, SshHost(server.settings(**(reaching or {})))))
        return started[-1]

    yield make
    for server, host in started:
        host.close()
        server.stop()


def background(host: SshHost) -> psutil.Process:
    """Return the ssh process that keeps the host's connection."""
    port = host.name.rpartition(":")[2]
    found = [process for process in psutil.process_iter() if _is_background(process, port)]
    assert len(found) == 1
    return found[0]


def _is_background(process: psutil.Process, port: str) -> bool:
    with suppress(psutil.Error):
        words = process.cmdline()
        return words[:4] == ["ssh", "-f", "-N", "-M"] and port in words
    return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until a condition becomes true."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_one_login_serves_many_commands_in_turn_and_at_once(start: Start) -> None:
    server, host = start()
    for number in range(5):
        assert host.run(["echo", str(number)]).stdout == f"{number}\n"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: host.run(["sh", "-c", f"sleep 0.2; echo {number}"]).stdout, range(8)))
    assert results == [f"{number}\n" for number in range(8)]
    assert server.logins == 1


def test_the_next_session_is_open_before_its_command_is_known(start: Start) -> None:
    server, host = start()
    host.run(["true"])
    assert eventually(lambda: server.log.count("Starting session") == 3)
    with host.start(["cat"]) as process:
        process.stdin.write(b"x\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"x\n"
        assert server.log.count("Starting session") == 3


def test_the_socket_is_private_and_the_end_leaves_nothing(start: Start) -> None:
    server, host = start()
    host.run(["true"])
    master = background(host)
    words = master.cmdline()
    folder = Path(words[words.index("-S") + 1]).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.iterdir()] == ["ssh"]
    host.close()
    host.close()
    master.wait(10)
    assert not folder.exists()
    assert host.run(["echo", "again"]).stdout == "again\n"
    assert server.logins == 2


def test_a_process_that_forgets_to_close_leaves_nothing(start: Start) -> None:
    server, host = start()
    script = (
        "from pathlib import PosixPath\nfrom qfc.drivers.hosts.ssh import SshHost, SshSettings\n"
        f"host = SshHost({server.settings()!r})\nprint(host.run(['echo', 'in']).stdout)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "in"
    with pytest.raises(AssertionError):
        background(host)


def test_a_connection_that_ends_in_the_middle_is_told_and_made_anew(start: Start) -> None:
    server, host = start()
    seen = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        sink = _Noticing(seen)
        endless = pool.submit(host.stream, ["cat", "/dev/zero"], stdout=sink)
        assert seen.wait(20)
        assert server.end_connections() >= 1
        error = endless.exception(30)
    assert isinstance(error, UnreachableError)
    assert "was lost while cat ran" in error.message
    assert f"-p {server.port}" in error.hint
    assert host.run(["echo", "again"]).stdout == "again\n"
    assert server.logins == 2


def test_a_background_ssh_that_is_killed_is_made_anew(start: Start) -> None:
    server, host = start()
    with host.start(["sh", "-c", "echo begun; exec cat"]) as process:
        assert process.stdout.readline() == b"begun\n"
        background(host).kill()
        with pytest.raises(UnreachableError, match="was lost while sh ran"):
            process.finish()
    assert host.run(["echo", "again"]).stdout == "again\n"
    assert server.logins == 2


def test_a_server_that_vanishes_is_noticed(start: Start) -> None:
    require("root", CAN_MAKE, "root and iproute2 for a network name space")
    with second_host() as second:
        _, host = start({"alive_interval_s": 1}, address=second.address, through=second.inside)
        with host.start(["sh", "-c", "echo begun; exec cat"]) as process:
            assert process.stdout.readline() == b"begun\n"
            second.cut()
            with pytest.raises(UnreachableError, match="was lost while sh ran"):
                process.finish()
        second.mend()
        assert host.run(["echo", "again"]).stdout == "again\n"
        host.close()


def test_a_command_that_is_killed_there_is_no_broken_connection(start: Start) -> None:
    _, host = start()
    with pytest.raises(CommandError, match="was killed on"):
        host.run(["sh", "-c", "kill -s KILL 0; sleep 60"])
    assert host.run(["echo", "again"]).stdout == "again\n"


def test_a_command_whose_time_is_up_ends_there_too(start: Start, tmp_path: Path) -> None:
    _, host = start()
    script = 'trap "" TERM; echo $$ >"$1"; while :; do sleep 1; done'
    with pytest.raises(CommandError, match="did not end within"):
        host.run(["sh", "-c", script, "sh", str(tmp_path / "pid")], timeout_s=1)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int((tmp_path / "pid").read_text())).wait(15)


def test_twenty_megabytes_of_every_byte_pass_both_ways(start: Start, tmp_path: Path) -> None:
    _, host = start()
    content = EVERY_BYTE * MEGABYTES
    (tmp_path / "here").write_bytes(content)
    with (tmp_path / "here").open("rb") as source, (tmp_path / "back").open("wb") as sink:
        host.upload(tmp_path / "there", source, len(content), mode=0o600)
        host.stream(["cat", str(tmp_path / "there")], stdout=sink)
    with (tmp_path / "here").open("rb") as source, (tmp_path / "echo").open("wb") as sink:
        host.stream(["cat"], stdin=source, stdout=sink)
    wanted = hashlib.sha256(content).hexdigest()
    for name in ("there", "back", "echo"):
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == wanted
    assert host.read_bytes(tmp_path / "there") == content


def test_a_stream_is_not_held_in_memory(start: Start) -> None:
    _, host = start()
    host.run(["true"])
    size, count = 300_000_000, _Counting()
    before = psutil.Process().memory_info().rss
    host.stream(["head", "-c", str(size), "/dev/zero"], stdout=count)
    host.stream(["cat"], stdin=_Zeros(size), stdout=count)
    assert count.total == 2 * size
    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_half_a_file_never_takes_the_place_of_a_whole_one(start: Start, tmp_path: Path) -> None:
    _, host = start()
    host.write_bytes(tmp_path / "file", b"whole")
    with pytest.raises(QfcError, match="cannot be written"):
        host.upload(tmp_path / "file", io.BytesIO(b"half"), 8)
    assert [(path.name, path.read_bytes()) for path in tmp_path.glob("*file*")] == [("file", b"whole")]


def test_a_file_that_is_cut_off_by_the_network_changes_nothing(start: Start, tmp_path: Path) -> None:
    server, host = start()
    host.write_bytes(tmp_path / "file", b"whole")
    source = _Breaking(lambda: server.end_connections())
    with pytest.raises(UnreachableError, match="was lost while"):
        host.upload(tmp_path / "file", source, 1 << 30)
    assert host.read_bytes(tmp_path / "file") == b"whole"


def test_a_full_disk_is_told_and_leaves_nothing(start: Start) -> None:
    _, host = start()
    with pytest.raises(QfcError, match="cannot be written"):
        host.write_bytes(Path("/proc/no/file"), b"x")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with a shell and the few POSIX tools that the suite needs."""
    require("busybox", BUSYBOX is not None, "busybox; install busybox-static")
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(str(BUSYBOX))
    return folder


def test_a_server_with_next_to_nothing_is_enough(start: Start, tools: Path, tmp_path: Path) -> None:
    _, host = start(more=f'ForceCommand PATH={tools}; export PATH; eval "$SSH_ORIGINAL_COMMAND"')
    assert host.run(["sh", "-c", 'echo "$PATH"']).stdout == f"{tools}\n"
    with pytest.raises(CommandError, match="python3 cannot be started"):
        host.run(["python3"])
    host.write_bytes(tmp_path / "file", EVERY_BYTE, mode=0o640)
    assert host.read_bytes(tmp_path / "file") == EVERY_BYTE
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert host.disk(tmp_path / "no" / "file").free_bytes > 0
    assert host.run(["sh", "-c", 'printf "%s|" "$@"', "sh", "a\nb", "ü"], environment={"A": "\n"}).stdout == "a\nb|ü|"
    with pytest.raises(CommandError, match="did not end"):
        host.run(["sleep", "60"], timeout_s=0.5)


@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "tcsh"])
def test_the_accounts_login_shell_does_not_matter(start: Start, shell: str) -> None:
    require("root", IS_ROOT, "root: an account for this sshd alone")
    path = shutil.which(shell)
    require(shell, path is not None, f"the login shell {shell}")
    _, host = start(login_shell=path)
    words = ["it's", '"$HOME"', "back\\slash\\\\", "!!", "a\nb"]
    assert host.run(["sh", "-c", 'printf "%s|" "$@"', "sh", *words]).stdout == "".join(f"{word}|" for word in words)


def test_what_start_up_files_print_is_not_taken_for_output(start: Start, tmp_path: Path) -> None:
    noise = f"{tmp_path}/noise\n"
    Path(noise.strip()).write_text(
        '#!/bin/sh\nprintf "Welcome\\nno newline"\necho warning >&2\neval "$SSH_ORIGINAL_COMMAND"\n'
    )
    Path(noise.strip()).chmod(0o755)
    _, host = start(more=f"ForceCommand {noise}")
    result = host.run(["cat"], stdin=b"\0clean")
    assert (result.stdout, result.stderr) == ("\0clean", "")


def test_a_server_that_allows_one_session_at_a_time_serves_commands_in_turn(start: Start) -> None:
    server, host = start(more="MaxSessions 1")
    for number in range(4):
        assert host.run(["echo", str(number)]).stdout == f"{number}\n"
    assert server.logins == 1


def test_commands_wait_for_each_other_on_a_server_that_allows_few_sessions(start: Start) -> None:
    server, host = start(more="MaxSessions 3")
    with ThreadPoolExecutor(9) as pool:
        results = list(pool.map(lambda number: host.run(["sh", "-c", "sleep 0.1; cat"], stdin=number).stdout, NUMBERS))
    assert results == [number.decode() for number in NUMBERS]
    assert server.logins == 1


def test_a_server_that_allows_no_more_sessions_says_so(start: Start) -> None:
    _, host = start(more="MaxSessions 1")
    with host.start(["cat"]), pytest.raises(UnreachableError, match="no more sessions"):
        host.run(["true"])


def test_a_port_that_only_the_server_reaches_is_reached_through_it(start: Start) -> None:
    require("root", CAN_MAKE, "root and iproute2 for a network name space")
    with second_host() as second:
        _, host = start(address=second.address, through=second.inside)
        with host.start([sys.executable, "-c", LISTEN]) as process:
            assert process.stdout.readline() == b"on\n"
            with (
                host.forward("127.0.0.1", 7777) as (address, port),
                socket.create_connection((address, port)) as client,
            ):
                assert client.recv(10) == b"inner"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address, port))
        host.close()


class _Noticing(io.BytesIO):
    """Drops its input and records that something arrived."""

    def __init__(self, seen: threading.Event) -> None:
        super().__init__()
        self.seen = seen

    def write(self, content: object) -> int:
        self.seen.set()
        assert content
        return 0


class _Counting(io.BytesIO):
    """Counts bytes and drops them."""

    total = 0

    def write(self, content: object) -> int:
        assert isinstance(content, bytes)
        self.total += len(content)
        return len(content)


class _Zeros(io.BytesIO):
    """Returns that many zeros."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size

    def read(self, size: int | None = -1) -> bytes:
        given = min(self.left, size or 0)
        self.left -= given
        return bytes(given)


class _Breaking(io.BytesIO):
    """Returns zeros without end, and breaks the connection after some."""

    def __init__(self, interrupt: Callable[[], object]) -> None:
        super().__init__()
        self.interrupt = interrupt
        self.reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads == 5:
            self.interrupt()
        return bytes(size or 0)


def test_the_claim_of_a_monitor_is_lost_with_its_connection_and_that_is_noticed(start: Start, tmp_path: Path) -> None:
    server, host = start()
    claim = HostLock(host, PurePosixPath(tmp_path), SystemClock(), name="watch")
    claim.take("monitor")
    assert claim.is_ours()
    server.end_connections()
    assert wait_until(SystemClock(), lambda: not claim.is_ours(), limit_s=20, poll_s=0.05)
    claim.release()
    host.close()
    claim.take("monitor")
    assert wait_until(SystemClock(), lambda: claim.is_ours() or not claim.take("monitor"), limit_s=20, poll_s=0.2)
    claim.release()

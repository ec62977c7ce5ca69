"""Logging in over SSH: host keys, keys, passwords, jump hosts, servers that do not answer."""

from __future__ import annotations

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qfc.drivers.hosts.ssh import SshHost, SshSettings, password_of
from qfc.errors import ConfigError, UnreachableError
from requirements import require
from ssh_server import ACCOUNT, IS_ROOT, SSHD, SshServer, make_key, running

PASSWORD = "correct horse ' $battery"
Run = Callable[..., SshHost]


@pytest.fixture(autouse=True)
def sshd_is_there() -> None:
    require("ssh", SSHD is not None, "an sshd; install openssh-server")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with running(SshServer(tmp_path / "server")) as started:
        yield started


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[SshServer]:
    """A server that takes only a password."""
    require("root", IS_ROOT, "root: sshd alone checks passwords")
    with running(SshServer(tmp_path / "guarded", password=PASSWORD)) as started:
        (started.folder / "authorized_keys").write_text("")
        yield started


@contextmanager
def opened(settings: SshSettings) -> Iterator[SshHost]:
    host = SshHost(settings)
    try:
        yield host
    finally:
        host.close()


def refusal(settings: SshSettings) -> UnreachableError:
    """Return the error of the first command."""
    with opened(settings) as host, pytest.raises(UnreachableError) as caught:
        host.run(["true"])
    return caught.value


def test_an_unknown_host_key_stops_everything_and_says_what_to_type(server: SshServer) -> None:
    (server.folder / "known_hosts").write_text("")
    error = refusal(server.settings())
    assert "is not known here" in error.message
    assert f"-p {server.port}" in error.hint
    assert "fingerprint" in error.hint
    assert server.logins == 0
    assert (server.folder / "known_hosts").read_text() == ""


def test_the_operators_own_laxness_does_not_count(server: SshServer) -> None:
    (server.folder / "known_hosts").write_text("")
    with (server.folder / "client").open("a") as client:
        client.write("    StrictHostKeyChecking no\n    LogLevel DEBUG3\n    LocalForward 127.0.0.1:1 127.0.0.1:1\n")
    assert "is not known here" in refusal(server.settings()).message


def test_a_changed_host_key_stops_everything_and_says_what_to_type(server: SshServer) -> None:
    server.stop()
    make_key(server.folder / "host_key")
    server.run()
    error = refusal(server.settings())
    assert "not the one on record" in error.message
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in error.hint
    assert server.logins == 0


def test_a_wrong_key_is_told_with_the_account(server: SshServer) -> None:
    make_key(server.folder / "key")
    error = refusal(server.settings())
    assert f"{ACCOUNT}@127.0.0.1 cannot log in" in error.message
    assert "ssh-copy-id" in error.hint


def test_a_key_of_the_stack_is_used(server: SshServer) -> None:
    shutil.copy(server.folder / "key", server.folder / "other")
    make_key(server.folder / "key")
    with opened(server.settings(identity_file=server.folder / "other")) as host:
        assert host.run(["echo", "in"]).stdout == "in\n"


def test_an_alias_of_the_operators_file_is_enough(server: SshServer) -> None:
    alias = f"Host gis\n    Hostname 127.0.0.1\n    Port {server.port}\n    User {ACCOUNT}\n"
    (server.folder / "client").write_text(alias + (server.folder / "client").read_text())
    with opened(SshSettings("gis", config_file=server.folder / "client")) as host:
        assert host.run(["echo", "in"]).stdout == "in\n"


def test_the_password_of_the_environment_opens_the_server(guarded: SshServer) -> None:
    password = password_of({"QFIELDCLOUD_VPS_PASSWORD": PASSWORD})
    with opened(guarded.settings(password=password)) as host:
        assert host.run(["echo", "in"]).stdout == "in\n"
    assert re.search(r"^Accepted password for", guarded.log, re.MULTILINE)


def test_a_wrong_password_is_tried_once(guarded: SshServer) -> None:
    assert "cannot log in" in refusal(guarded.settings(password="wrong")).message
    assert guarded.log.count("Failed password") == 1


def test_a_password_of_two_lines_is_refused(server: SshServer) -> None:
    with opened(server.settings(password="a\nb")) as host, pytest.raises(ConfigError, match="more than one line"):
        host.run(["true"])


def test_a_password_is_in_no_process_list_no_environment_and_no_file(
    guarded: SshServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QFIELDCLOUD_VPS_PASSWORD", PASSWORD)
    monkeypatch.setenv("TMPDIR", str(guarded.folder))
    caplog.set_level("DEBUG")
    with _watched(PASSWORD.encode()) as seen, opened(guarded.settings(password=PASSWORD)) as host:
        told = host.run(["sh", "-c", "env"]).stdout
    assert any("ssh -f" in command for command in seen.commands)
    assert seen.found == []
    assert PASSWORD not in told + caplog.text
    for file in guarded.folder.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()


def test_the_environment_of_a_command_is_in_no_process_list(server: SshServer) -> None:
    script = 'echo "$SECRET"; sleep 60'
    with _watched(b"hunter2") as seen, opened(server.settings()) as host:
        for _ in range(2):
            with host.start(["sh", "-c", script], environment={"SECRET": "hunter2"}) as process:
                assert process.stdout.readline() == b"hunter2\n"
    assert any("sleep 60" in command for command in seen.commands)
    assert [command for command in seen.found if "environ" not in command] == []


def test_a_terminal_is_asked_for_the_password(guarded: SshServer) -> None:
    settings = guarded.settings(interactive=True)
    said = _on_a_terminal(settings, 'print(host.run(["echo", "i" + "n"]).stdout)', PASSWORD)
    assert "password:" in said
    assert "in" in said.split()


def test_a_terminal_is_handed_to_a_command(server: SshServer) -> None:
    require("root", IS_ROOT, "root: not every machine lets another sshd give terminals away")
    said = _on_a_terminal(server.settings(), 'host.attach(["sh", "-c", "tty; read -r x; echo \\"<$x>\\""])', "typed")
    assert re.search(r"/dev/pts/\d+", said)
    assert "<typed>" in said


@pytest.fixture
def way(server: SshServer, tmp_path: Path) -> Iterator[SshServer]:
    """A jump host on the way to the server."""
    with running(SshServer(tmp_path / "jump")) as jump:
        client = server.folder / "client"
        known = (jump.folder / "known_hosts").read_text().replace("127.0.0.1", "localhost")
        (server.folder / "known_hosts").write_text((server.folder / "known_hosts").read_text() + known)
        shutil.copy(server.folder / "key.pub", jump.folder / "authorized_keys")
        hops = f"Host gis\n    Hostname 127.0.0.1\n    Port {server.port}\n    ProxyJump jump\n"
        client.write_text(hops + f"Host jump\n    Hostname localhost\n    Port {jump.port}\n" + client.read_text())
        yield jump


def through(server: SshServer, **more: object) -> SshSettings:
    return server.settings(host="gis", port=None, **more)


def test_a_jump_host_is_passed(server: SshServer, way: SshServer) -> None:
    with opened(through(server)) as host:
        assert host.run(["cat"], stdin=b"bytes").stdout == "bytes"
        assert host.run(["true"]).exit_code == 0
    assert (server.logins, way.logins) == (1, 1)


def test_an_unknown_jump_host_is_told(server: SshServer, way: SshServer) -> None:
    server.know()
    error = refusal(through(server))
    assert "jump host" in error.message
    assert (server.logins, way.logins) == (0, 0)


def test_a_jump_host_that_refuses_us_is_named(server: SshServer, way: SshServer) -> None:
    (way.folder / "authorized_keys").write_text("")
    assert f"{ACCOUNT}@localhost cannot log in" in refusal(through(server)).message
    assert server.logins == 0


def test_a_jump_host_is_not_given_the_servers_password(tmp_path: Path, server: SshServer, way: SshServer) -> None:
    require("root", IS_ROOT, "root: sshd alone checks passwords")
    way.stop()
    way.password = PASSWORD
    (way.folder / "authorized_keys").write_text("")
    way.run()
    assert f"{ACCOUNT}@localhost cannot log in" in refusal(through(server, password=PASSWORD)).message
    # The jump host accepts that password too: if it had received it, it would have let us in.
    assert (server.logins, way.logins) == (0, 0)


def test_a_port_where_nobody_listens_is_told(server: SshServer) -> None:
    server.stop()
    error = refusal(server.settings())
    assert "refused the connection" in error.message
    assert error.exit_code == 3


def test_a_server_that_says_nothing_is_left_in_time(server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = server.settings(port=silent.getsockname()[1], connect_timeout_s=1)
        assert "does not answer" in refusal(settings).message


def test_a_login_that_hangs_is_left_in_time(server: SshServer) -> None:
    with (server.folder / "client").open("a") as client:
        client.write("    ProxyCommand sleep 60\n    ConnectTimeout 60\n")
    assert "does not answer" in refusal(server.settings(connect_timeout_s=1)).message


def test_a_name_without_address_is_told(server: SshServer) -> None:
    assert "cannot be resolved" in refusal(server.settings(host="nowhere.invalid")).message


def test_an_account_without_a_shell_is_told(tmp_path: Path) -> None:
    require("root", IS_ROOT, "root: an account for this sshd alone")
    with running(SshServer(tmp_path / "server", login_shell="/usr/sbin/nologin")) as server:
        assert "does not run commands" in refusal(server.settings()).message


class _Seen:
    """The observations of a watcher of all processes: every command line, and the places of the secret."""

    def __init__(self) -> None:
        self.commands: set[str] = set()
        self.found: list[str] = []


@contextmanager
def _watched(secret: bytes) -> Iterator[_Seen]:
    """Repeatedly read the command lines of all processes, and the environments of ssh."""
    seen, stop = _Seen(), threading.Event()
    own = str(os.getpid())

    def look() -> None:
        while not stop.is_set():
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit() and folder.name != own:
                    _look_at(folder, secret, seen)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _look_at(process: Path, secret: bytes, seen: _Seen) -> None:
    for name in ("cmdline", "environ"):
        try:
            content = (process / name).read_bytes()
        except OSError:
            continue
        if name == "cmdline":
            seen.commands.add(content.replace(b"\0", b" ").decode(errors="replace"))
        if secret in content:
            seen.found.append(f"{name} of {process.name}")


def _on_a_terminal(settings: SshSettings, statement: str, typed: str) -> str:
    """Run a statement with `host` in a new process on a terminal, type one line there, return all output."""
    script = "\n".join(
        [
            "from pathlib import PosixPath",
            "from qfc.drivers.hosts.ssh import SshHost, SshSettings",
            f"host = SshHost({settings!r})",
            statement,
            "host.close()",
        ]
    )
    main, terminal = pty.openpty()
    command = ["setsid", "--ctty", "--wait", sys.executable, "-c", script]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = b""
    while not re.search(rb"password:|/dev/pts", said):
        said += os.read(main, 1024)
    os.write(main, typed.encode() + b"\n")
    try:
        while piece := os.read(main, 1024):
            said += piece
    except OSError:
        pass  # on Linux, this means that the other end of the terminal is closed
    assert process.wait(30) == 0, said
    os.close(main)
    return said.decode(errors="replace")

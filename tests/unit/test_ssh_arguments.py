"""The arguments of ssh, the requests to the launcher, and the interpretation of their answers."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest

from qfc.drivers.hosts.disk_space import parse_disk
from qfc.drivers.hosts.ssh import arguments, failures, files, launcher
from qfc.drivers.hosts.ssh.arguments import SshSettings
from qfc.drivers.hosts.ssh.password import account, password_of, without_passwords
from qfc.errors import CommandError, QfcError
from qfc.stack.model import Disk

SOCKET = Path("/tmp/qfc-x/ssh")
PLAIN = SshSettings("gis.example")
FULL = SshSettings("gis.example", "ops", 2222, Path("/keys/ops"), Path("/etc/qfc/ssh"))


def options(argv: list[str]) -> dict[str, str]:
    return dict(value.split("=", 1) for option, value in pairwise(argv) if option == "-o")


def test_a_server_has_the_name_that_people_write() -> None:
    assert PLAIN.name == "gis.example"
    assert FULL.name == "ops@gis.example:2222"
    assert FULL.login == "ssh -F /etc/qfc/ssh -l ops -p 2222 -i /keys/ops gis.example"


def test_what_is_not_set_is_left_to_the_operators_own_file() -> None:
    argv = arguments.open_connection(PLAIN, SOCKET)
    assert not {"-F", "-l", "-p", "-i"} & set(argv)
    assert argv[-2:] == ["--", "gis.example"]


def test_a_connection_checks_the_host_key_and_forwards_nothing() -> None:
    chosen = options(arguments.open_connection(FULL, SOCKET))
    assert chosen["StrictHostKeyChecking"] == "yes"
    assert (chosen["ForwardAgent"], chosen["ClearAllForwardings"]) == ("no", "yes")


@pytest.mark.parametrize(
    ("settings", "batch", "prompts"),
    [
        (PLAIN, "yes", "1"),
        (SshSettings("h", password="p"), "no", "1"),
        (SshSettings("h", interactive=True), "no", "3"),
    ],
)
def test_ssh_asks_only_where_somebody_answers(settings: SshSettings, batch: str, prompts: str) -> None:
    chosen = options(arguments.open_connection(settings, SOCKET))
    assert (chosen["BatchMode"], chosen["NumberOfPasswordPrompts"]) == (batch, prompts)


def test_the_password_is_in_no_command_and_in_no_text() -> None:
    settings = SshSettings("h", "u", password="hunter2")
    said = [
        arguments.open_connection(settings, SOCKET),
        arguments.session(settings, SOCKET),
        arguments.resolve(settings),
    ]
    assert "hunter2" not in repr((settings, said, settings.login))


def test_a_session_uses_the_open_connection_or_nothing() -> None:
    argv = arguments.session(FULL, SOCKET)
    assert options(argv)["ProxyCommand"] == "false"
    assert argv[argv.index("-S") + 1] == str(SOCKET)
    assert argv[-1] == launcher.LAUNCHER


def test_a_host_is_never_taken_for_an_option() -> None:
    odd = SshSettings("-oProxyCommand=evil")
    for argv in (arguments.open_connection(odd, SOCKET), arguments.session(odd, SOCKET), arguments.resolve(odd)):
        assert argv[argv.index(odd.host) - 1] == "--"


def test_a_command_for_the_terminal_is_quoted() -> None:
    assert arguments.terminal(PLAIN, SOCKET, ["psql", "-c", "it's; $x"])[-1] == """exec psql -c 'it'"'"'s; $x'"""


def test_a_forwarding_names_addresses_of_both_kinds() -> None:
    assert arguments.forwarding(5000, "10.0.0.1", 5432) == ("-L", "127.0.0.1:5000:10.0.0.1:5432")
    assert arguments.forwarding(5000, "fd00::1", 5432) == ("-L", "127.0.0.1:5000:[fd00::1]:5432")


def test_every_login_shell_reads_the_launcher_alike() -> None:
    script = launcher.LAUNCHER.removeprefix("exec sh -c '").removesuffix("' qfc")
    assert not set("'\\!\n") & set(script)


def launched(shell: str, said: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([shell, "-c", launcher.LAUNCHER], input=said, capture_output=True, check=False)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_launcher_runs_what_it_is_told(shell: str) -> None:
    said = launcher.request(["sh", "-c", 'printf "%s|" "$@" "$A"; cat', "sh", "a b", "\\0101", ""], {"A": "x\ny"})
    done = launched(shell, said + b"in\0put")
    first, output = done.stdout.split(b"\n", 1)
    assert launcher.process_group(first + b"\n")
    assert output == b"a b|\\0101||x\ny|in\0put"
    assert launcher.ending(done.stderr) == launcher.Ending(0, False, "")


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_the_launcher_runs_nothing_of_a_request_that_was_cut_off(cut: int, tmp_path: Path) -> None:
    said = launcher.request(["touch", str(tmp_path / "one"), str(tmp_path / "two")], {})
    done = launched("sh", said[:-cut])
    assert list(tmp_path.iterdir()) == []
    assert launcher.ending(done.stderr).exit_code is None


def test_the_launcher_outlives_commands_that_end_shells() -> None:
    done = launched("sh", launcher.request(["exit", "9"], {}))
    assert launcher.ending(done.stderr).exit_code == 9


@pytest.mark.parametrize(("argv", "environment"), [([], {}), (["a\0b"], {}), (["a"], {"A-B": "x"}), (["a"], {"": "x"})])
def test_what_no_process_can_be_given_is_refused(argv: list[str], environment: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="cannot be started"):
        launcher.request(argv, environment)


def test_what_start_up_files_say_is_dropped() -> None:
    ended = launcher.ending(b"bash: warning: setlocale\nqfc-begin:12\nreal error\nqfc-end:3\n")
    assert ended == launcher.Ending(3, False, "real error\n")
    assert launcher.process_group(b"Welcome! qfc-begin:12\n") == 12
    assert launcher.process_group(b"Welcome!\n") is None


def test_an_end_that_was_not_heard_is_no_end() -> None:
    assert launcher.ending(b"qfc-begin:12\nhalf a li").exit_code is None
    assert launcher.ending(b"ssh: no\n") == launcher.Ending(None, False, "ssh: no\n")


def test_the_last_end_counts() -> None:
    assert launcher.ending(b"qfc-begin:1\nqfc-end:0\nqfc-end:4\n").exit_code == 4


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("No ED25519 host key is known for [h]:22 and you have requested strict checking.\nHost key verif",
         "not known here", "fingerprint"),
        ("Host key for [h]:2222 has changed and you have requested strict checking.\nHost key verification failed.",
         "not the one on record", "ssh-keygen -R '[h]:2222'"),
        ("ops@h: Permission denied (publickey,password).", "ops@h cannot log in", "ssh-copy-id"),
        ("ssh: Could not resolve hostname h: Name or service not known", "host name h cannot be resolved", "DNS"),
        ("ssh: connect to host h port 22: Connection refused", "refused", "sshd"),
        ("ssh: connect to host h port 22: Connection timed out", "does not answer", "firewall"),
        ("ssh: connect to host h port 22: No route to host", "does not answer", "firewall"),
        ("Received disconnect from h port 22:2: Too many authentication failures", "too many keys", "identity_file"),
        ("WARNING: UNPROTECTED PRIVATE KEY FILE!\nbad permissions", "others may read", "chmod 600"),
        ("kex_exchange_identification: Connection closed by remote host", "closed the connection", "banned this"),
        ("/home/o/.ssh/config: line 3: Bad configuration option: hots", "configuration is wrong", "line"),
        ("something new\nthat nobody knows", "that nobody knows", "ssh "),
        ("", "ssh printed nothing", "ssh "),
    ],
)  # fmt: skip
def test_what_ssh_says_becomes_a_sentence_and_a_hint(said: str, message: str, hint: str) -> None:
    error = failures.unreachable(FULL, said)
    assert message in error.message
    assert hint in error.hint
    assert error.exit_code == 3
    assert "{" not in error.message + error.hint


def test_odd_words_of_a_server_do_not_break_the_sentence() -> None:
    assert "{0}" in failures.unreachable(PLAIN, "odd {0} {name}").message


@pytest.mark.parametrize(
    ("lines", "mounted_on"),
    [
        ("/dev/sda1 100 60 40 60% /", "/"),
        ("my share on nas 100 60 40 60% /mnt/my data", "/mnt/my data"),
        ("df: /x: a warning\nnone 100 60 40 - /proc", "/proc"),
    ],
)
def test_df_is_read(lines: str, mounted_on: str) -> None:
    printed = f"Filesystem     1024-blocks  Used Available Capacity Mounted on\n{lines}\n"
    assert parse_disk(printed) == Disk(40 * 1024, 100 * 1024, mounted_on)


def test_what_df_never_says_is_an_error() -> None:
    with pytest.raises(QfcError, match="df printed unexpected output"):
        parse_disk("Filesystem 1K-blocks\n")


def test_a_file_is_never_taken_for_an_option() -> None:
    assert files.read(PurePosixPath("-rf"))[-1] == "./-rf"
    assert files.write(PurePosixPath("-rf"), 5, 0o600)[4] == "./-rf"


def test_the_account_is_the_one_that_ssh_will_name_when_it_asks() -> None:
    assert account("user ops\nhostname 10.0.0.7\nport 22\nsendenv LANG\n") == "ops@10.0.0.7"
    assert account("user ops\nhostname 10.0.0.7\nhostkeyalias gis\n") == "ops@gis"


def test_the_password_comes_from_the_environment_and_goes_no_further() -> None:
    environment = {"QFIELDCLOUD_VPS_PASSWORD": "old", "QFC_SSH_PASSWORD": "new", "HOME": os.sep}
    assert password_of(environment) == "new"
    assert password_of({"QFIELDCLOUD_VPS_PASSWORD": "old"}) == "old"
    assert password_of({}) == ""
    assert without_passwords(environment) == {"HOME": os.sep}

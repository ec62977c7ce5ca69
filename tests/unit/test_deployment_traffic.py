"""The fragment of nginx's configuration that blocks writes, and how it is installed and removed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest

from qfc.drivers.deployment.nginx import RELOAD_S
from qfc.drivers.deployment.traffic import FRAGMENT, INCLUDED, POLL_S, NginxTraffic, fragment
from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.engine import Engine
from qfc.errors import CommandError, NotFoundError, QfcError, RefusedError
from qfc.operations.transfer.holding import MOVES
from twins import MemoryClock, MemoryHost

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PASSWORD, PROJECT = "0f1e2d3c4b5a", "/9c7e26a4-584b-483e-a24e-5b219d7437a3/"
PATH = PurePosixPath("/opt/q/conf") / FRAGMENT
NGINX = Container(
    "a1", "qfc-nginx-1", "", "", "running", 7, NOW, NOW, None, 0, False, 0, "", None, False, None, "",
    mounts={INCLUDED: "/opt/q/conf"},
)  # fmt: skip


class Server:
    """nginx in a container: returns given answers, and records the commands."""

    def __init__(self, container: Container = NGINX) -> None:
        self.container = container
        self.faulty, self.included, self.leaving = "", True, 0
        self.reads_any = True
        self.host, self.clock = MemoryHost(), MemoryClock()
        self.host.programs = {"docker": self._docker, "rm": self._remove}
        engine = Engine(self.host)  # pyright: ignore[reportArgumentType]  (nothing is streamed)
        self.traffic = NginxTraffic(engine, self.clock, lambda: self.container)

    def _docker(self, argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
        del stdin
        words = " ".join(argv)
        if "top" in words:
            return self._top()
        if "nginx -t" in words and not self.reads_any and self.host.files[PATH][1] == 0o600:
            return 1, "", f'nginx: [emerg] open() "{INCLUDED}/{FRAGMENT}" failed (13: Permission denied)'
        if "nginx -t" in words:
            return int(bool(self.faulty)), "", self.faulty
        return int("grep" in words and not self.included), "", ""

    def _top(self) -> tuple[int, str, str]:
        """Old workers stay for a while after a reload; only at the second look they show that they are ending."""
        if not self.reloads:
            return 0, "UID PID CMD\nroot 70 nginx: master process\n101 71 nginx: worker process\n", ""
        self.leaving -= 1
        old = "" if self.leaving < 0 else f"101 71 nginx: worker process{' is shutting down' * (self.leaving == 0)}\n"
        return 0, f"UID PID CMD\nroot 70 nginx: master process\n{old}101 72 nginx: worker process\n", ""

    def _remove(self, *_: object) -> tuple[int, str, str]:
        self.host.files.pop(PATH, None)
        return 0, "", ""

    @property
    def reloads(self) -> int:
        return sum(words[-2:] == ("-s", "reload") for words in self.host.ran)


def passes(text: str, asked: str) -> bool:
    """Return whether nginx would let a request pass: METHOD:password:path."""
    found = re.search(r'!~ "(.*)"\)', text)
    assert found
    return re.search(found[1], asked) is not None


@pytest.mark.parametrize(
    ("asked", "through"),
    [
        ("GET::/api/v1/projects/", True),
        ("HEAD::/", True),
        ("OPTIONS::/", True),
        ("POST::/api/v1/deltas/", False),
        ("PATCH::/GET:", False),
        (f"POST:{PASSWORD}:/api/v1/projects/", True),
        (f"POST:{PASSWORD}0:/api/v1/projects/", False),
        (f"POST::/api/v1/files{PROJECT}a.gpkg", True),
        ("POST::/api/v1/files/9c7e26a4/a.gpkg", False),
    ],
)
def test_only_what_reads_or_has_the_password_goes_through(asked: str, through: bool) -> None:
    assert passes(fragment(PASSWORD, [PROJECT]), asked) is through


def test_the_fragment_answers_503_and_when_to_try_again() -> None:
    text = fragment(PASSWORD, [])
    assert "return 503" in text
    assert "add_header Retry-After 30 always;" in text
    assert text.count("{") == text.count("}")


def test_a_server_that_moves_does_not_speak_of_an_upgrade() -> None:
    assert "The server is being upgraded." in fragment(PASSWORD, [])
    server = Server()
    server.traffic.hold(PASSWORD, reason=MOVES)
    assert f'"message":"{MOVES}"' in server.host.files[PATH][0].decode()
    with pytest.raises(QfcError, match="The reason cannot be put"):
        fragment(PASSWORD, [], "it's over")


@pytest.mark.parametrize("word", ["", 'a"b', "a b", "a;b", "a{b", "$a", "a|b", "a\n", "ä", "(a)", "a\\", "a*"])
def test_odd_characters_are_refused(word: str) -> None:
    with pytest.raises(QfcError, match="cannot be put into nginx's configuration"):
        fragment(word, [])
    with pytest.raises(QfcError):
        fragment(PASSWORD, [PROJECT, word])


def test_writers_are_held_off_and_let_in_again() -> None:
    server = Server()
    server.traffic.hold(PASSWORD, [PROJECT])
    assert server.host.files[PATH] == (fragment(PASSWORD, [PROJECT]).encode(), 0o600)
    assert server.reloads == 1
    server.traffic.release()
    assert (PATH in server.host.files, server.reloads) == (False, 2)


def test_a_fragment_that_nginx_finds_faulty_does_not_stay() -> None:
    server = Server()
    server.faulty = "nginx: [emerg] unknown directive\nnginx: configuration file test failed\n"
    with pytest.raises(CommandError, match=r"nginx rejects its configuration: nginx: \[emerg\] unknown directive"):
        server.traffic.hold(PASSWORD)
    assert (PATH in server.host.files, server.reloads) == (False, 0)


def test_a_container_whose_root_is_nobody_on_the_host_can_read_it() -> None:
    server = Server()
    server.reads_any = False
    server.traffic.hold(PASSWORD)
    assert (server.host.files[PATH][1], server.reloads) == (0o644, 1)


def test_a_deployment_that_does_not_include_the_folder_is_refused() -> None:
    server = Server()
    server.included = False
    with pytest.raises(RefusedError, match=r"does not include /etc/nginx/config\.d"):
        server.traffic.hold(PASSWORD)
    assert server.host.files == {}


def test_a_deployment_that_does_not_mount_the_folder_is_refused() -> None:
    server = Server(replace(NGINX, mounts={}))
    assert server.traffic.refusal() == f"the service nginx has no folder of the host mounted at {INCLUDED}"
    server.traffic.release()
    assert server.reloads == 1


def test_a_deployment_whose_nginx_is_not_there_is_refused_with_the_reason() -> None:
    def gone() -> Container:
        raise NotFoundError("nginx does not run.")

    engine = Engine(MemoryHost())  # pyright: ignore[reportArgumentType]  (nothing is streamed)
    assert NginxTraffic(engine, MemoryClock(), gone).refusal() == "nginx does not run."


def test_nginx_that_does_not_run_is_not_told_to_read_again() -> None:
    server = Server(replace(NGINX, status="exited"))
    server.host.files[PATH] = (b"", 0o644)
    server.traffic.release()
    assert (PATH in server.host.files, server.reloads) == (False, 0)


@pytest.mark.parametrize(
    ("looks", "limit", "settled", "seconds"), [(0, 5, True, 0), (4, 5, True, 4), (99, 2, False, 4)]
)
def test_requests_that_had_begun_are_waited_for(looks: int, limit: float, settled: bool, seconds: int) -> None:
    server = Server()
    server.traffic.hold(PASSWORD)
    server.leaving = looks
    began = server.clock.now()
    assert server.traffic.settle(limit) is settled
    assert (server.clock.now() - began).total_seconds() == seconds * POLL_S


@pytest.mark.parametrize(("looks", "seconds"), [(0, 0), (1, 0), (4, 3 * POLL_S), (999, RELOAD_S)])
def test_nginx_has_begun_with_the_new_configuration_when_it_was_told_to(looks: int, seconds: float) -> None:
    """`nginx -s reload` returns while old workers still accept connections."""
    server = Server()
    server.leaving = looks
    began = server.clock.now()
    server.traffic.hold(PASSWORD)
    assert (server.clock.now() - began).total_seconds() == seconds

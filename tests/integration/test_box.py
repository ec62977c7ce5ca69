"""The box of jobs on this machine's kernel: what each layer holds alone, and what the others hold without it."""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from box_world import DONE, others, probe
from qfc_node.box.layers import NAMES, Box
from qfc_node.box.limits import Limits

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
TESTS, SOURCES = Path(__file__).parents[1], Path(__file__).parents[2] / "src"


@dataclass
class Outside:
    """What a job must not reach: a secret file, a server on loopback, a local socket; and who came to the servers."""

    folder: Path
    port: int
    visits: list[str]

    @property
    def home(self) -> Path:
        """The folder for the folders of jobs."""
        return self.folder / "home"

    @property
    def secret(self) -> Path:
        """A file that only the worker's account may read."""
        return self.folder / "secret"

    @property
    def plan(self) -> list[list[Any]]:
        """Everything that a hostile job would try first."""
        return [
            ["read", str(self.secret)],
            ["write", str(self.folder / "new")],
            ["link", str(self.secret)],
            ["connect", "127.0.0.1", self.port],
            ["unix", str(self.folder / "socket")],
            ["kill", 0],
            ["fork"],
        ]


@pytest.fixture(autouse=True)
def engine_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers import the engine that probes."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def outside(short_folder: Path) -> Iterator[Outside]:
    """Things outside the box, which note every visit."""
    folder = short_folder / "outside"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711)
    made = Outside(folder, 0, [])
    made.home.mkdir(mode=0o711)
    made.home.chmod(0o711)
    made.secret.write_text("secret")
    made.secret.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        made.port = tcp.getsockname()[1]
        local.bind(str(folder / "socket"))
        local.listen()
        for name, server in (("tcp", tcp), ("unix", local)):
            threading.Thread(target=_note_visits, args=(name, server, made.visits), daemon=True).start()
        yield made
        for server in (tcp, local):
            server.shutdown(socket.SHUT_RDWR)
    shutil.rmtree(folder)


def _note_visits(name: str, server: socket.socket, visits: list[str]) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return
        visits.append(name)


def check_nothing_escaped(told: Mapping[str, Any], outside: Outside) -> None:
    """Nothing outside was read, changed, reached or signalled."""
    tried = {" ".join(map(str, one)): told[" ".join(map(str, one))] for one in outside.plan}
    assert DONE not in tried.values(), tried
    assert not (outside.folder / "new").exists()
    assert outside.visits == []


@pytest.mark.parametrize("left_out", [None, *NAMES])
def test_nothing_escapes_though_any_one_layer_is_missing(outside: Outside, left_out: str | None) -> None:
    without = [left_out] if left_out else []
    told = probe(outside.home, outside.plan, without)
    check_nothing_escaped(told, outside)
    expected = dict.fromkeys(NAMES, "used") | dict.fromkeys(without, "off")
    if not IS_ROOT or (left_out == "mounts" and told["layers"]["account"] == "missing"):
        expected["account"] = "off" if left_out == "account" else "missing"
    assert told["layers"] == expected


@functools.cache
def python_for_anybody() -> tuple[str, dict[str, str]] | None:
    """Return a Python that an account without rights can start, and its environment."""
    path = os.pathsep.join([str(SOURCES), str(TESTS), sysconfig.get_path("purelib")])
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = {"PATH": os.defpath, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            subprocess.run(
                [python, "-c", "import box_world, psycopg"],
                env=environment, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", check=True, capture_output=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            continue
        return python, environment
    return None


@pytest.mark.skipif(not IS_ROOT, reason="the other tests already run as an ordinary user")
@pytest.mark.parametrize("left_out", [None, "mounts", "landlock", "network", "seccomp"])
def test_nothing_escapes_from_an_ordinary_user_s_box(outside: Outside, left_out: str | None) -> None:
    """A server that root did not start has no other account for its jobs."""
    found = python_for_anybody()
    if found is None:
        pytest.skip("no Python of this version that other accounts can start")
    python, environment = found
    for path in (outside.folder, outside.home, outside.secret):
        os.chown(path, NOBODY, NOBODY)
    argv = [python, "-m", "box_world", str(outside.home), json.dumps(outside.plan)]
    argv += [json.dumps([left_out] if left_out else []), "false"]
    done = subprocess.run(
        argv, env=environment, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    check_nothing_escaped(told, outside)
    assert told["layers"]["account"] == "missing"


# --- each layer alone


Alone = Callable[..., dict[str, Any]]


@pytest.fixture
def alone(outside: Outside) -> Alone:
    """Probe with these layers only."""

    def go(plan: list[list[Any]], *layers: str, network: bool = False) -> dict[str, Any]:
        told = probe(outside.home, plan, others(*layers), network=network)
        layers_told = told.pop("layers")
        assert {name for name, state in layers_told.items() if state == "used"} == set(layers)
        return told

    return go


def test_without_any_layer_everything_is_open(outside: Outside, alone: Alone) -> None:
    """The probes can succeed: so a failure is the work of a layer."""
    told = alone([one for one in outside.plan if one[0] != "fork"])
    assert set(told.values()) == {DONE}
    deadline = time.monotonic() + 10
    while len(outside.visits) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(outside.visits) == ["tcp", "unix"]
    assert alone([["fork"]]) == {"fork": DONE}


def test_landlock_alone(outside: Outside, alone: Alone) -> None:
    job = outside.home / "job/files/new"
    told = alone([*outside.plan[:4], ["kill", 0], ["execute"], ["write", str(job)], ["read", os.__file__]], "landlock")
    assert list(told.values()) == ["EACCES", "EACCES", "EACCES", "EACCES", "EPERM", "EACCES", DONE, DONE]


def test_mounts_alone(outside: Outside, alone: Alone) -> None:
    plan = [*outside.plan[:2], outside.plan[4], ["write", f"{os.__file__}.new"], ["read", "/proc/self/environ"]]
    assert list(alone(plan, "mounts").values()) == ["ENOENT", "EROFS", "ENOENT", "EROFS", "ENOENT"]


def test_the_network_alone(outside: Outside, alone: Alone) -> None:
    plan = [["connect", "127.0.0.1", outside.port], ["connect", "192.0.2.1", 80]]
    assert list(alone(plan, "network").values()) == ["ENETUNREACH", "ENETUNREACH"]


def test_seccomp_alone(outside: Outside, alone: Alone) -> None:
    told = alone([["execute"], ["fork"], ["link", "x"], ["kill", 0], *outside.plan[3:5]], "seccomp")
    assert list(told.values()) == ["EPERM", "EPERM", "EPERM", "EPERM", "EACCES", "EACCES"]
    assert outside.visits == []


def test_seccomp_lets_a_job_with_databases_elsewhere_reach_them_but_no_local_socket(
    outside: Outside, alone: Alone
) -> None:
    told = alone([*outside.plan[3:5], ["wait_for_connections"]], "seccomp", network=True)
    assert list(told.values()) == [DONE, "EACCES", "EACCES"]


def test_limits_alone(alone: Alone) -> None:
    plan = [["grow", 2 * 1024**3], ["fill", 6_000_000], ["open_many", 2000]]
    assert list(alone(plan, "limits").values()) == ["ENOMEM", "EFBIG", "EMFILE"]


def test_privileges_alone(alone: Alone) -> None:
    told = alone([["status", "NoNewPrivs"], ["status", "CapEff"], ["status", "CapPrm"]], "privileges")
    assert [int(value, 16) for value in told.values()] == [1, 0, 0]


@pytest.mark.skipif(not IS_ROOT, reason="only root gives its jobs another account")
def test_an_account_without_rights(outside: Outside, alone: Alone) -> None:
    """With mounts, since Python may be installed where only root can read."""
    told = alone([["identity"], ["read", str(outside.home / "secret")], ["kill", 0]], "account", "mounts")
    identity = told["identity"]
    assert identity[0] == identity[1] > 65535
    assert identity[2:] == []
    assert told["kill 0"] == "EPERM"


def test_a_job_with_databases_elsewhere_reaches_them_and_finds_names(outside: Outside, alone: Alone) -> None:
    plan = [["connect", "localhost", outside.port], ["read", "/etc/hosts"], *outside.plan[:2]]
    told = probe(outside.home, plan, network=True)
    assert [told[" ".join(map(str, one))] for one in plan][:2] == [DONE, DONE]
    assert DONE not in [told[" ".join(map(str, one))] for one in plan][2:]


def test_a_layer_that_cannot_be_entered_ends_the_job(outside: Outside) -> None:
    """Landlock can be entered sixteen times. The next process has it, and cannot."""

    def enter() -> None:
        box = Box(outside.home, others("landlock"), network=False)
        box.build()
        for _ in range(20):
            box.enter(outside.home, Limits(2**30, 2**30, 60))

    pid = os.fork()
    if pid == 0:
        try:
            enter()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.E2BIG


# --- what a job's process holds


def test_a_job_holds_nothing_of_its_worker(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush-hush")
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(outside.secret))
    with outside.secret.open() as opened:
        os.set_inheritable(opened.fileno(), True)
        told = probe(outside.home, [["environment"], ["descriptors"]], others())
    assert not {"SECRET_KEY", "POSTGRES_PASSWORD_FILE", "HOME"} & set(told["environment"]) - {"HOME"}
    assert told["environment"]["HOME"] == "/nonexistent"
    names = [name for name in told["descriptors"] if not name.startswith(("/dev/null", "anon_inode"))]
    assert all(name.startswith(str(outside.home / "job")) for name in names), names

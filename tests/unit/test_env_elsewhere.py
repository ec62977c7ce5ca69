"""A deployment whose variables are not in `.env` of its folder: read and changed where Compose was told to look."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from qfc.drivers.docker import snapshot
from qfc.drivers.docker.engine import Engine
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.runtimes.compose.deployment import ComposeConfig
from qfc.drivers.runtimes.compose.env import Env
from qfc.drivers.runtimes.compose.observer import Observer
from qfc.drivers.runtimes.compose.program import Compose
from qfc.errors import QfcError, RefusedError
from twins import MemoryHost

FOLDER = PurePosixPath("/opt/QFieldCloud")
LABEL = "com.docker.compose.project.environment_file"


def container(name: str, made: str, labels: dict[str, str]) -> str:
    """Return a container as the snapshot prints it."""
    state = {"Pid": 0, "Status": "running", "StartedAt": made, "FinishedAt": "", "ExitCode": 0, "OOMKilled": False}
    document: dict[str, Any] = {
        "Id": name, "Name": f"/{name}", "Image": "sha256:1", "Created": made, "RestartCount": 0, "State": state,
        "Config": {"Image": "x", "Labels": {"com.docker.compose.project": "site", **labels}},
        "HostConfig": {"RestartPolicy": {"Name": "no"}}, "NetworkSettings": {},
    }  # fmt: skip
    return f"0 {json.dumps(document)}\n"


def observer(home: Path, *containers: str) -> Observer:
    """Return the observer of a deployment with these containers."""
    host = MemoryHost()
    printed = "@time 1777889100\n@containers\n" + "".join(containers)
    host.programs["sh"] = lambda *_: (0, printed, "")
    config = ComposeConfig("site", home, FOLDER, "site")
    return Observer(config, Engine(host))  # pyright: ignore[reportArgumentType]


def env(*paths: Path, folder: Path) -> Env:
    return Env(Engine(LocalHost()), PurePosixPath(folder), lambda: [PurePosixPath(path) for path in paths])


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ({}, ()),
        ({LABEL: "/opt/QFieldCloud/.env"}, ()),
        ({LABEL: "/etc/qfc/prod.env"}, ("/etc/qfc/prod.env",)),
        ({LABEL: "/etc/qfc/a.env,/etc/qfc/b.env"}, ("/etc/qfc/a.env", "/etc/qfc/b.env")),
    ],
)
def test_the_newest_container_tells_the_files(tmp_path: Path, label: dict[str, str], found: tuple[str, ...]) -> None:
    old = container("old", "2026-01-01T00:00:00Z", {LABEL: "/etc/forgotten.env"})
    seen = observer(tmp_path, old, container("new", "2026-05-01T00:00:00Z", label))
    assert tuple(map(str, seen.env_files)) == found


def test_without_containers_it_is_the_usual_file(tmp_path: Path) -> None:
    assert observer(tmp_path).env_files == ()


def test_compose_is_told_the_same_files() -> None:
    argv = Compose("2.24.5", "site", ("/etc/qfc/a.env", "/etc/qfc/b.env")).up(None)
    at = argv.index("--env-file")
    assert argv[at : at + 4] == ["--env-file", "/etc/qfc/a.env", "--env-file", "/etc/qfc/b.env"]
    assert argv.index("up") > at


def test_the_file_is_read_and_changed_where_it_is(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "site", tmp_path / "etc"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "prod.env").write_text("DEBUG=1\n# mine\n")
    settings = env(elsewhere / "prod.env", folder=folder)
    assert settings.read().values == {"DEBUG": "1"}
    settings.change({"DEBUG": "0"})
    assert (elsewhere / "prod.env").read_text() == "DEBUG=0\n# mine\n"
    assert (elsewhere / "prod.env.before.1").read_text() == "DEBUG=1\n# mine\n"
    assert list(folder.iterdir()) == []


def test_a_file_that_is_gone_is_not_read_as_empty_and_not_written_again(tmp_path: Path) -> None:
    settings = env(tmp_path / "gone.env", folder=tmp_path)
    with pytest.raises(QfcError, match=r"gone\.env does not exist"):
        settings.read()
    with pytest.raises(QfcError):
        settings.change({"DEBUG": "0"})
    assert list(tmp_path.iterdir()) == []


def test_several_files_are_read_as_compose_reads_them_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("HOST=a\nDEBUG=1")
    (tmp_path / "b.env").write_text("DEBUG=0\nURL=https://${HOST}\n")
    settings = env(tmp_path / "a.env", tmp_path / "b.env", folder=tmp_path)
    assert settings.read().values == {"HOST": "a", "DEBUG": "0", "URL": "https://a"}
    with pytest.raises(RefusedError, match="several files"):
        settings.change({"DEBUG": "1"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.env", "b.env"]


def test_a_plan_is_outdated_when_such_a_file_changes() -> None:
    printed = "@time 1777889100\n@file 1 20 /opt/QFieldCloud/.env\n@named 7 20 /etc/qfc/my prod.env\n"
    assert snapshot.parse(printed).files == {".env": "1-20", "/etc/qfc/my prod.env": "7-20"}

"""Identify the deployment: by its folder, by the containers that the engine knows, or not at all."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath

import pytest

from qfc.drivers.docker.engine import Engine
from qfc.drivers.runtimes.compose.deployment import ComposeConfig, ComposeProject, find, on_engine, project_of, read_env
from qfc.errors import ConfigError, NotFoundError, QfcError, UnreachableError
from twins import MemoryHost

FOLDER = PurePosixPath("/opt/QFieldCloud")
ONE = [("qfieldcloud", "/opt/QFieldCloud", name) for name in ("db", "app", "worker_wrapper", "worker_wrapper")]
TWO = [("test", "/srv/test", name) for name in ("app", "worker_wrapper")]
OTHERS = [("shop", "/srv/shop", "app"), ("old", "", "app"), ("old", "", "worker_wrapper")]
FOUND = ComposeProject(FOLDER, "qfieldcloud")


class Unreadable(MemoryHost):
    def read_bytes(self, path: PurePath) -> bytes:
        del path
        raise UnreachableError("The connection broke.")


def engine(rows: list[tuple[str, str, str]], env: bytes | None = None, host: MemoryHost | None = None) -> Engine:
    machine = host or MemoryHost()
    printed = "".join("\t".join(row) + "\n" for row in rows)
    machine.programs["docker"] = lambda *_: (0, printed, "")
    if env is not None:
        machine.files[FOLDER / ".env"] = (env, 0o600)
    return Engine(machine)  # pyright: ignore[reportArgumentType]  (nothing is streamed)


def settings(folder: PurePosixPath | None = None, project: str | None = None) -> ComposeConfig:
    return ComposeConfig("server", Path("/home/server"), folder, project)


def test_a_folder_that_is_configured_needs_no_containers() -> None:
    assert find(settings(FOLDER), engine([])) == FOUND
    assert find(settings(FOLDER, "mine"), engine(TWO)) == ComposeProject(FOLDER, "mine")


def test_the_only_deployment_is_found_by_its_containers() -> None:
    assert find(settings(), engine([*OTHERS, *ONE])) == FOUND


def test_one_of_several_is_found_by_the_name_of_its_project() -> None:
    assert find(settings(project="test"), engine([*ONE, *TWO])) == ComposeProject(PurePosixPath("/srv/test"), "test")


@pytest.mark.parametrize("rows", [[], OTHERS])
def test_where_there_is_none_the_hint_says_how_to_name_it(rows: list[tuple[str, str, str]]) -> None:
    with pytest.raises(NotFoundError, match="No deployment of QFieldCloud has containers on memory") as caught:
        find(settings(), engine(rows))
    assert "qfc init server --kind compose --project-path" in caught.value.hint


def test_where_none_has_the_name_that_is_told() -> None:
    with pytest.raises(NotFoundError, match="QFieldCloud called mine has"):
        find(settings(project="mine"), engine(ONE))


def test_several_have_to_be_told_apart() -> None:
    with pytest.raises(ConfigError, match="qfieldcloud in /opt/QFieldCloud, test in /srv/test") as caught:
        find(settings(), engine([*TWO, *ONE]))
    assert "--project-path" in caught.value.hint


def test_the_same_project_in_two_folders_is_two_deployments() -> None:
    moved = [("qfieldcloud", "/srv/moved", name) for name in ("app", "worker_wrapper")]
    assert on_engine(engine([*ONE, *moved])) == [FOUND, ComposeProject(PurePosixPath("/srv/moved"), "qfieldcloud")]


@pytest.mark.parametrize(
    ("env", "folder", "project"),
    [
        (b"COMPOSE_PROJECT_NAME=mine\n", "QFieldCloud", "mine"),
        (b"COMPOSE_PROJECT_NAME=\n", "QFieldCloud", "qfieldcloud"),
        (None, "QFieldCloud", "qfieldcloud"),
        (None, "QField Cloud 2.0", "qfieldcloud20"),
        (None, "_my-cloud_", "my-cloud_"),
    ],
)
def test_a_project_has_the_name_that_compose_gives_it(env: bytes | None, folder: str, project: str) -> None:
    host = MemoryHost()
    if env is not None:
        host.files[PurePosixPath("/opt") / folder / ".env"] = (env, 0o600)
    assert project_of(PurePosixPath("/opt") / folder, engine([], host=host)) == project


def test_the_env_is_read_with_bytes_that_are_no_text() -> None:
    file = read_env(FOLDER, engine([], b"A=\xff\nB=1\n"))
    assert (file.name, file.values["B"]) == ("/opt/QFieldCloud/.env", "1")
    assert file.with_values({"B": "2"}).text.encode(errors="surrogateescape") == b"A=\xff\nB=2\n"


def test_no_env_is_an_empty_one() -> None:
    assert read_env(FOLDER, engine([])).values == {}


def test_an_env_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(QfcError, match=r"/opt/QFieldCloud/\.env cannot be read: The connection broke"):
        read_env(FOLDER, engine([], host=Unreadable()))

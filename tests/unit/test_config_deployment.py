"""Settings of a deployment, and the stack that needs no configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from qfc.config import Config, StackConfig, is_deployment, load
from qfc.errors import ConfigError
from qfc.stack.model import Kind

ENV = "# a comment\nDEBUG=0\nQFIELDCLOUD_HOST=field.example.org\n"
SERVER = {"QFIELDCLOUD_VPS_HOST": "gis.example", "QFIELDCLOUD_PROJECT_PATH": "/opt/QFieldCloud"}


def loaded(text: str = "", environment: dict[str, str] | None = None, **more: object) -> Config:
    given = {"QFC_HOME": "/data", "QFC_CONFIG": "/etc/qfc.toml", **(environment or {})}
    return load(given, text=text, **more)  # pyright: ignore[reportArgumentType]


def folder(path: Path, *, env: str | None = ENV, compose: bool = True) -> Path:
    path.mkdir(exist_ok=True)
    if env is not None:
        (path / ".env").write_text(env, encoding="utf-8")
    if compose:
        (path / "docker-compose.yml").touch()
    return path


def told(stack: StackConfig) -> tuple[str, Kind, str, str | None]:
    return stack.name, stack.kind, stack.host, str(stack.project_path) if stack.project_path else None


@pytest.mark.parametrize(
    ("text", "environment", "flags", "project"),
    [
        ('[stacks.s]\nkind = "compose"\n', {}, {}, None),
        ('[stacks.s]\nkind = "compose"\nproject = "mine"\n', {}, {}, "mine"),
        ('[stacks.s]\nkind = "compose"\nproject = "mine"\n', {"QFC_PROJECT": "theirs"}, {}, "theirs"),
        ('[stacks.s]\nkind = "compose"\n', {"QFC_PROJECT": "theirs"}, {"project": "ours"}, "ours"),
    ],
)
def test_the_name_of_the_project(
    text: str, environment: dict[str, str], flags: dict[str, str], project: str | None
) -> None:
    assert loaded(text, environment, flags=flags).stack().project == project


@pytest.mark.parametrize("project", ["-f", "a b", "7"])
def test_a_project_is_one_word_and_no_option(project: str) -> None:
    value = f'"{project}"' if project != "7" else project
    with pytest.raises(ConfigError, match=r"stacks\.s\.project"):
        loaded(f'[stacks.s]\nkind = "compose"\nproject = {value}\n')


def test_a_folder_with_compose_file_and_host_is_a_deployment(tmp_path: Path) -> None:
    assert is_deployment(folder(tmp_path))


@pytest.mark.parametrize(
    ("env", "compose"), [(None, True), (ENV, False), ("DEBUG=0\n", True), ("# QFIELDCLOUD_HOST=a\n", True), ("", True)]
)
def test_another_folder_is_none(tmp_path: Path, env: str | None, compose: bool) -> None:
    assert not is_deployment(folder(tmp_path, env=env, compose=compose))
    assert not is_deployment(tmp_path / "none")


def test_an_env_that_is_no_text_is_looked_through(tmp_path: Path) -> None:
    (folder(tmp_path) / ".env").write_bytes(b"\xff\nQFIELDCLOUD_HOST=a\n")
    assert is_deployment(tmp_path)


@pytest.mark.parametrize(
    ("environment", "host", "path"),
    [
        (SERVER, "gis.example", "/opt/QFieldCloud"),
        ({"QFIELDCLOUD_VPS_HOST": "gis.example"}, "gis.example", None),
        ({"QFIELDCLOUD_PROJECT_PATH": "/opt/QFieldCloud"}, "local", "/opt/QFieldCloud"),
        ({**SERVER, "QFC_HOST": "new"}, "new", "/opt/QFieldCloud"),
    ],
)
def test_an_older_set_up_is_a_stack(environment: dict[str, str], host: str, path: str | None) -> None:
    assert told(loaded(environment=environment).stack()) == ("server", Kind.COMPOSE, host, path)


def test_the_deployment_of_the_folder_is_a_stack(tmp_path: Path) -> None:
    stack = loaded(here=folder(tmp_path)).stack()
    assert told(stack) == ("here", Kind.COMPOSE, "local", str(tmp_path))
    assert stack.folder.parent == Path("/data/here")
    assert stack.folder.name == str(tmp_path).strip("/").replace("/", "-")


def test_an_older_set_up_comes_before_the_folder(tmp_path: Path) -> None:
    stack = loaded(environment=SERVER, here=folder(tmp_path)).stack()
    assert told(stack) == ("server", Kind.COMPOSE, "gis.example", "/opt/QFieldCloud")


def test_what_the_file_has_comes_before_both(tmp_path: Path) -> None:
    config = loaded("[stacks.one]\n[stacks.two]\n", SERVER, here=folder(tmp_path))
    assert list(config.stacks) == ["one", "two"]


def test_the_name_of_the_server_alone_implies_no_stack(tmp_path: Path) -> None:
    assert loaded(environment={"QFIELDCLOUD_HOST": "field.example.org"}, here=tmp_path).stacks == {}
    assert loaded(environment={"QFIELDCLOUD_VPS_HOST": ""}).stacks == {}


def test_flags_overrule_what_was_implied(tmp_path: Path) -> None:
    stack = loaded(here=folder(tmp_path), flags={"project": "mine", "host": "gis"}).stack()
    assert (stack.project, stack.host) == ("mine", "gis")


def test_a_stack_that_is_named_is_not_implied_by_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no stack named field"):
        loaded(environment=SERVER, stack="field").stack()


def test_mistakes_of_an_older_set_up_are_told() -> None:
    with pytest.raises(ConfigError, match=r"stacks\.server\.project_path must be an absolute path"):
        loaded(environment={"QFIELDCLOUD_PROJECT_PATH": "~/QFieldCloud"})

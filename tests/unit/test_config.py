"""The configuration: file < environment < flags; every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from qfc.config import Config, config_path, home_folder, load
from qfc.errors import ConfigError
from qfc.stack.model import Kind

TWO = """
default = "field"

[stacks.field]
kind = "embedded"
port = 9001
workers = 3

[stacks.office]
kind = "compose"
folder = "/srv/office"
"""


def load_text(text: str, environment: dict[str, str] | None = None, **more: object) -> Config:
    return load({"QFC_HOME": "/data", **(environment or {})}, text=text, **more)  # pyright: ignore[reportArgumentType]


def test_a_stack_has_what_the_file_says_and_defaults_for_the_rest() -> None:
    stack = load_text(TWO).stack()
    assert (stack.name, stack.kind, stack.port, stack.workers) == ("field", Kind.EMBEDDED, 9001, 3)
    assert stack.folder == Path("/data/field")
    assert stack.bind is None
    assert stack.postgres_bin is None


def test_flags_overrule_the_environment_and_the_environment_the_file() -> None:
    environment = {"QFC_PORT": "9002", "QFC_WORKERS": "4"}
    stack = load_text(TWO, environment, flags={"port": 9003, "workers": None}).stack()
    assert (stack.port, stack.workers) == (9003, 4)


def test_environment_and_flags_change_only_the_stack_that_is_meant() -> None:
    config = load_text(TWO, {"QFC_STACK": "field", "QFC_WORKERS": "7"})
    assert config.stack().name == "field"
    assert config.stack().workers == 7
    assert config.stacks["office"].workers is None


def test_settings_of_the_node_are_none_of_a_deployment() -> None:
    assert load_text(TWO, {"QFC_STACK": "office", "QFC_WORKERS": "7"}).stack().workers is None
    with pytest.raises(ConfigError, match=r"workers is a setting of the built-in node"):
        load_text('[stacks.one]\nkind = "compose"\nworkers = 3\n')


def test_the_flag_names_the_stack_before_the_environment_does() -> None:
    assert load_text(TWO, {"QFC_STACK": "field"}, stack="office").stack().name == "office"


def test_the_only_stack_needs_no_name() -> None:
    assert load_text("[stacks.alone]\n").stack().name == "alone"


def test_several_stacks_without_a_default_have_to_be_named() -> None:
    config = load_text("[stacks.one]\n[stacks.two]\n")
    with pytest.raises(ConfigError, match="one, two") as caught:
        config.stack()
    assert "--stack" in caught.value.hint


def test_no_stack_says_what_to_type() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("").stack()
    assert "qfc init" in caught.value.hint


def test_an_unknown_stack_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(TWO, stack="nowhere").stack()
    assert "field, office" in caught.value.hint


def test_every_mistake_is_told_at_once() -> None:
    text = """
    defualt = "x"
    [stacks.Bad_Name]
    [stacks.one]
    kind = "kubernetes"
    port = 99999
    workers = "many"
    folder = "relative/path"
    colour = "red"
    postgres_bin = "/usr/bin"
    database_url_file = "/etc/url"
    """
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    problems = "\n".join(caught.value.problems)
    for word in ("defualt", "Bad_Name", "kubernetes", "99999", "many", "relative/path", "colour", "exclude each other"):
        assert word in problems
    assert len(caught.value.problems) == 8


@pytest.mark.parametrize("value", ["true", "1.5", "[1]", '"8011x"', "-1", "65536"])
def test_a_port_is_a_whole_number(value: str) -> None:
    with pytest.raises(ConfigError, match=r"stacks\.one\.port"):
        load_text(f"[stacks.one]\nport = {value}\n")


def test_a_wrong_value_of_the_environment_is_told_like_one_of_the_file() -> None:
    with pytest.raises(ConfigError, match=r"stacks\.field\.workers.*'a lot'"):
        load_text(TWO, {"QFC_WORKERS": "a lot"})


def test_what_is_not_toml_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError, match="line 2"):
        load_text("[stacks.one]\nport = = 1\n")


def test_a_default_that_names_nothing_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="is not a stack in the file"):
        load_text('default = "gone"\n[stacks.one]\n')


def test_the_file_is_read_from_where_the_environment_says(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(TWO, encoding="utf-8")
    environment = {"QFC_CONFIG": str(file), "QFC_HOME": str(tmp_path)}
    assert config_path(environment) == file
    assert home_folder(environment) == tmp_path
    assert load(environment).stack().name == "field"


def test_a_home_has_its_own_file_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(TWO, encoding="utf-8")
    environment = {"QFC_HOME": str(tmp_path)}
    assert config_path(environment) == tmp_path / "config.toml"
    assert load(environment).stack().name == "field"
    assert config_path({**environment, "QFC_CONFIG": "/etc/qfc.toml"}) == Path("/etc/qfc.toml")


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in the platform's folder, with two stacks; the data of `field` are in the home beside it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "platform"))
    file = tmp_path / "platform" / "qfc" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(TWO, encoding="utf-8")
    (tmp_path / "home" / "field").mkdir(parents=True)
    return file


def test_the_file_of_the_platform_is_read_without_a_home(platform: Path) -> None:
    assert config_path({}) == platform
    assert config_path({"QFC_HOME": "", "QFC_CONFIG": ""}) == platform


def test_stacks_that_a_home_had_in_another_file_are_not_lost_without_a_word(platform: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(ConfigError, match="is not read while QFC_HOME is set") as caught:
        load({"QFC_HOME": str(home)})
    assert caught.value.hint == f"Type: cp {platform} {home}/config.toml   (or set QFC_CONFIG={platform})"
    assert load({"QFC_HOME": str(home), "QFC_CONFIG": str(platform)}).stack().name == "field"
    (home / "config.toml").touch()
    assert load({"QFC_HOME": str(home)}).stacks == {}


@pytest.mark.parametrize(
    "text", ["", "a = = 1", "stacks = 3", '[stacks.field]\nfolder = "/nowhere/field"\n', "[stacks.other]"]
)
def test_a_file_elsewhere_that_has_nothing_of_this_home_is_nobodys_business(
    platform: Path, tmp_path: Path, text: str
) -> None:
    platform.write_text(text, encoding="utf-8")
    assert load({"QFC_HOME": str(tmp_path / "home")}).stacks == {}


def test_a_stack_with_a_folder_of_its_own_in_the_home_counts_too(platform: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "deep" / "data"
    platform.write_text(f'[stacks.other]\nfolder = "{folder}"\n', encoding="utf-8")
    assert load({"QFC_HOME": str(tmp_path / "home")}).stacks == {}
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="is not read"):
        load({"QFC_HOME": str(tmp_path / "home")})


def test_the_home_folder_of_nobody_is_no_path() -> None:
    with pytest.raises(ConfigError, match=r"stacks\.one\.folder must be an absolute path, not '~nobody-at-all/x'"):
        load_text('[stacks.one]\nfolder = "~nobody-at-all/x"\n')


def test_a_missing_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert load({"QFC_CONFIG": str(tmp_path / "none.toml")}).stacks == {}


OLDER = {
    "QFIELDCLOUD_VPS_HOST": "gis.example",
    "QFIELDCLOUD_VPS_USER": "ops",
    "QFIELDCLOUD_PROJECT_PATH": "/opt/QFieldCloud",
    "QFIELDCLOUD_HOST": "field.example",
}


def test_a_server_is_described() -> None:
    text = """
[stacks.server]
kind = "compose"
host = "gis"
user = "ops"
ssh_port = 2222
identity_file = "/keys/ops"
ssh_config = "/etc/qfc/ssh"
project_path = "/opt/QFieldCloud"
public_host = "field.example"
"""
    stack = load_text(text).stack()
    assert (stack.host, stack.user, stack.ssh_port) == ("gis", "ops", 2222)
    assert (stack.identity_file, stack.ssh_config) == (Path("/keys/ops"), Path("/etc/qfc/ssh"))
    assert (str(stack.project_path), stack.public_host) == ("/opt/QFieldCloud", "field.example")


def test_the_variables_of_older_setups_are_understood() -> None:
    stack = load_text('[stacks.server]\nkind = "compose"\nhost = "old"\n', OLDER).stack()
    assert (stack.host, stack.user) == ("gis.example", "ops")
    assert (str(stack.project_path), stack.public_host) == ("/opt/QFieldCloud", "field.example")


def test_our_own_variables_come_before_older_ones() -> None:
    stack = load_text('[stacks.server]\nkind = "compose"\n', {**OLDER, "QFC_HOST": "new", "QFC_USER": "me"}).stack()
    assert (stack.host, stack.user) == ("new", "me")


def test_an_embedded_stack_takes_no_notice_of_older_setups() -> None:
    stack = load_text("[stacks.here]\n", OLDER).stack()
    assert (stack.host, stack.user, stack.project_path) == ("local", None, None)


def test_mistakes_about_a_server_are_told() -> None:
    text = '[stacks.s]\nkind = "compose"\nhost = "-oProxyCommand=x"\nuser = "a b"\nssh_port = 0\nproject_path = "~/q"\n'
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == [
        "stacks.s.host",
        "stacks.s.user",
        "stacks.s.ssh_port",
        "stacks.s.project_path",
    ]

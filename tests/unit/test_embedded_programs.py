"""supervisord's configuration of an embedded stack, as supervisord itself reads it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint
from qfc.drivers.runtimes.embedded.layout import MARK, Layout
from qfc.drivers.runtimes.embedded.programs import (
    Program,
    base_environment,
    node_environment,
    node_programs,
    operation_mark,
    own_names,
    read_environment_file,
    service_of,
    supervisor_conf,
)
from qfc.drivers.runtimes.embedded.state import EmbeddedState
from qfc.errors import ConfigError

STATE = EmbeddedState(8011, "127.0.0.1", (1, 3))
ENDPOINT = Endpoint("/run/db", 5432, "someone", "pass-word", "data")


def as_supervisord_reads(path: Path, text: str) -> dict[str, Any]:
    """Let supervisord read a configuration; return its process configurations by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from supervisor.options import ServerOptions
    conf = path / "supervisord.conf"
    conf.write_text(text)
    options = ServerOptions()
    options.realize(args=["-c", str(conf), "-n"])
    return {one.name: one for group in options.process_group_configs for one in group.process_configs}


def layout(folder: Path) -> Layout:
    made = Layout(folder / "our stack")
    made.folder.mkdir()
    made.create()
    return made


def test_supervisord_reads_what_was_meant(tmp_path: Path) -> None:
    place = layout(tmp_path)
    environment = {"A": "50%", "B": "x,y=z"}
    programs = [
        Program("db", "db", ("/bin/echo", "two words", "100%"), "INT", 60),
        *node_programs(STATE, environment),
    ]
    read = as_supervisord_reads(tmp_path, supervisor_conf(place, programs, user=None))
    assert set(read) == {"db", "app", "worker_wrapper-1", "worker_wrapper-3"}
    assert read["db"].command == "/bin/echo 'two words' 100%"
    worker = read["worker_wrapper-3"]
    assert worker.environment["A"] == "50%"
    assert worker.environment["B"] == "x,y=z"
    assert worker.environment["QFC_NODE_PROCESS"] == "worker_wrapper-3"
    assert (worker.stopwaitsecs, worker.stopasgroup, worker.killasgroup) == (900, False, False)
    assert not any(one.autostart for one in read.values())
    assert read["app"].stdout_logfile == str(place.log / "app.log")
    assert read["app"].stdout_logfile_backups > 0


def test_secrets_are_named_by_their_files(tmp_path: Path) -> None:
    place = Layout(tmp_path)
    environment = node_environment(place, STATE, ENDPOINT)
    assert environment["POSTGRES_PASSWORD_FILE"] == str(tmp_path / "secrets/POSTGRES_PASSWORD")
    assert environment["SECRET_KEY_FILE"] == str(tmp_path / "secrets/SECRET_KEY")
    assert "pass-word" not in str(environment)
    assert "pass-word" not in repr(ENDPOINT)


def test_the_operators_own_settings_of_the_node_come_last(tmp_path: Path) -> None:
    (tmp_path / "node.env").write_text("# ours\n\nDEBUG=1\nSTORAGE_BUCKET_NAME=a=b\nPOSTGRES_DB=other\n")
    environment = node_environment(Layout(tmp_path), STATE, ENDPOINT)
    assert (environment["DEBUG"], environment["STORAGE_BUCKET_NAME"]) == ("1", "a=b")
    assert environment["POSTGRES_DB"] == "other"


@pytest.mark.parametrize("line", ["DEBUG", "9A=1", 'A="x"', "A B=1"])
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "node.env").write_text(f"A=1\n{line}\n")
    with pytest.raises(ConfigError, match="line 2"):
        read_environment_file(tmp_path / "node.env")


def test_only_what_programs_need_is_inherited() -> None:
    given = {"PATH": "/bin", "HOME": "/h", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "/p", "TZ": "Asia/Tokyo"}
    assert base_environment(given) == {"PATH": "/bin", "HOME": "/h", "LANG": "C.UTF-8", "TZ": "UTC"}


def test_a_server_on_all_addresses_answers_to_all_names_of_the_machine() -> None:
    assert own_names("192.168.1.5") == ["192.168.1.5"]
    assert "127.0.0.1" in own_names("0.0.0.0")
    assert "*" not in own_names("0.0.0.0")


def test_services_are_known_by_their_processes() -> None:
    names = ["db", "app", "worker_wrapper-12"]
    assert [service_of(name) for name in names] == ["db", "app", "worker_wrapper"]


def test_a_mark_names_process_and_stack() -> None:
    (value,) = operation_mark(Path("/a b")).values()
    assert value.split(" ", 2)[2] == "/a b"
    assert MARK not in operation_mark(Path("/a"))


def test_a_long_path_gets_short_sockets(tmp_path: Path) -> None:
    short, long = Layout(Path("/srv/x")), Layout(Path("/srv") / ("x" * 90))
    assert short.run == Path("/srv/x/run")
    assert len(str(long.run)) < 60
    assert long.run != Layout(Path("/srv") / ("y" * 90)).run


@pytest.mark.parametrize("name", ['a"b', "a;b", "a#b", "a%b"])
def test_a_path_that_supervisord_cannot_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="contains a quote"):
        Layout(tmp_path / name).create()

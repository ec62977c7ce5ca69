"""What a new user meets first: an address that is none, an expression that is none, help pages."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import click
import pytest

from qfc.cli import complete
from qfc.cli.main import root, run
from qfc.errors import ConfigError, UsageError
from qfc.operations.guard import Options
from qfc.operations.init import init
from qfc.operations.logs import Expression
from qfc.wiring import wire


def test_an_address_that_this_machine_lacks_is_not_written(tmp_path: Path) -> None:
    given = {"kind": "embedded", "bind": "192.0.2.77"}
    environment = {"QFC_HOME": str(tmp_path), "QFC_CONFIG": str(tmp_path / "config.toml")}
    with pytest.raises(ConfigError, match=r"cannot listen on the address 192\.0\.2\.77"):
        init("demo", given, default=True, environment=environment, wire=wire, options=Options())
    assert not (tmp_path / "config.toml").exists()


def test_an_expression_that_is_none_shows_no_bytes() -> None:
    with pytest.raises(UsageError, match="missing") as caught:
        Expression("(")
    assert "b'" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("words", "option", "begun", "offered"),
    [("mcp", "groups", "job", {"jobs"}), ("mcp", "groups", "d", {"db", "demo", "deltas", "deploy", "doctor", "down"})],
)
def test_shells_are_offered_commands(words: str, option: str, begun: str, offered: set[str]) -> None:
    context = click.Context(root)
    command = root.get_command(context, words)
    assert command is not None
    (wanted,) = [one for one in command.params if one.name == option]
    found = wanted.shell_complete(click.Context(command, parent=context), begun)
    assert {one.value for one in found} == offered


@pytest.mark.parametrize("name", ["verify", "drill", "restore"])
def test_shells_are_offered_backups_and_stacks(name: str) -> None:
    db = root.get_command(click.Context(root), "db")
    assert isinstance(db, click.Group)
    own = {one.name: one._custom_shell_complete for one in db.commands[name].params}  # pyright: ignore[reportPrivateUsage]
    assert own.get("backup" if name != "restore" else "wanted") is complete.backups
    assert name != "restore" or own["into"] is complete.stacks


def test_help_pages_list_whole_sentences() -> None:
    for group in ("db", "users", "jobs", "deltas"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            run([group, "--help"])
        assert "..." not in out.getvalue().partition("Commands:")[2]

"""Commands as tools: names, inputs, command lines, effects."""

from __future__ import annotations

import json

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.checks import EVERYTHING
from qfc.cli.main import root
from qfc.errors import UsageError
from qfc.mcp.effects import ADDS, ALWAYS, CHANGING, LEFT_OUT, LOOKS, REPEATABLE, STILL
from qfc.mcp.reading import GUIDES, checks_document, commands_document
from qfc.mcp.tools import Command, command_line, commands, input_schema

COMMANDS = {one.path: one for one in commands(root)}
#: Commands of releases to come may be named already.
PLANNED = {"stacks list", "service status", "service install", "service uninstall", "users unlock"} | {
    f"db {verb}" for verb in ("backup", "list", "verify", "keys")
}


def _paths(name: str, command: click.Command) -> set[str]:
    if not isinstance(command, click.Group):
        return {name}
    own = {name} if command.invoke_without_command else set[str]()
    return own.union(*(_paths(f"{name} {child}", one) for child, one in command.commands.items()))


def _every_path() -> set[str]:
    context = click.Context(root)
    found = [(name, root.get_command(context, name)) for name in root.list_commands(context)]
    return set[str]().union(*(_paths(name, one) for name, one in found if one))


def test_every_command_is_a_tool_or_left_out() -> None:
    assert set(COMMANDS) | LEFT_OUT == _every_path()


@pytest.mark.parametrize("table", [LOOKS, ADDS, REPEATABLE, CHANGING, STILL, ALWAYS])
def test_tables_of_effects_name_commands_that_exist(table: frozenset[str]) -> None:
    assert set(table) - PLANNED <= set(COMMANDS)


def test_a_look_never_takes_options_of_a_change() -> None:
    """Commands with options for a guard change something, always or with the parameters that are named."""
    for command in COMMANDS.values():
        callback = command.click.callback
        assert callback is not None
        is_guarded = "options" in callback.__code__.co_names
        assert not (command.effect.looks and is_guarded and not command.effect.changing), command.path


def test_parameters_that_change_exist() -> None:
    for path, names in CHANGING.items():
        assert names <= {one.name for one in COMMANDS[path].parameters}


def test_inputs_have_the_types_of_the_command_line() -> None:
    schema = input_schema(COMMANDS["workers scale"], may_change=True)
    assert schema["properties"]["number"] == {"type": "integer", "description": "N"}
    assert schema["properties"]["force"]["type"] == "boolean"
    assert schema["required"] == ["number"]
    assert "plan_id" in schema["properties"]
    assert schema["additionalProperties"] is False
    listed = input_schema(COMMANDS["jobs list"], may_change=True)
    assert "plan_id" not in listed["properties"]


def test_a_look_that_can_change_hides_it_where_changes_are_not_allowed() -> None:
    assert "fix" in input_schema(COMMANDS["doctor"], may_change=True)["properties"]
    assert "fix" not in input_schema(COMMANDS["doctor"], may_change=False)["properties"]


@pytest.mark.parametrize(
    ("path", "arguments", "line"),
    [
        ("status", {}, "--json status --"),
        ("status", {"stack": "field"}, "--json --stack=field status --"),
        ("workers scale", {"number": 3, "force": True}, "--json workers scale --force -- 3"),
        ("logs", {"lines": 5, "grep": "-x"}, "--json logs --lines=5 --grep=-x --"),
        ("doctor", {}, "--json doctor --no-proof --"),
        ("doctor", {"fix": True}, "--json doctor --fix --"),
        ("users create", {"username": "ana"}, "--json users create --generate -- ana"),
    ],
)
def test_a_call_is_a_command_line(path: str, arguments: dict[str, object], line: str) -> None:
    assert command_line(COMMANDS[path], arguments, ()) == line.split()


def test_no_value_is_taken_for_an_option() -> None:
    hostile = command_line(COMMANDS["users create"], {"username": "--superuser", "email": "--yes"}, ())
    assert hostile[-2:] == ["--", "--superuser"]
    assert "--email=--yes" in hostile
    assert "--yes" not in hostile


@pytest.mark.parametrize("arguments", [{"nonsense": 1}, {"number": {"a": 1}}, {"number": True}, {"number": "1\0"}])
def test_arguments_that_the_command_does_not_have_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        command_line(COMMANDS["workers scale"], arguments, ())


def test_every_change_can_be_rehearsed() -> None:
    for command in COMMANDS.values():
        words = command_line(command, {}, ("--dry-run",))
        assert words[:2] == ["--json", "--dry-run"]


def test_guides_name_tools_that_exist() -> None:
    names = {one.name for one in COMMANDS.values()}
    for guide in GUIDES:
        for step in guide.steps:
            first = step.split(":")[0].split(" ")[0].rstrip(",.")
            assert first in names or not first.islower() or "_" not in first, step


def test_documents_are_made_from_the_code() -> None:
    assert len(json.loads(checks_document())["checks"]) == len(EVERYTHING)
    by_name = {one.name: one for one in COMMANDS.values()}
    text = commands_document(by_name)
    assert "## workers scale" in text
    assert all(f"Tool `{name}`" in text for name in by_name)


def test_a_command_says_what_it_does() -> None:
    scale: Command = COMMANDS["workers scale"]
    assert (scale.name, scale.group) == ("workers_scale", "workers")
    assert scale.description.startswith("Change the number of workers")
    assert scale.changes({})
    assert not COMMANDS["doctor"].changes({"fix": False})
    assert COMMANDS["doctor"].changes({"fix": True})


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(COMMANDS)), st.data())
def test_whatever_an_agent_sends_confirms_nothing(path: str, data: st.DataObject) -> None:
    command = COMMANDS[path]
    names = st.sampled_from([str(one.name) for one in command.parameters] + ["stack", "yes", "plan_id", "dry_run"])
    arguments = data.draw(
        st.dictionaries(names, junk | st.sampled_from(["--yes", "--", "-y", "--dry-run"]), max_size=6)
    )
    try:
        words = command_line(command, arguments, ("--dry-run",))
    except UsageError as error:
        assert error.hint
        return
    options = words[: words.index("--", 3)] if "--" in words[3:] else words
    assert "--yes" not in options
    assert words[:2] == ["--json", "--dry-run"]
    assert all(isinstance(word, str) and "\0" not in word for word in words)

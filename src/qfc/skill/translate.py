"""Translates a script's command line into one of `qfc`. Click reads it: values, `--flag=value`, help and mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from ..errors import UsageError
from .scripts import Flag, Script, Words

#: Flags of `qfc` that every script passes on.
SHARED = ("--json", "--yes", "--dry-run", "--verbose", "--quiet")
SHARED_WITH_VALUE = ("--stack", "--wait")


def command_line(script: Script, arguments: Sequence[str]) -> list[str]:
    """Return the arguments of `qfc`. Raises UsageError, which names the right flags, and click's Exit after help."""
    given = _read(script, arguments)
    flags = [flag for flag in script.flags if given[_key(flag.name)]]
    action = given.get("action")
    command = _command(script, action, flags)
    _refuse_misplaced(action, flags)
    words = [word for flag in flags for word in _words(flag, given[_key(flag.name)])]
    return [*command, *words, *_shared(script, given)]


def reader(script: Script) -> click.Command:
    """Return the command that reads a script's command line and prints its help."""
    own = [_option(flag.name, flag.text, flag.metavar) for flag in script.flags]
    if script.actions:
        kind = click.Choice(list(script.actions))
        own.insert(0, click.Option(["--action"], type=kind, required=True, help="What to do."))
    taken = {flag.name for flag in script.flags}
    passed = [_option(name, "", None) for name in SHARED if name not in taken]
    valued = [_option(name, "", "VALUE") for name in SHARED_WITH_VALUE if name not in taken]
    return click.Command(script.name, params=[*own, *passed, *valued], help=script.text, add_help_option=True)


def _read(script: Script, arguments: Sequence[str]) -> dict[str, Any]:
    command = reader(script)
    try:
        return command.make_context(script.name, list(arguments)).params
    except click.UsageError as error:
        raise UsageError(error.format_message(), hint=f"{script.name} takes {_known(script)}") from error


def _command(script: Script, action: str | None, flags: Sequence[Flag]) -> Words:
    selected = [flag for flag in flags if flag.command]
    if len(selected) > 1:
        names = " and ".join(flag.name for flag in selected)
        raise UsageError(f"{names} exclude each other.", hint="Give only one of them.")
    command = selected[0].command if selected else script.actions.get(action or "") or script.command
    if command is None:
        raise UsageError(f"{script.name} was not told what to do.", hint=f"It takes {_known(script)}")
    return command


def _refuse_misplaced(action: str | None, flags: Sequence[Flag]) -> None:
    for flag in flags:
        if flag.actions and action not in flag.actions:
            fitting = " or ".join(f"--action {one}" for one in flag.actions)
            raise UsageError(f"{flag.name} does not go with --action {action}.", hint=f"Use it with {fitting}.")


def _words(flag: Flag, value: Any) -> Iterator[str]:
    yield from flag.words
    if flag.metavar:
        yield str(value)


def _shared(script: Script, given: dict[str, Any]) -> Iterator[str]:
    taken = {flag.name for flag in script.flags}
    for name in (*SHARED, *SHARED_WITH_VALUE):
        value = given.get(_key(name))
        if name not in taken and value:
            yield from ((name,) if value is True else (name, str(value)))


def _known(script: Script) -> str:
    actions = [f"--action {'|'.join(script.actions)}"] if script.actions else []
    own = [f"{flag.name} {flag.metavar}" if flag.metavar else flag.name for flag in script.flags]
    return ", ".join([*actions, *own, *SHARED])


def _option(name: str, text: str, metavar: str | None) -> click.Option:
    variable = _key(name)
    if metavar is None:
        return click.Option([name, variable], is_flag=True, help=text, hidden=not text)
    return click.Option([name, variable], metavar=metavar, help=text, hidden=not text)


def _key(name: str) -> str:
    return name.strip("-").replace("-", "_")

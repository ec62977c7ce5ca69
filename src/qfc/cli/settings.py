"""Options of commands that set values of a stack's configuration, as its table describes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ..config import StackConfig
from ..config.schema import Setting, settings_of
from ..config.values import HostPath, LocalPath, OneOf, Text, WholeNumber

Command = TypeVar("Command", bound=Callable[..., Any])


def setting_options(names: Sequence[str] = ()) -> Callable[[Command], Command]:
    """Return a decorator that gives a command the options of these settings, or of all, in this order."""
    settings = settings_of(StackConfig)

    def decorate(command: Command) -> Command:
        for name in reversed(names or tuple(settings)):
            command = _option(name, settings[name])(command)
        return command

    return decorate


def _option(name: str, setting: Setting) -> Callable[[Command], Command]:
    sentence = setting.sentence
    text = f"{sentence[0].upper()}{sentence[1:]}."
    return click.option(f"--{name.replace('_', '-')}", name, help=text, **_kind(setting))


def _kind(setting: Setting) -> dict[str, Any]:
    """Return what click needs to read the option and to complete it."""
    match setting.value:
        case WholeNumber():
            return {"type": int}
        case OneOf(names=names):
            return {"type": click.Choice(names)}
        case LocalPath():
            return {"type": click.Path()}
        case HostPath():
            return {"metavar": "FOLDER"}
        case Text(called=called):
            return {"metavar": called}
        case _:
            return {}

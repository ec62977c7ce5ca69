"""A command of the command line as a tool: its name, its input as JSON Schema, and arguments as a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import click

from ..errors import UsageError
from .effects import ALWAYS, LEFT_OUT, STILL, WITHOUT, WITHOUT_OF, Effect, effect_of

#: What every tool accepts besides the command's own parameters.
STACK = {"type": "string", "description": "The configured stack; without it the only one, or the default."}
PLAN_ID = {
    "type": "string",
    "description": "The plan_id of an earlier call with the same arguments. Without it the answer is a plan.",
}
#: Values of click's types in JSON.
TYPES = {
    "integer": "integer",
    "integer range": "integer",
    "float": "number",
    "float range": "number",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Command:
    """A command that an agent may call. `path` is as it is typed, without `qfc`: `workers scale`."""

    path: str
    click: click.Command
    effect: Effect

    @property
    def name(self) -> str:
        """The name of the tool: `workers_scale`."""
        return self.path.replace(" ", "_").replace("-", "_")

    @property
    def group(self) -> str:
        """The first word of the command."""
        return self.path.split()[0]

    @property
    def parameters(self) -> list[click.Parameter]:
        """Its own parameters, without those that an agent cannot use."""
        hidden = WITHOUT | WITHOUT_OF.get(self.path, frozenset())
        return [one for one in self.click.params if one.expose_value and one.name and one.name not in hidden]

    @property
    def description(self) -> str:
        """The text of its help page."""
        return " ".join((self.click.help or self.click.short_help or "").replace("\b", "").split())

    def changes(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments changes something."""
        return not self.effect.looks or any(arguments.get(name) not in (None, False) for name in self.effect.changing)


def commands(root: click.Group) -> Iterator[Command]:
    """Return every command of the command line that an agent may call."""
    context = click.Context(root, info_name="qfc")
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if command is not None:
            yield from _leaves(name, command)


def _leaves(path: str, command: click.Command) -> Iterator[Command]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _leaves(f"{path} {name}", child)
        if not command.invoke_without_command:
            return
    if path not in LEFT_OUT:
        yield Command(path, command, effect_of(path))


def input_schema(command: Command, *, may_change: bool) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments. Without `may_change`, what changes something is left out."""
    shown = [one for one in command.parameters if may_change or one.name not in command.effect.changing]
    properties: dict[str, Any] = {str(one.name): _schema(one) for one in shown}
    properties["stack"] = STACK
    if may_change and (not command.effect.looks or command.effect.changing):
        properties["plan_id"] = PLAN_ID
    required = [str(one.name) for one in shown if one.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(parameter: click.Parameter) -> dict[str, Any]:
    one = _value_schema(parameter)
    is_list = parameter.multiple or parameter.nargs != 1
    schema: dict[str, Any] = {"type": "array", "items": one} if is_list else one
    text = parameter.help if isinstance(parameter, click.Option) else parameter.metavar
    if text:
        schema["description"] = " ".join(text.split())
    return schema


def _value_schema(parameter: click.Parameter) -> dict[str, Any]:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return {"type": "boolean"}
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": [str(choice) for choice in kind.choices]}
    schema: dict[str, Any] = {"type": TYPES.get(kind.name, "string")}
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        schema |= {key: value for key, value in (("minimum", kind.min), ("maximum", kind.max)) if value is not None}
    return schema


def command_line(command: Command, arguments: Mapping[str, Any], flags: tuple[str, ...]) -> list[str]:
    """Return the arguments of `qfc` for a call. Raises UsageError for names that the command does not have.

    Values are joined to their options and arguments come after `--`, so that no value is taken for an option.
    """
    known = {str(one.name): one for one in command.parameters}
    unknown = sorted(set(arguments) - set(known) - {"stack", "plan_id"})
    if unknown:
        raise UsageError(f"{command.name} has no {unknown[0]}.", hint=f"It has: {', '.join(known) or 'no arguments'}")
    stack = [f"--stack={_text(arguments['stack'])}"] if arguments.get("stack") else []
    given = {name: arguments[name] for name in known if arguments.get(name) is not None}
    options = [word for name, value in given.items() for word in _option(known[name], value)]
    words = [word for name, value in given.items() for word in _argument(known[name], value)]
    always = ALWAYS.get(command.path, ()) + (() if command.changes(arguments) else STILL.get(command.path, ()))
    return ["--json", *flags, *stack, *command.path.split(), *always, *options, "--", *words]


def _option(parameter: click.Parameter, value: Any) -> list[str]:
    if not isinstance(parameter, click.Option):
        return []
    longest = max(parameter.opts, key=len)
    if parameter.is_flag:
        off = max(parameter.secondary_opts, key=len, default=None)
        return [longest] if value is True else [off] if off and value is False else []
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    if parameter.nargs != 1:
        return [longest, *map(_text, values)]
    return [f"{longest}={_text(one)}" for one in values]


def _argument(parameter: click.Parameter, value: Any) -> list[str]:
    if isinstance(parameter, click.Option):
        return []
    return [_text(one) for one in cast("list[Any]", value)] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    """Return a value as a word of a command line. Raises UsageError for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{value!r:.60} is neither a text nor a number.", hint="See the tool's input schema.")
    text = str(value)
    if "\0" in text:
        raise UsageError("A text cannot contain a NUL.", hint="Remove it.")
    return text

"""The page of all commands, from the command line's own tree."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from qfc.cli.main import COMMANDS, global_options, root

from .answers import ANSWERS
from .markdown import table
from .shapes import shape

HEAD = """# Commands

{note}

Every command line is `qfc [OPTIONS] COMMAND [ARGS]…`. These flags work before and after the command:

{flags}

| exit code | meaning |
|---|---|
| 0 | done; all is well |
| 1 | the operation failed, or a check found a fault |
| 2 | wrong usage or configuration |
| 3 | the stack, its host or its database cannot be reached |
| 4 | refused: another operator holds the lock, a guard refused, or nobody confirmed |
| 5 | partly done; the answer says what is left and why |

With `--json`, standard output has one JSON document and nothing else. A `time` is ISO 8601 in UTC; keys that end in
`_s` are seconds, in `_ms` milliseconds, in `_bytes` bytes. Releases may add keys but never remove one. An error is
`{{"error": {{"code", "message", "hint"}}}}` with the same exit code; see [errors](errors.md). If a result has an
obvious single word or list (a verdict, the ids, an address), `--quiet` prints just that.

Below each command is its `--json` answer, with words in place of values.
"""

#: Our names for click's types.
KINDS = {"integer": "number", "integer range": "number", "float range": "number", "float": "number", "text": "text"}


def commands_page(note: str) -> str:
    """Return the page."""
    parts = [HEAD.format(note=note, flags=_flags(global_options(hidden=False)))]
    context = click.Context(root, info_name="qfc")
    for title, names in COMMANDS.items():
        parts.append(f"## {title}\n")
        for name in names:
            command = root.get_command(context, name)
            assert command is not None
            parts += [_section(path, one) for path, one in leaves(name, command)]
    return "\n".join(parts)


def command_paths() -> list[str]:
    """Return every command, as it is typed without `qfc`; groups that only hold commands are left out."""
    context = click.Context(root, info_name="qfc")
    found = [(name, root.get_command(context, name)) for name in root.list_commands(context)]
    return [path for name, command in found if command for path, _ in leaves(name, command)]


def leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below this one that can be called, with what is typed for it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    if command.invoke_without_command:
        yield path, command
    for name, child in command.commands.items():
        if not child.hidden:
            yield from leaves(f"{path} {name}", child)


def _section(path: str, command: click.Command) -> str:
    lines = [f"### qfc {path}", "", f"`{usage(path, command)}`", "", *_help(command)]
    own = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    if own:
        lines += [_flags(own), ""]
    answer = ANSWERS[path]
    if answer is not None:
        lines += ["```", shape(answer), "```", ""]
    return "\n".join(lines)


def usage(path: str, command: click.Command) -> str:
    """Return the command line with the names of its arguments; options are one word."""
    arguments = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    options = any(isinstance(one, click.Option) and not one.hidden for one in command.params)
    return " ".join(["qfc", path, *(["[OPTIONS]"] if options else []), *arguments])


def _argument(argument: click.Argument) -> str:
    name = (argument.metavar or (argument.name or "")).strip("[]").upper()
    name = f"{name}…" if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _help(command: click.Command) -> Iterator[str]:
    """Yield the paragraphs of a command's help; one marked with \\b is kept as it is."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```", *paragraph.splitlines()[1:], "```", "")
        else:
            yield from (" ".join(paragraph.split()), "")


def _flags(options: list[click.Option]) -> str:
    return table(("option", "meaning"), [(f"`{flag_name(one)}`", flag_meaning(one)) for one in options])


def flag_name(option: click.Option) -> str:
    """Return how an option is typed."""
    names = ", ".join(option.opts)
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {'|'.join(str(one) for one in option.type.choices)}"
    return f"{names} {(option.metavar or KINDS.get(option.type.name, option.type.name)).upper()}"


def flag_meaning(option: click.Option) -> str:
    """Return what an option does."""
    text = option.help or ""
    return f"{text} By default {option.default}." if option.show_default else text

"""The man page `qfc.1`, from the command line's own tree."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from qfc.cli.main import COMMANDS, EPILOG, HELP, global_options, root

from .commands import flag_meaning, flag_name, leaves, usage

HEAD = """.\\" Generated from the code by tools/make_reference.py. Edit the code and run that, not this page.
.TH QFC 1 "" "qfc" "User Commands"
.SH NAME
qfc \\- manage QFieldCloud servers: start, watch, diagnose and repair them
.SH SYNOPSIS
.B qfc
[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...
.SH DESCRIPTION"""
FILES = (
    ("~/.config/qfc/config.toml", "The stacks, one table each; QFC_CONFIG names another file."),
    (
        "~/.local/share/qfc/",
        "The data of stacks on this machine, for root /var/lib/qfc; QFC_HOME names another.",
    ),
)


def man_page() -> str:
    """Return the page, in the macros of man(7)."""
    lines = [HEAD, *_paragraphs(HELP), ".SH OPTIONS", *_options(global_options(hidden=False))]
    context = click.Context(root, info_name="qfc")
    for title, names in COMMANDS.items():
        lines.append(f".SH {_text(title.upper())}")
        for name in names:
            command = root.get_command(context, name)
            assert command is not None
            for path, one in leaves(name, command):
                lines += _section(path, one)
    lines += [".SH EXIT STATUS", _text(EPILOG), ".SH FILES"]
    for path, meaning in FILES:
        lines += [".TP", f".I {_text(path)}", _text(meaning)]
    return "\n".join(lines)


def _section(path: str, command: click.Command) -> Iterator[str]:
    yield f".SS {_text(usage(path, command))}"
    yield from _paragraphs(command.help or "")
    yield from _options([one for one in command.params if isinstance(one, click.Option) and not one.hidden])


def _options(options: list[click.Option]) -> Iterator[str]:
    for option in options:
        yield from (".TP", f".B {_text(flag_name(option))}", _text(flag_meaning(option)))


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; one marked with \\b is kept as it is."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from (".PP", ".nf", *map(_text, paragraph.splitlines()[1:]), ".fi")
        else:
            yield from (".PP", _text(" ".join(paragraph.split())))


def _text(text: str) -> str:
    """Return a text without what is a command to man(7)."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped

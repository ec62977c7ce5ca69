"""The page of errors, from the tree of exceptions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import qfc
from qfc import errors
from qfc.errors import QfcError

from .markdown import table

HEAD = """# Errors

{note}

An error has at most three lines: what failed, why, and what to type next. With `--json` it is one object on standard
output, `{{"error": {{"code", "message", "hint"}}}}`. The `code` is stable, the sentences are not. A configuration error
also has `problems`, a list with every mistake.

{tree}

{codes}

Two more have no class of their own: `Interrupted.` after Ctrl-C or SIGTERM (`failed`, exit code 1), and `qfc has a bug`
for an unexpected error (`failed`, exit code 1); `--verbose` also prints the traceback.

The node's API answers errors as `{{"code", "message"}}` with the status that clients expect; every stack serves the
description of its API under `/swagger/`.
"""


def errors_page(note: str) -> str:
    """Return the page."""
    _import_everything()
    rows = [
        (f"`{kind.code}`", str(kind.exit_code), kind.__name__, inspect.cleandoc(kind.__doc__ or "").split("\n")[0])
        for kind in [QfcError, *_below(QfcError)]
    ]
    codes = table(("code", "exit code", "class", "meaning"), rows)
    return HEAD.format(note=note, tree=f"```\n{_drawn()}\n```", codes=codes)


def _import_everything() -> None:
    """Import every module, since some define exceptions of their own."""
    for module in walk_packages(qfc.__path__, "qfc."):
        import_module(module.name)


def _below(kind: type[QfcError]) -> Iterator[type[QfcError]]:
    for child in sorted(kind.__subclasses__(), key=_place):
        yield child
        yield from _below(child)


def _place(kind: type[QfcError]) -> tuple[bool, str]:
    """Sort key: classes of the module `errors` in its order, then the others by name, whatever the order of imports."""
    is_other = kind.__module__ != errors.__name__
    return is_other, kind.__name__ if is_other else ""


def _drawn() -> str:
    """Return the tree as the module draws it."""
    text = inspect.cleandoc(errors.__doc__ or "")
    paragraph = next(part for part in text.split("\n\n") if part.lstrip().startswith("QfcError"))
    return inspect.cleandoc(paragraph)

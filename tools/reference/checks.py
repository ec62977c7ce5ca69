"""The page of what is looked for by `sync diagnose` and `doctor`."""

from __future__ import annotations

import inspect

from qfc.checks import EVERYTHING, FOR_SYNC, Check

from .markdown import table

HEAD = """# What a diagnosis looks for

{note}

`qfc sync diagnose` looks for what keeps a sync from coming to its end, and then sends a small project up, through a
worker, and down again. `qfc doctor` looks at the deployment's `.env` too. How to read them:
[diagnose and repair](../howto/diagnose.md). The ids are those of a collection of operators' problems; a word after an
id names a part of one.

*Repair* is what `--fix` does: `safe` at once, `ask` after a question or `--yes`, `no` is for you.
"""


def checks_page(note: str) -> str:
    """Return the page."""
    parts = {"sync diagnose, doctor": FOR_SYNC, "doctor alone": EVERYTHING[len(FOR_SYNC) :]}
    sections = [f"## {title}\n\n{_table(checks)}" for title, checks in parts.items()]
    return "\n\n".join((HEAD.format(note=note).strip(), *sections))


def _table(checks: tuple[Check, ...]) -> str:
    rows = [(f"`{one.id}`", one.title, _looked_at(one), one.severity.value, one.auto.value, one.fix) for one in checks]
    return table(("id", "problem", "what is looked at", "severity", "repair", "what to do"), rows)


def _looked_at(check: Check) -> str:
    said = inspect.cleandoc(check.look.__doc__ or "").split("\n")[0]
    return said.removesuffix(".")

"""The page of the faults that `qfc lab` causes."""

from __future__ import annotations

from qfc.lab import FAULTS

from .markdown import table

HEAD = """# Faults of the lab

{note}

The faults that `qfc lab break FAULT` causes and `qfc lab mend` undoes, and the [checks](checks.md) of a diagnosis that
find them. How to use them: [the fault lab](../howto/lab.md).
"""


def lab_page(note: str) -> str:
    """Return the page."""
    rows = [
        (f"`{one.id}`", one.title, ", ".join(f"`{check}`" for check in one.finds), ", ".join(one.kinds))
        for one in FAULTS
    ]
    return f"{HEAD.format(note=note).strip()}\n\n{table(('fault', 'what it is', 'found by', 'stacks'), rows)}"

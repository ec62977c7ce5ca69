"""Tables that fit the terminal: one column gives way, and a sentence may follow each row."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

from .output import Writer

#: What a column that gives way keeps at least.
NARROWEST = 8
GAP = 2


def fitted(
    writer: Writer,
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    elastic: int,
    right: Sequence[int] = (),
) -> None:
    """Write a table in which the column `elastic` is cut where the terminal is too narrow; elsewhere nothing is cut."""
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    others = sum(
        max(len(row[column]) for row in [list(headers), *cells]) + GAP for column in others_than(elastic, headers)
    )
    limited = writer.out.isatty() or "COLUMNS" in os.environ
    room = max(terminal_width() - others, NARROWEST) if limited else sys.maxsize
    writer.table(
        headers, [[*row[:elastic], cut(row[elastic], room), *row[elastic + 1 :]] for row in cells], right=right
    )


def others_than(column: int, headers: Sequence[str]) -> list[int]:
    """Return the indices of all other columns."""
    return [index for index in range(len(headers)) if index != column]


def paragraph(writer: Writer, text: str, *, indent: int = 0) -> None:
    """Write a sentence, wrapped to the terminal."""
    margin = " " * indent
    for line in textwrap.wrap(text, terminal_width(), initial_indent=margin, subsequent_indent=margin) or [""]:
        writer.line(line)


def facts(writer: Writer, pairs: Sequence[tuple[str, object]]) -> None:
    """Write names and values below each other; values that are None are left out."""
    shown = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        lines = textwrap.wrap(str(value), max(terminal_width() - width - GAP, NARROWEST)) or [""]
        writer.line(f"{name.ljust(width)}  {writer.paint(lines[0])}".rstrip())
        for line in lines[1:]:
            writer.line(f"{' ' * width}  {line}")


def terminal_width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def cut(text: str, width: int) -> str:
    """Return a text that is no longer than `width`."""
    return text if len(text) <= width else f"{text[: width - 1]}…"

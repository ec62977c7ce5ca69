"""Tables, facts and sentences that fit the terminal. What goes to a file or another program is never cut or folded."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .output import Writer

#: What a column that is folded keeps at least.
NARROWEST = 10
GAPS = (2, 1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

Row = Sequence[str]


def write_table(
    writer: Writer, rows: Sequence[Row], right: Sequence[int], folded: Sequence[int], optional: Sequence[int] = ()
) -> None:
    """Write rows, the first of them the head, in aligned columns; those in `right` are aligned to the right.

    Where they do not fit the terminal, gaps become narrow, then the columns `optional` are left out; then rich folds
    cells, first those of the columns `folded`.
    It is imported when it is needed only: a tenth of what `qfc status` costs (decision 19).
    """
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    for gap in GAPS:
        if sum(widths) + gap * (len(widths) - 1) <= writer.width:
            _write_plain(writer, rows, widths, right, gap)
            return
    if optional:
        kept = [column for column in range(len(widths)) if column not in optional]
        shorter = [[row[column] for column in kept] for row in rows]
        moved = [[kept.index(column) for column in columns if column in kept] for columns in (right, folded)]
        write_table(writer, shorter, *moved)
        return
    _write_folded(writer, rows, _foldable(writer.width, widths, right, folded), right)


def _write_plain(writer: Writer, rows: Sequence[Row], widths: Sequence[int], right: Sequence[int], gap: int) -> None:
    for number, row in enumerate(rows):
        padded = [
            _pad(text, width, column in right) for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        writer.line((" " * gap).join(padded if number == 0 else map(writer.paint, padded)).rstrip())


def _write_folded(writer: Writer, rows: Sequence[Row], foldable: Sequence[int], right: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, GAPS[-1], 0, 0), pad_edge=False, header_style="")
    for column, head in enumerate(rows[0]):
        justify, fixed = "right" if column in right else "left", column not in foldable
        table.add_column(Text(head), justify=justify, overflow="fold", no_wrap=fixed)
    for row in rows[1:]:
        table.add_row(*(Text(text, writer.colour_of(text)) for text in row))
    drawn, colours = StringIO(), "standard" if writer.colour else None
    Console(file=drawn, width=writer.width, color_system=colours, force_terminal=writer.colour).print(table)
    for line in drawn.getvalue().splitlines():
        writer.line(line.rstrip())


def _foldable(width: int, widths: Sequence[int], right: Sequence[int], folded: Sequence[int]) -> Sequence[int]:
    """Return which columns have to be folded: those that are meant to, else all texts, else numbers too."""
    every = range(len(widths))
    available = width - GAPS[-1] * (len(widths) - 1)
    for columns in (folded, [column for column in every if column not in right]):
        least = [min(one, NARROWEST) if column in columns else one for column, one in enumerate(widths)]
        if columns and sum(least) <= available:
            return columns
    return every


def paragraph(writer: Writer, text: str, *, indent: int = 0) -> None:
    """Write a sentence, wrapped to the terminal."""
    margin = " " * indent
    for line in wrapped(text, writer.width - indent):
        writer.line(f"{margin}{line}".rstrip())


def facts(writer: Writer, pairs: Sequence[tuple[str, object]]) -> None:
    """Write names and values below each other; values that are None are left out."""
    shown = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0) + GAPS[0]
    for name, value in shown:
        first, *more = wrapped(str(value), writer.width - width)
        writer.line(f"{name.ljust(width)}{writer.paint(first)}".rstrip())
        for line in more:
            writer.line(f"{' ' * width}{line}")


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` columns."""
    text, width = " ".join(text.splitlines()), max(width, NARROWEST)
    columns = columns_of(text)
    if columns <= width:
        return [text]
    if columns == len(text):
        return textwrap.wrap(text, width)
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(file=StringIO()), width)]


def cells(values: Iterable[object]) -> list[str]:
    """Return values as they stand in a table: None as a dash, in one line, without what controls a terminal."""
    return ["-" if value is None else _CONTROL.sub(" ", str(value)) for value in values]


def cut(text: str, width: int) -> str:
    """Return a text that takes no more than `width` columns."""
    if columns_of(text) <= width:
        return text
    kept = text[: max(width - 1, 0)]
    while columns_of(kept) >= width > 1:
        kept = kept[:-1]
    return f"{kept}…"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters and emoji are two wide."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _pad(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - columns_of(text))
    return blanks + text if right else text + blanks

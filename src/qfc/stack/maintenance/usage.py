"""The report of a stack's usage, as Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

_STYLE = "body{font:15px sans-serif;margin:2em}td,th{padding:.3em .8em;text-align:right}td:first-child{text-align:left}"


@dataclass(frozen=True)
class Period:
    """What a stack has worked in the last `hours`. Seconds and rate are None if nothing finished or ended."""

    name: str
    hours: float
    finished: int
    failed: int
    success_rate: float | None
    run_p50_s: float | None
    run_p95_s: float | None
    wait_p95_s: float | None


@dataclass(frozen=True)
class Usage:
    """The usage of a stack. `active_people` have logged in within a week; growth is that since the last report."""

    stack: str
    at: datetime
    periods: tuple[Period, ...]
    projects: int
    people: int
    active_people: int
    stored_bytes: int
    database_bytes: int
    since: datetime | None = None
    stored_growth_bytes: int | None = None
    new_projects: int | None = None


def as_markdown(usage: Usage) -> str:
    """Return the report as Markdown."""
    head, rows = _table(usage)
    lines = [f"# {usage.stack}, {usage.at:%Y-%m-%d %H:%M} UTC", ""]
    lines += [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]
    return "\n".join([*lines, *(f"- {one}" for one in _facts(usage))]) + "\n"


def as_html(usage: Usage) -> str:
    """Return the report as a page without anything from elsewhere."""
    columns, rows = _table(usage)
    title = escape(f"{usage.stack}, {usage.at:%Y-%m-%d %H:%M} UTC")
    table = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    names = "".join(f"<th>{escape(name)}</th>" for name in columns)
    facts = "".join(f"<li>{escape(one)}</li>" for one in _facts(usage))
    body = f"<h1>{title}</h1><table><tr>{names}</tr>{table}</table><ul>{facts}</ul>"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _table(usage: Usage) -> tuple[list[str], list[list[str]]]:
    head = ["", "finished", "failed", "succeeded", "took, half", "took, 95 %", "waited, 95 %"]
    rows = [
        [one.name, str(one.finished), str(one.failed), _percent(one.success_rate),
         _seconds(one.run_p50_s), _seconds(one.run_p95_s), _seconds(one.wait_p95_s)]
        for one in usage.periods
    ]  # fmt: skip
    return head, rows


def _facts(usage: Usage) -> Sequence[str]:
    new = "" if usage.new_projects is None else f" ({usage.new_projects:+d})"
    grown = "" if usage.stored_growth_bytes is None else f" ({usage.stored_growth_bytes / 1e6:+.1f} MB)"
    since = f" Changes are since {usage.since:%Y-%m-%d %H:%M} UTC." if usage.since else ""
    return (
        f"{usage.projects} projects{new}.",
        f"{usage.people} people, {usage.active_people} of them logged in within a week.",
        f"{usage.stored_bytes / 1e6:.1f} MB of files{grown}, {usage.database_bytes / 1e6:.1f} MB of database.{since}",
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _seconds(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f} s"

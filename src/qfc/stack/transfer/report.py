"""The report of a move, in Markdown. It has no secret. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .by_hand import Chore
from .contents import TableRows
from .rounds import Copied


@dataclass(frozen=True)
class Check:
    """Something that was compared on the new server, and what was found."""

    what: str
    found: str


@dataclass(frozen=True)
class MoveReport:
    """What a report says. `down_s` is how long writes were blocked, None where nothing was held.

    `before` says where that is what the new server had, `caution` whether people may still work on the old one.
    """

    old: str
    new: str
    by: str
    at: datetime
    backup: str
    copies: Sequence[Copied]
    down_s: float | None
    checks: Sequence[Check]
    tables: Sequence[TableRows]
    missing: Sequence[str]
    chores: Sequence[Chore]
    way_back: Sequence[str]
    before: Sequence[str] = ()
    caution: str = ""


def markdown(report: MoveReport) -> str:
    """Return the report."""
    what_was = (_head(report), _copies(report), _checks(report), _missing(report), _before(report))
    parts = (*what_was, _by_hand(report), _way_back(report))
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(report: MoveReport) -> Iterator[str]:
    yield f"# {report.old} was moved to {report.new}"
    yield ""
    yield f"By {report.by}, {report.at:%Y-%m-%d %H:%M} UTC. The last set is `{report.backup}`."
    if report.down_s is not None:
        yield f"Nobody could write for {report.down_s:.1f} s."
    if report.caution:
        yield report.caution
    yield ""


def _copies(report: MoveReport) -> Iterator[str]:
    if not report.copies:
        return
    yield "## Copies"
    yield ""
    yield from _table(
        ("set", "objects", "new", "new bytes", "seconds"),
        ((one.backup, one.objects, one.added, one.added_bytes, f"{one.seconds:.1f}") for one in report.copies),
    )


def _checks(report: MoveReport) -> Iterator[str]:
    yield "## Compared"
    yield ""
    yield from _table(("what", "found"), ((one.what, one.found) for one in report.checks))
    filled = [one for one in report.tables if one.before or one.after]
    yield from _table(("table", "rows before", "rows after"), ((one.name, one.before, one.after) for one in filled))


def _missing(report: MoveReport) -> Iterator[str]:
    if not report.missing:
        return
    yield "## What the old server lacked already"
    yield ""
    yield from (f"- {one}" for one in report.missing)
    yield ""


def _before(report: MoveReport) -> Iterator[str]:
    if not report.before:
        return
    yield "## What the new server had before"
    yield ""
    yield from (f"- {one}" for one in report.before)
    yield ""


def _by_hand(report: MoveReport) -> Iterator[str]:
    yield "## Still to be done by hand"
    yield ""
    for number, one in enumerate(report.chores, start=1):
        yield f"{number}. **{one.what}.** {one.why}"
        yield ""
        yield "   ```"
        yield from (f"   {line}" for line in one.lines)
        yield "   ```"
        yield ""


def _way_back(report: MoveReport) -> Iterator[str]:
    yield "## Way back"
    yield ""
    yield from report.way_back
    yield ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
    yield ""

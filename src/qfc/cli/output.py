"""Writers over one result object: for people, for machines, and for those who want only the result."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO, cast

from ..errors import ConfigError, QfcError
from .catalog import addressed, addressed_document

#: Colours of verdicts and states; anything else is written plainly.
COLOURS = {
    **dict.fromkeys(("ok", "running", "healthy", "finished", "done", "applied", "idle"), "green"),
    **dict.fromkeys(("unknown", "warning", "stopping", "draining", "starting"), "yellow"),
    **dict.fromkeys(("degraded", "restarting", "pending", "queued", "started", "busy", "conflict"), "yellow"),
    **dict.fromkeys(("down", "stopped", "missing", "unhealthy", "failed", "error", "critical", "dead"), "red"),
}
CODES = {"green": 32, "yellow": 33, "red": 31}


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows: dataclasses become objects, times ISO 8601, enums their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in cast("Iterable[Any]", value)]
    return value


class Writer:
    """Writes one result and any number of remarks. Remarks go to standard error.

    `stack` is the one that the operator named: commands in what is written name it too.
    """

    def __init__(
        self,
        *,
        as_json: bool,
        quiet: bool,
        out: TextIO | None = None,
        err: TextIO | None = None,
        stack: str | None = None,
    ) -> None:
        self.as_json, self.quiet, self.stack = as_json, quiet, stack
        self.out, self.err = out or sys.stdout, err or sys.stderr
        self.colour = self.out.isatty() and not as_json and _wants_colour(os.environ)

    @property
    def width(self) -> int:
        """Columns that there are: those of the terminal, or COLUMNS; no end of them for a file or another program."""
        is_limited = self.out.isatty() or os.environ.get("COLUMNS")
        return shutil.get_terminal_size((80, 24)).columns if is_limited else sys.maxsize

    def result(self, document: Any, human: Callable[[Writer], None], *, quiet: str | None = None) -> None:
        """Write a result: `document` as JSON, or what `human` prints, or with --quiet the text `quiet` alone."""
        if self.as_json:
            document = addressed_document(plain(document), self.stack)
            print(json.dumps(document, indent=2, ensure_ascii=False), file=self.out)
        elif self.quiet and quiet is not None:
            if quiet:
                print(quiet, file=self.out)
        else:
            human(self)

    def line(self, text: str = "") -> None:
        """Write a line for people."""
        print(addressed(text, self.stack), file=self.out)

    def plan(self, steps: Iterable[str]) -> None:
        """Write what a dry run would do."""
        for step in steps:
            self.line(f"Would: {step}")

    def quoted(self, text: str) -> None:
        """Write a line of somebody else, unchanged."""
        print(text, file=self.out)

    def remark(self, text: str) -> None:
        """Write a line of progress or a warning to standard error; nothing with --quiet."""
        if not self.quiet:
            print(addressed(text, self.stack), file=self.err, flush=True)

    def table(
        self,
        headers: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        right: Sequence[int] = (),
        folded: Sequence[int] = (),
        optional: Sequence[int] = (),
    ) -> None:
        """Write a table; columns named by their index in `right` are aligned to the right.

        Where it is wider than the terminal, the columns `optional` are left out; then cells are folded: first those of
        the columns `folded`.
        """
        from .tables import cells, write_table

        write_table(self, [headers, *map(cells, rows)], right, folded, optional)

    def paint(self, text: str) -> str:
        """Colour a verdict or a state, on a terminal."""
        colour = self.colour_of(text)
        return f"\033[{CODES[colour]}m{text}\033[0m" if colour else text

    def colour_of(self, text: str) -> str:
        """Return the colour of a verdict or a state; empty for anything else, and where nothing is coloured."""
        return COLOURS.get(text.strip(), "") if self.colour else ""

    def error(self, error: QfcError) -> None:
        """Write an error: one JSON document on standard output, or at most three lines on standard error."""
        if self.as_json:
            message, hint = addressed(error.message, self.stack), addressed(error.hint, self.stack)
            body: dict[str, Any] = {"code": error.code, "message": message, "hint": hint}
            if isinstance(error, ConfigError):
                body["problems"] = list(error.problems)
            print(json.dumps({"error": body}, ensure_ascii=False), file=self.out)
            return
        for line in _error_lines(error):
            print(addressed(line, self.stack), file=self.err)


def _error_lines(error: QfcError) -> list[str]:
    """Return what failed, why, what to type next."""
    lines = [f"Error: {' '.join(error.message.split())}"]
    cause = error.__cause__
    if cause is not None and str(cause) and str(cause) not in error.message:
        lines.append(f"Why: {' '.join(str(cause).split())[:300]}")
    return [*lines, error.hint] if error.hint else lines


def _wants_colour(environment: Mapping[str, str]) -> bool:
    """Tell whether a terminal is to be coloured, see https://no-color.org."""
    return not environment.get("NO_COLOR") and environment.get("TERM") not in ("dumb", "unknown")


def bytes_text(size: float | None) -> str:
    """Return a size as people read it: 512 B, 1.4 MB."""
    if size is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seconds_text(seconds: float | None) -> str:
    """Return a duration as people read it: 0.4 s, 12 s, 3 min, 5 h 12 min, 4 d 3 h."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def brief_text(seconds: float | None) -> str:
    """Return a duration in its largest unit, for a table: 12 s, 3 min, 5 h, 4 d."""
    if seconds is None or seconds < 3600:
        return seconds_text(seconds)
    return f"{int(seconds // 3600)} h" if seconds < 48 * 3600 else f"{int(seconds // 86400)} d"


def time_text(moment: datetime | None) -> str:
    """Return a moment in UTC as people read it; whoever writes it says that it is UTC, a table in its head."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment_text(moment: datetime | None) -> str:
    """Return a moment with its time zone, UTC."""
    return "-" if moment is None else f"{time_text(moment)} UTC"

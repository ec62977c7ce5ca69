"""The logs of a stack's services, merged, filtered, followed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import UsageError
from ..stack.model import LogLine
from ..stack.ports import Ports

DURATION = re.compile(r"(\d+)\s*([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class LogQuery:
    """What to read. `services` None means all, `lines` counts matching lines, `since` is a span back from now."""

    services: Sequence[str] | None = None
    lines: int = 100
    since: timedelta | None = None
    follow: bool = False
    grep: str | None = None
    job: str | None = None


def logs(ports: Ports, query: LogQuery) -> Iterator[LogLine]:
    """Yield the last matching lines in chronological order; with `follow`, new ones as they are written."""
    pattern = _pattern(query.grep)
    since = ports.clock.now() - query.since if query.since else None
    filtered = pattern is not None or query.job is not None

    def fits(line: LogLine) -> bool:
        return (pattern is None or pattern.search(line.text) is not None) and _is_of_job(line, query.job)

    if query.follow:
        source = ports.runtime.logs(query.services, lines=query.lines, since=since, follow=True)
        return (line for line in source if fits(line))
    source = ports.runtime.logs(query.services, lines=0 if filtered else query.lines, since=since, follow=False)
    return iter(deque((line for line in source if fits(line)), maxlen=query.lines))


def span(text: str) -> timedelta:
    """Read a span such as 90s, 15m, 2h, 3d, 1w, 1h 30m. Raises UsageError."""
    parts = DURATION.findall(text)
    if not parts or DURATION.sub("", text).strip():
        raise UsageError(f"{text!r} is not a time span.", hint="Write for example 90s, 15m, 2h, 3d or 1w.")
    return sum((timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def _pattern(expression: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(expression) if expression is not None else None
    except re.error as error:
        raise UsageError(
            f"{expression!r} is not a valid regular expression: {error}.", hint="Put \\ before special characters."
        ) from error


def _is_of_job(line: LogLine, job: str | None) -> bool:
    return job is None or (line.job_id or "").startswith(job) or job in line.text

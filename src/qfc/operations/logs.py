"""The logs of a stack's services, merged, filtered, followed."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import UsageError
from ..stack.model import LogLine
from ..stack.ports import Ports

#: Services that are database servers, and how PostgreSQL begins to log a statement (`log_statement`).
DATABASES = frozenset({"db", "geodb"})
STATEMENT = re.compile(r"(?:statement|execute [^:]+): ")
#: How many times more lines of a database are read where most of them are statements.
DEEPER = 50
EARLIEST = datetime.min.replace(tzinfo=UTC)
DURATION = re.compile(r"(\d+)\s*([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class LogQuery:
    """What to read. `services` None means all, `lines` counts matching lines, `since` is a span back from now.

    Official databases log every statement: `statements` shows them too.
    """

    services: Sequence[str] | None = None
    lines: int = 100
    since: timedelta | None = None
    follow: bool = False
    grep: str | None = None
    job: str | None = None
    statements: bool = False


class Statements:
    """Recognises the statements that a database logs, with the lines that continue one; counts them in `hidden`."""

    def __init__(self) -> None:
        self.hidden = 0
        self._inside: dict[str, bool] = {}

    def hides(self, line: LogLine) -> bool:
        """Return whether a line is part of a statement. Lines come in their order, perhaps from amid a statement."""
        if line.service not in DATABASES:
            return False
        begins = line.level == "INFO" and STATEMENT.match(line.text) is not None
        continues = _continues(line) and self._inside.get(line.instance) is not False
        self.hidden += begins or (continues and line.instance not in self._inside)
        self._inside[line.instance] = begins or continues
        return begins or continues


def _continues(line: LogLine) -> bool:
    """Return whether a line may be the rest of a statement: PostgreSQL indents it, and logs its parameters."""
    return (not line.level and line.text.startswith("\t")) or (
        line.level == "DETAIL" and line.text.lower().startswith("parameters: ")
    )


def logs(ports: Ports, query: LogQuery, statements: Statements | None = None) -> Iterator[LogLine]:
    """Yield the last matching lines in chronological order; with `follow`, new ones as they are written.

    `statements` counts the hidden ones.
    """
    pattern = _pattern(query.grep)
    since = ports.clock.now() - query.since if query.since else None
    filtered = pattern is not None or query.job is not None
    counted = statements or Statements()

    def fits(line: LogLine) -> bool:
        if not query.statements and counted.hides(line):
            return False
        return _matches(pattern, line) and _is_of_job(line, query.job)

    if query.follow:
        source = ports.runtime.logs(query.services, lines=query.lines, since=since, follow=True)
        return (line for line in source if fits(line))
    lines = 0 if filtered else query.lines
    source = ports.runtime.logs(query.services, lines=lines, since=since, follow=False)
    found = deque((line for line in source if fits(line)), maxlen=query.lines)
    if lines and counted.hidden:
        counted.hidden = 0
        found = deque(filter(fits, _deeper(ports, query, since)), maxlen=query.lines)
    return iter(found)


def _deeper(ports: Ports, query: LogQuery, since: datetime | None) -> Iterator[LogLine]:
    """Yield as many lines of the other services as are wanted, and many more of the databases, in order of time."""
    names = query.services or [one.name for one in ports.runtime.services()]
    others, databases = [one for one in names if one not in DATABASES], [one for one in names if one in DATABASES]
    parts = [ports.runtime.logs(others, lines=query.lines, since=since, follow=False)] if others else []
    parts.append(ports.runtime.logs(databases, lines=DEEPER * query.lines, since=since, follow=False))
    return (line for _, line in heapq.merge(*map(_dated, parts), key=lambda pair: pair[0]))


def _dated(lines: Iterator[LogLine]) -> Iterator[tuple[datetime, LogLine]]:
    """Yield lines with their times; one without a time stays behind the one before it."""
    reached = EARLIEST
    for line in lines:
        reached = line.time or reached
        yield reached, line


def span(text: str) -> timedelta:
    """Read a span such as 90s, 15m, 2h, 3d, 1w, 1h 30m. Raises UsageError."""
    parts = DURATION.findall(text)
    if not parts or DURATION.sub("", text).strip():
        raise UsageError(f"{text!r} is not a time span.", hint="Write for example 90s, 15m, 2h, 3d or 1w.")
    return sum((timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


class Expression:
    """A regular expression whose search takes time linear in the text, whatever the expression is."""

    def __init__(self, expression: str) -> None:
        """Compile it. Raises UsageError."""
        # Imported where it is needed: most commands search nothing.
        import re2

        library: Any = re2
        options = library.Options()
        options.log_errors = False
        try:
            self._compiled = library.compile(expression, options)
        except library.error as error:
            raise UsageError(
                f"{expression!r} is not a valid regular expression: {_reason(error)}.",
                hint="Put \\ before special characters; look-around and back-references are not known.",
            ) from None  # its only word are bytes, which the message has already

    def is_in(self, text: str) -> bool:
        """Whether the text contains a match."""
        return self._compiled.search(text) is not None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _pattern(expression: str | None) -> Expression | None:
    return Expression(expression) if expression is not None else None


def printed(line: LogLine) -> str:
    """Return a line as it is printed, without its time."""
    return f"{line.instance:<16}  {line.level:<7}  {line.text}"


def _matches(pattern: Expression | None, line: LogLine) -> bool:
    """Return whether an expression matches the text of a line, or the line as it is printed."""
    return pattern is None or any(pattern.is_in(text) for text in (line.text, printed(line)))


def _is_of_job(line: LogLine, job: str | None) -> bool:
    return job is None or (line.job_id or "").startswith(job) or job in line.text

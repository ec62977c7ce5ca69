"""How often a job of ofelia runs, by its schedule: `@every 1m30s`, `@hourly`, or five or six fields of cron. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
_NAMED = {"@hourly": HOUR_S, "@daily": DAY_S, "@midnight": DAY_S, "@weekly": 7 * DAY_S, "@monthly": 31 * DAY_S,
          "@yearly": 366 * DAY_S, "@annually": 366 * DAY_S}  # fmt: skip
_EVERY = re.compile(r"@every\s+((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": MINUTE_S, "h": HOUR_S}
#: Length of a field's unit and of its whole cycle: minute, hour, day of the month, month, day of the week.
_FIELDS = ((MINUTE_S, HOUR_S), (HOUR_S, DAY_S), (DAY_S, 31 * DAY_S), (31 * DAY_S, 366 * DAY_S), (DAY_S, 7 * DAY_S))
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
_FIELD = re.compile(rf"(?:[\d*/,\-]|{_NAMES})+")
_STEP = re.compile(r"\*/(\d+)")


def period_s(schedule: str) -> float | None:
    """Return the longest time between two runs, in seconds, rounded up; None for a schedule that is not understood."""
    text = schedule.strip().lower()
    if every := _EVERY.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(every[1]))
    if text.startswith("@"):
        return _NAMED.get(text)
    fields = text.split()
    # Six fields begin with the second.
    return _of_fields(fields[-5:]) if len(fields) in (5, 6) else None


def _of_fields(fields: Sequence[str]) -> float | None:
    """Return the longest cycle that a field restricts."""
    longest = MINUTE_S
    for field, (unit, cycle) in zip(fields, _FIELDS, strict=True):
        if field in ("*", "?"):
            continue
        step = _STEP.fullmatch(field)
        if step is None and not _FIELD.fullmatch(field):
            return None
        longest = max(longest, unit * int(step[1]) if step else cycle)
    return longest

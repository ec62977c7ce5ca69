"""When a job runs: `every 5m`, `every 4h`, `02:00` or `off`, as cron and systemd write it."""

from __future__ import annotations

import re

OFF = "off"
_EVERY = re.compile(r"every (\d{1,2})(m|h)")
_DAILY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
#: A span has to divide its cycle: with another one, cron begins it again at each full hour or day.
_CYCLES = {"m": 60, "h": 24}


def check(text: str) -> str:
    """Return the time as it was given. Raises ValueError."""
    every = _EVERY.fullmatch(text)
    divides = bool(every) and int(every[1]) > 0 and not _CYCLES[every[2]] % int(every[1]) if every else False
    if text == OFF or divides or _DAILY.fullmatch(text):
        return text
    raise ValueError(f'must be "off", a time such as "02:00", "every 5m" or "every 4h", not {text!r}')


def cron_of(text: str) -> str:
    """Return the five fields of cron. The time is not `off`."""
    if every := _EVERY.fullmatch(text):
        number = int(every[1])
        return f"*/{number} * * * *" if every[2] == "m" else f"0 */{number} * * *"
    hour, minute = text.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def calendar_of(text: str, zone: str = "") -> str:
    """Return what systemd's OnCalendar takes. The time is not `off`."""
    if every := _EVERY.fullmatch(text):
        number = int(every[1])
        moment = f"*-*-* *:0/{number}:00" if every[2] == "m" else f"*-*-* 0/{number}:00:00"
    else:
        moment = f"*-*-* {text}:00"
    return f"{moment} {zone}".strip()

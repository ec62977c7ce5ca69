"""What `qfc protect` sets up for a stack, and how it is remembered. It looks through ports; it changes nothing.

record.py    what was put in place, and what was there before
parts.py     the parts: the monitor, limits, the schedule, backups; whether each is there
gone.py      what of the record is not there any more
"""

from __future__ import annotations

from .gone import gone, is_visible
from .parts import (
    BACKUP_TABLE,
    BACKUPS,
    LIMITS,
    MONITOR,
    NAMES,
    SCHEDULE,
    BackupsPart,
    LimitsPart,
    MonitorPart,
    Part,
    SchedulePart,
    part_of,
)
from .record import NAME, Kept, Protection, from_document, read, to_document, write

__all__ = [
    "BACKUPS",
    "BACKUP_TABLE",
    "LIMITS",
    "MONITOR",
    "NAME",
    "NAMES",
    "SCHEDULE",
    "BackupsPart",
    "Kept",
    "LimitsPart",
    "MonitorPart",
    "Part",
    "Protection",
    "SchedulePart",
    "from_document",
    "gone",
    "is_visible",
    "part_of",
    "read",
    "to_document",
    "write",
]

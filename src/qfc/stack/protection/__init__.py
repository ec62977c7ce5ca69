"""What `qfc protect` sets up for a stack, and how it is remembered. It looks through ports; it changes nothing.

record.py    what was put in place, and what was there before
part.py      what every part can tell
starters.py  the monitor, the schedule
parts.py     limits, backups
gone.py      what of the record is not there any more
"""

from __future__ import annotations

from .gone import gone, is_visible, works
from .part import BACKUPS, LIMITS, MONITOR, NAMES, SCHEDULE, Part
from .parts import BACKUP_TABLE, BackupsPart, LimitsPart, part_of
from .record import NAME, Kept, Protection, from_document, read, to_document, write
from .starters import MonitorPart, SchedulePart

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
    "works",
    "write",
]

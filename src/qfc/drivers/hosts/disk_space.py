"""The output of POSIX `df -Pk`."""

from __future__ import annotations

import re

from ...errors import QfcError
from ...stack.model import Disk

_LINE = re.compile(r"\s(\d+)\s+(\d+)\s+(\d+)\s+(?:\d+%|-)\s+(\S.*)$")


def parse_disk(printed: str) -> Disk:
    """Read the last line of `df -Pk` (POSIX: blocks of 1024 bytes, one line per file system). Raises QfcError."""
    found = _LINE.search(printed.rstrip())
    if not found:
        raise QfcError(f"df printed unexpected output: {printed!r}")
    *numbers, mounted_on = found.groups()
    total, _used, free = (int(number) * 1024 for number in numbers)
    return Disk(free, total, mounted_on)

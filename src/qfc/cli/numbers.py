"""Lists of numbers, as operators type them."""

from __future__ import annotations

import re

from ..errors import UsageError

_RANGE = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


def numbers_of(text: str) -> tuple[int, ...]:
    """Read numbers of workers: `1-12`, `2,4,8`."""
    parts = [_RANGE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(parts):
        raise UsageError(
            f"{text} names no numbers of workers.", hint="Give a range or a list: --workers 1-12, --workers 2,4,8"
        )
    numbers: set[int] = set()
    for part in parts:
        if part is not None:
            numbers.update(range(int(part[1]), int(part[2] or part[1]) + 1))
    return tuple(sorted(numbers))

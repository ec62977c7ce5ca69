"""Numbers as bars of one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

#: Eighths of a line's height, from nothing.
BARS = " ▁▂▃▄▅▆▇█"
#: Where nothing was measured.
GAP = "·"


def bars(values: Sequence[float | None]) -> str:
    """Draw numbers as bars, the greatest at full height."""
    top = max((one for one in values if one is not None), default=0) or 1
    return "".join(GAP if one is None else BARS[_height(one / top)] for one in values)


def _height(share: float) -> int:
    """Return the height of a bar; every number above 0 is seen."""
    return -int(-share * (len(BARS) - 1) // 1)


def by_time(
    points: Sequence[tuple[datetime, float | None]], begin: datetime, end: datetime, columns: int
) -> list[float | None]:
    """Return the greatest value of each of so many equal spans; None where nothing was measured."""
    found: list[float | None] = [None] * columns
    span_s = (end - begin).total_seconds() / columns or 1.0
    for at, value in points:
        place = min(int((at - begin).total_seconds() / span_s), columns - 1)
        if value is not None and place >= 0:
            found[place] = max(found[place] or 0.0, value)
    return found

"""Copies ahead of a cut: each has only what is new since the one before, and so takes less time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The most copies ahead, and the seconds below which the next one, that of the cut, is short enough.
MOST, SHORT_S = 4, 20.0
#: A copy that takes more than this share of the previous one shows that another would gain nothing.
GAIN = 0.7


@dataclass(frozen=True)
class Copied:
    """One copy: its set, the objects and bytes that were new in it, and how long it took."""

    backup: str
    objects: int
    added: int
    added_bytes: int
    seconds: float


def is_another_worth_it(copies: Sequence[Copied]) -> bool:
    """Return whether another copy ahead would shorten the cut, which takes about as long as the last one."""
    if not copies:
        return True
    if len(copies) >= MOST or copies[-1].seconds <= SHORT_S:
        return False
    return len(copies) == 1 or copies[-1].seconds <= GAIN * copies[-2].seconds

"""Moments that put things in order: they grow, whatever the clock does."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

TICK = timedelta(microseconds=1)


def later_than(last: datetime | None) -> datetime:
    """Return now, or the moment after the last one where the clock has gone back behind it."""
    now = timezone.now()
    return max(now, last + TICK) if last else now

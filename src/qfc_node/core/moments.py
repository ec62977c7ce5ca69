"""Moments that define an order: they always increase, even if the clock is set back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

TICK = timedelta(microseconds=1)


def later_than(last: datetime | None) -> datetime:
    """Return the current time, or the moment after `last` if the clock is behind it."""
    now = timezone.now()
    return max(now, last + TICK) if last else now

"""When a disk will be full, extrapolated from measurements. Pure.

A straight line is fitted to the used space of the last days, by least squares. Measurements that are few or close
together give no forecast, and neither does a disk that empties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Older measurements do not count: the server was used differently then.
WINDOW = timedelta(days=14)
#: A shorter span or fewer measurements give no forecast.
SHORTEST, FEWEST = timedelta(hours=6), 3
#: A disk that fills more slowly than this, in days, gets no date.
FARTHEST_DAYS = 3650
DAY_S = 86400.0


@dataclass(frozen=True)
class DiskSample:
    """Free and total bytes of a disk at a moment; `disk` is where it is mounted."""

    at: datetime
    free_bytes: int
    total_bytes: int
    disk: str = ""

    @property
    def used_bytes(self) -> int:
        """Bytes in use."""
        return self.total_bytes - self.free_bytes


@dataclass(frozen=True)
class Forecast:
    """How fast a disk fills, in bytes a day, and when it will be full; None where it does not fill or is not known.

    The forecast is based on `samples` measurements over `days` days.
    """

    bytes_per_day: float | None
    full_at: datetime | None
    samples: int
    days: float


def forecast(samples: Sequence[DiskSample]) -> Forecast:
    """Return the forecast for the disk of these measurements."""
    if not samples:
        return Forecast(None, None, 0, 0.0)
    newest = max(samples, key=lambda one: one.at)
    # Another size means another disk.
    used = [one for one in samples if newest.at - one.at <= WINDOW and one.total_bytes == newest.total_bytes]
    span = newest.at - min(one.at for one in used)
    days = round(span.total_seconds() / DAY_S, 3)
    if len(used) < FEWEST or span < SHORTEST:
        return Forecast(None, None, len(used), days)
    rate = _slope([((one.at - newest.at).total_seconds() / DAY_S, one.used_bytes) for one in used])
    return Forecast(round(rate, 1), _full_at(newest, rate), len(used), days)


def _full_at(newest: DiskSample, rate: float) -> datetime | None:
    if rate <= 0 or newest.free_bytes / rate > FARTHEST_DAYS:
        return None
    return newest.at + timedelta(days=newest.free_bytes / rate)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0

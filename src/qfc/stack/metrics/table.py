"""Measurements as CSV. The first four columns are those of the script that many operators have used.

That script appends `2026-01-08 09:05:00,3,1,0` to `queue_metrics.log`, in local time and without a line of names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, tzinfo

from .sample import Sample

TIME = "%Y-%m-%d %H:%M:%S"
_FIRST = ("timestamp", "queue", "processing", "failed")
_REST = tuple(one.name for one in fields(Sample) if one.name not in ("at", *_FIRST))
COLUMNS = (*_FIRST, "utc", *_REST)


def row(sample: Sample, zone: tzinfo | None = None) -> tuple[str, ...]:
    """Return the cells of a measurement in the order of `COLUMNS`; `timestamp` is local time, or that of `zone`."""
    first = (sample.at.astimezone(zone).strftime(TIME), sample.queue, sample.processing, sample.failed)
    rest = (getattr(sample, name) for name in _REST)
    return tuple("" if one is None else str(one) for one in (*first, sample.at.astimezone(UTC).isoformat(), *rest))


def parse_log(lines: Iterable[str], zone: tzinfo | None = None) -> tuple[tuple[Sample, ...], int]:
    """Return the measurements of the script's log, and how many lines are none.

    The script leaves numbers out when the database does not answer, and psql puts spaces before them.
    """
    found: list[Sample] = []
    skipped = 0
    for line in lines:
        if sample := _parse(line, zone):
            found.append(sample)
        else:
            skipped += bool(line.strip())
    return tuple(found), skipped


def _parse(line: str, zone: tzinfo | None) -> Sample | None:
    cells = [cell.strip() for cell in line.split(",")]
    try:
        moment = datetime.strptime(cells[0], TIME)
        queue, processing, failed = (int(cell) for cell in cells[1:4])
    except ValueError:
        return None
    return Sample(moment.replace(tzinfo=zone).astimezone(UTC), queue, processing, failed)

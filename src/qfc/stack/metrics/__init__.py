"""Measurements of a stack over time: what is measured, how it is judged, and the log of an earlier script. Pure.

sample.py      one measurement
waits.py       how long the oldest job waits, by reason
judge.py       good, warning or bad, by the operator's thresholds
table.py       measurements as CSV, and the log `queue_metrics.log`
"""

from __future__ import annotations

from .judge import Grade, Judged, Thresholds, judge
from .sample import Sample
from .table import COLUMNS, parse_log, row
from .waits import OldestWaits, oldest_waits

__all__ = [
    "COLUMNS",
    "Grade",
    "Judged",
    "OldestWaits",
    "Sample",
    "Thresholds",
    "judge",
    "oldest_waits",
    "parse_log",
    "row",
]

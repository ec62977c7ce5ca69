"""Maintenance that runs by itself: which jobs there are, when they run, what is remembered of them. Pure.

jobs.py      the five jobs
times.py     when a job runs, as cron and systemd write it
runs.py      the runs of a job, as they are kept
usage.py     the report of a stack's usage, as Markdown and HTML
"""

from __future__ import annotations

from .jobs import JOBS, MaintenanceJob
from .runs import MOST_RUNS, Run, StepResult, added, from_document, never_ended, round_text, to_document
from .times import OFF, calendar_of, cron_of
from .usage import Period, Usage, as_html, as_markdown

__all__ = [
    "JOBS",
    "MOST_RUNS",
    "OFF",
    "MaintenanceJob",
    "Period",
    "Run",
    "StepResult",
    "Usage",
    "added",
    "as_html",
    "as_markdown",
    "calendar_of",
    "cron_of",
    "from_document",
    "never_ended",
    "round_text",
    "to_document",
]

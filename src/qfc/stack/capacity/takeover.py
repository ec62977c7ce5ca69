"""Seconds between the moment at which a job could start and its start: a free worker has to find and prepare it.

They are part of every wait, and they occupy the worker: short jobs in a busy queue wait noticeably longer for them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from .history import History, PastJob, quantile

#: Fewer jobs than these that waited for nobody show nothing.
FEWEST = 5
#: Longer ones than those of so many jobs count as these.
USUAL = 0.95
#: Workers of official servers look into the queue so often; those of the node are woken.
OFFICIAL_POLL_S = 5.0


def poll_s(*, official: bool) -> float:
    """Return how often idle workers look into the queue, in seconds; 0 where they are woken."""
    return OFFICIAL_POLL_S if official else 0.0


@dataclass(frozen=True)
class Pickup:
    """How workers come to jobs: idle ones look every `poll_s` seconds (0: they are woken), then need `takeover_s`."""

    poll_s: float = 0.0
    takeover_s: float = 0.0


AT_ONCE = Pickup()


def pickup(history: History, poll_s: float) -> Pickup:
    """Return how the workers of a history came to their jobs."""
    return Pickup(poll_s, takeover_s(history, poll_s=poll_s))


def takeover_s(history: History, *, poll_s: float = 0.0) -> float:
    """Return the mean over all jobs that waited for nobody but their own predecessor; 0 where there are too few.

    Where idle workers look every `poll_s` seconds, only jobs behind a predecessor count: its worker looks at once.
    """
    seen = list(_behind_their_own(history))
    if poll_s <= 0:
        seen += _on_an_empty_server(history)
    if len(seen) < FEWEST:
        return 0.0
    # A worker that was being restarted, or stopped for an hour, is no habit.
    highest = quantile(sorted(seen), USUAL)
    return sum(min(one, highest) for one in seen) / len(seen)


def _on_an_empty_server(history: History) -> Iterator[float]:
    """Yield what jobs waited that came while nothing waited or ran."""
    busy_until = float("-inf")
    for job in history.jobs:
        if job.created_s >= busy_until:
            yield job.wait_s
        busy_until = max(busy_until, job.ended_s)


def _behind_their_own(history: History) -> Iterator[float]:
    """Yield the seconds from the end of a job to the start of its project's next one, if no other job was waiting."""
    created = [job.created_s for job in history.jobs]
    started = sorted(job.started_s for job in history.jobs)
    before: dict[str, PastJob] = {}
    for job in sorted(history.jobs, key=lambda one: one.started_s):
        last = before.get(job.project)
        if last is not None and job.created_s < last.ended_s <= job.started_s:
            waiting = bisect_right(created, last.ended_s) - bisect_right(started, last.ended_s)
            if waiting == 1:
                yield job.started_s - last.ended_s
        before[job.project] = job

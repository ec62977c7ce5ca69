"""Erlang C: how long jobs wait for one of several workers if jobs were independent. A line to compare with.

Source: A. K. Erlang (1917); see any text on queueing, for instance L. Kleinrock, Queueing Systems, volume 1, 3.8.
"""

from __future__ import annotations

from math import log


def erlang_c(load: float, workers: int) -> float:
    """Return the probability that a job waits at all, for a load in Erlang. 1 where the load is too great.

    Uses the recurrence of Erlang B, which does not overflow.
    """
    if load >= workers:
        return 1.0
    if load <= 0:
        return 0.0
    blocked = 1.0
    for servers in range(1, workers + 1):
        blocked = load * blocked / (servers + load * blocked)
    return blocked / (1 - (load / workers) * (1 - blocked))


def waiting_quantile(load: float, workers: int, service_s: float, share: float) -> float | None:
    """Return the seconds that `share` of all jobs do not exceed; None where the queue grows without end.

    `service_s` is the mean service time in seconds.
    """
    if load >= workers:
        return None
    waiting = erlang_c(load, workers)
    if waiting <= 1 - share:
        return 0.0
    return service_s / (workers - load) * log(waiting / (1 - share))

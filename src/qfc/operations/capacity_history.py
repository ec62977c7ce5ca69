"""What a stack has worked, as planning needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..errors import UsageError
from ..stack.capacity import History, poll_s, quantile
from ..stack.model import Capability
from ..stack.ports import Ports

MOST_DAYS = 3650


@dataclass(frozen=True)
class Observed:
    """What was recorded: ended jobs, hours, arrivals per hour, seconds of work and of waiting."""

    jobs: int
    hours: float
    arrival_per_h: float
    service_p50_s: float
    service_p95_s: float
    wait_p95_s: float


def history_of(ports: Ports, days: float) -> History:
    """Return what a stack worked in the last days, or since its first job where it is younger."""
    if not 0 < days <= MOST_DAYS:
        raise UsageError(f"Cannot look back {days:g} days.", hint=f"Give more than 0, at most {MOST_DAYS}.")
    now = ports.clock.now()
    jobs = ports.jobs.worked(since=now - timedelta(days=days))
    begin = jobs[0].created_s if jobs else now.timestamp()
    return History(jobs, begin, max(now.timestamp(), jobs[-1].created_s) if jobs else begin)


def poll_s_of(ports: Ports) -> float:
    """Return how often idle workers look into the queue, in seconds; 0 where they are woken."""
    return poll_s(official=ports.offers(Capability.CONTAINERS))


def observed(history: History) -> Observed:
    """Return the figures of a history."""
    services = sorted(job.service_s for job in history.jobs)
    waited = sorted(job.wait_s for job in history.jobs)
    return Observed(
        jobs=len(history.jobs),
        hours=history.hours,
        arrival_per_h=len(history.jobs) / history.hours if history.hours else 0.0,
        service_p50_s=quantile(services, 0.5),
        service_p95_s=quantile(services, 0.95),
        wait_p95_s=quantile(waited, 0.95),
    )

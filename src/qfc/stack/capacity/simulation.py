"""The queue of a QFieldCloud server as a discrete-event simulation: seconds that each job waits.

The rules are those of the server: a worker takes the oldest job whose project has no active job, so jobs of one project
run one after the other, however many workers there are. Official workers look into the queue every few seconds
(`poll_s`); the node's are woken at once. What a job costs to start (a container, on official servers) is part of its
recorded service time. Retries are recorded jobs of their own.

Left out: locks of projects, and the node's rule that edits overtake the package that waits for them. Both move single
jobs of one project, whose jobs run one after the other anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush

#: In place of a project: a worker that was idle looks into the queue.
LOOK = -1


@dataclass(frozen=True)
class Load:
    """Jobs in order of arrival, as three columns: arrival in seconds, service time in seconds, number of the project.

    `seconds` is the length of the period in which they arrive.
    """

    arrivals: Sequence[float]
    services: Sequence[float]
    projects: Sequence[int]
    seconds: float

    def __len__(self) -> int:
        return len(self.arrivals)

    @property
    def number_of_projects(self) -> int:
        """One more than the highest number of a project."""
        return max(self.projects, default=-1) + 1


def waits(load: Load, workers: int, *, poll_s: float = 0.0, takeover_s: float = 0.0) -> list[float]:
    """Return the seconds that each job waits with so many workers, in order of arrival.

    An idle worker looks into the queue every `poll_s` seconds, counted from the end of its last job. A worker that
    finds a job needs `takeover_s` seconds until it starts.
    """
    if workers < 1:
        raise ValueError("a simulation needs at least one worker")
    if takeover_s > 0:
        longer = replace(load, services=[service + takeover_s for service in load.services])
        return [wait + takeover_s for wait in waits(longer, workers, poll_s=poll_s)]
    return _run(load, workers) if poll_s <= 0 else _run_polling(load, workers, poll_s)


def _run(load: Load, workers: int) -> list[float]:
    """Simulate workers that are woken at once. One loop without calls: it runs for millions of jobs."""
    arrivals, services, projects = load.arrivals, load.services, load.projects
    number, free = len(arrivals), workers
    result = [0.0] * number
    # A project has either no job here, or exactly one that is ready or running; the others wait behind it.
    occupied = bytearray(load.number_of_projects)
    behind: list[deque[int]] = [deque() for _ in range(load.number_of_projects)]
    ready: list[int] = []  # a heap: the lowest index is the oldest job
    running: list[tuple[float, int]] = []  # a heap: when a job ends, and its project
    following = 0
    while following < number or running:
        if running and (following == number or running[0][0] <= arrivals[following]):
            now, project = heappop(running)
            free += 1
            if behind[project]:
                heappush(ready, behind[project].popleft())
            else:
                occupied[project] = 0
        else:
            now, project = arrivals[following], projects[following]
            if occupied[project]:
                behind[project].append(following)
            else:
                occupied[project] = 1
                heappush(ready, following)
            following += 1
        while free and ready:
            job = heappop(ready)
            result[job] = now - arrivals[job]
            free -= 1
            heappush(running, (now + services[job], projects[job]))
    return result


def _run_polling(load: Load, workers: int, poll_s: float) -> list[float]:
    """Simulate workers that look into the queue from time to time. Only looks that may find a job are events."""
    arrivals, services, projects = load.arrivals, load.services, load.projects
    number = len(arrivals)
    result = [0.0] * number
    occupied = bytearray(load.number_of_projects)
    behind: list[deque[int]] = [deque() for _ in range(load.number_of_projects)]
    ready: list[int] = []
    #: When a worker looks, and the project of the job that it ends by then; LOOK if it was idle.
    events: list[tuple[float, int]] = []
    #: When idle workers looked last. At the begin, spread over the interval.
    idle = [-poll_s * index / workers for index in range(workers)]
    following = looks = 0
    while following < number or events:
        if events and (following == number or events[0][0] <= arrivals[following]):
            now, project = heappop(events)
            if project == LOOK:
                looks -= 1
            elif behind[project]:
                heappush(ready, behind[project].popleft())
            else:
                occupied[project] = 0
            if ready:
                job = heappop(ready)
                result[job] = now - arrivals[job]
                heappush(events, (now + services[job], projects[job]))
            else:
                idle.append(now)
        else:
            now, project = arrivals[following], projects[following]
            if occupied[project]:
                behind[project].append(following)
            else:
                occupied[project] = 1
                heappush(ready, following)
            following += 1
        while idle and looks < len(ready):
            last = min(idle, key=lambda seen: (seen - now) % poll_s)
            idle.remove(last)
            heappush(events, (now + (last - now) % poll_s, LOOK))
            looks += 1
    return result

"""What a simulation of the queue costs: `benchmarks/run capacity [JOBS]`, two minutes on two processors.

The baseline of the same run: sorting as many random numbers as there are jobs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from random import Random

from qfc.operations.capacity_simulate import Question, simulated_rounds
from qfc.stack.capacity import History, Load, PastJob, figures, waits

DAY_S, DAYS, PROJECTS = 86400.0, 14, 200


def main() -> None:
    """Measure and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    history = worked(jobs)
    load = Load(
        [job.created_s for job in history.jobs],
        [job.service_s for job in history.jobs],
        [int(job.project) for job in history.jobs],
        history.seconds,
    )
    random = Random(0)
    numbers = [random.random() for _ in range(jobs)]
    baseline = seconds(lambda: sorted(numbers))
    print(f"{'baseline: sorting as many numbers':46} {baseline:8.3f} s   1.0")
    report(f"{jobs:,} jobs, one number of workers", lambda: waits(load, 6), baseline, 2)
    report("the same, workers that look every 5 s", lambda: waits(load, 6, poll_s=5), baseline, 2)
    report("figures of the period", lambda: figures(history), baseline, 5)
    report("1 to 12 workers, 20 rounds", lambda: simulated_rounds(history, Question(), 0.0), baseline, 60)


def worked(jobs: int) -> History:
    """Return two weeks of work, between 6 and 20 o'clock, of projects of unequal size."""
    random = Random(1)
    weights = [1 / (1 + rank) for rank in range(PROJECTS)]
    names = random.choices([str(number) for number in range(PROJECTS)], weights, k=jobs)
    arrivals = sorted(random.randrange(DAYS) * DAY_S + random.uniform(6, 20) * 3600 for _ in range(jobs))
    service_s = 3.0 * DAYS * 14 * 3600 / jobs  # three Erlang while people work
    past = [
        PastJob(name, "package", "someone", at, at, at + random.expovariate(1 / service_s))
        for at, name in zip(arrivals, names, strict=True)
    ]
    return History(past, 0.0, DAYS * DAY_S)


def report(name: str, work: Callable[[], object], baseline: float, target_s: float) -> None:
    """Measure and print one line."""
    taken = seconds(work)
    print(f"{name:46} {taken:8.3f} s {taken / baseline:5.1f}   target {target_s:g} s")


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

"""What to do about the number of workers, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .plan import Plan, Row, Target

#: So many workers more than needed are worth saying.
TOO_MANY = 2
#: What a worker with a job uses of a processor, as operators have measured: two cores hold five workers.
CORES_PER_WORKER = 0.4


@dataclass(frozen=True)
class Room:
    """How many workers a machine holds, and what of it is short: `memory` or `cores`."""

    workers: int
    of: str


def room(memory_workers: int | None, cores: int | None) -> Room | None:
    """Return the tighter of both limits; None where neither is known."""
    known = [Room(memory_workers, "memory")] if memory_workers is not None else []
    known += [Room(int(cores / CORES_PER_WORKER), "cores")] if cores is not None else []
    return min(known, key=lambda one: one.workers, default=None)


def advice(plan: Plan, target: Target, workers: int, names: Sequence[str], most: Room | None = None) -> str:
    """Return the advice for a server that has `workers` now. `names` are the projects that cause the floor.

    `most` is how many workers its machine holds; None where that is not known.
    """
    if plan.floor_target_s >= target.seconds:
        return _no_help(plan, names)
    if plan.workers_for_target is None:
        last = plan.rows[-1]
        return f"Even {last.n} workers miss {target}: {_predicted(last)}. Look at more: --workers 1-{last.n * 2}"
    row = next(row for row in plan.rows if row.n == plan.workers_for_target)
    return f"{_number(row.n)} for {target}: {_predicted(row)}. {_to_type(row.n, workers, most)}"


def _to_type(needed: int, workers: int, most: Room | None) -> str:
    if most is not None and workers < needed > most.workers:
        holds = f"the {most.of} {'hold' if most.of.endswith('s') else 'holds'} {most.workers}"
        return f"There are {workers} now, and {holds}: get more {most.of}, or another machine."
    if workers < needed:
        return f"There are {workers} now. Type: qfc workers scale {needed}"
    if workers >= needed + TOO_MANY:
        return f"There are {workers} now; {workers - needed} fewer would do."
    return f"There are {workers} now, which is right."


def _number(workers: int) -> str:
    return "One worker is enough" if workers == 1 else f"{workers} workers are enough"


def _predicted(row: Row) -> str:
    return f"p95 of the wait {row.wait_p95_s:.0f} s (between {row.low:.0f} and {row.high:.0f} s)"


def _no_help(plan: Plan, names: Sequence[str]) -> str:
    """Say that projects wait for themselves."""
    who = ", ".join(names) or "single projects"
    return (
        "More workers will not help: jobs of one project run one after the other. With any number of workers, p95 of "
        f"the wait is {plan.floor_p95_s:.0f} s, because of {who}. Split these projects, or make their packages smaller."
    )

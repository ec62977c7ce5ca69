"""What to do about the number of workers, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from .plan import Plan, Row, Target

#: So many workers more than needed are worth saying.
TOO_MANY = 2


def advice(plan: Plan, target: Target, workers: int, names: Sequence[str], most: int | None = None) -> str:
    """Return the advice for a server that has `workers` now. `names` are the projects that cause the floor.

    `most` is how many workers its memory holds; None where that is not known.
    """
    if plan.floor_target_s >= target.seconds:
        return _no_help(plan, names)
    if plan.workers_for_target is None:
        last = plan.rows[-1]
        return f"Even {last.n} workers miss {target}: {_predicted(last)}. Look at more: --workers 1-{last.n * 2}"
    row = next(row for row in plan.rows if row.n == plan.workers_for_target)
    return f"{_number(row.n)} for {target}: {_predicted(row)}. {_to_type(row.n, workers, most)}"


def _to_type(needed: int, workers: int, most: int | None) -> str:
    if most is not None and workers < needed > most:
        return f"There are {workers} now, and the memory holds {most}: get more memory, or another machine."
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

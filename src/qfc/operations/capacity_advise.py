"""How many workers are needed now and later."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..stack.capacity import Backtest, Served, advice, backtest, growth_in, growth_per_day, pickup, plan, served
from ..stack.ports import Ports
from .capacity_history import history_of, poll_s_of
from .capacity_machine import machine
from .capacity_simulate import Question, check, simulated_rounds
from .workers_list import worker_service

#: The days from now that an advice is given for.
LATER_DAYS = (0, 30, 90)


@dataclass(frozen=True)
class Outlook:
    """The advice for a moment `in_days` from now, when there is `growth` times the recorded work.

    `workers_for_target` is None where no number of workers meets the target; `wait_p95_s` is the wait with the number
    that there is now.
    """

    in_days: int
    growth: float
    workers_for_target: int | None
    wait_p95_s: float
    advice: str


@dataclass(frozen=True)
class Advised:
    """The advice for now and for later. `growth_per_day` is None, and later is left out, where no trend is known.

    `most_workers` is how many the machine holds, for lack of what `limit` names (memory, cores); None where that is not
    known. `agents` compares a rule of thumb with the people of this server, of whom `people` made jobs.
    """

    target: str
    now: int
    most_workers: int | None
    limit: str | None
    people: int
    agents: tuple[Served, ...]
    growth_per_day: float | None
    outlook: tuple[Outlook, ...]
    backtest: Backtest


def capacity_advise(ports: Ports, question: Question) -> Advised:
    """Say how many workers are needed now, in 30 and in 90 days. Raises TooLittleError."""
    check(question)
    history, poll_s = history_of(ports, question.days), poll_s_of(ports)
    now = worker_service(ports).wanted
    most = machine(ports).room
    per_day = growth_per_day(history)
    asked = replace(question, numbers=sorted({*question.numbers, max(now, 1)}))
    moments = (0,) if per_day is None else LATER_DAYS

    def outlook(days: int) -> Outlook:
        growth = growth_in(per_day or 1.0, days)
        found = plan(simulated_rounds(history, replace(asked, growth=growth), poll_s), question.target)
        named = ports.jobs.project_names(found.floor_projects)
        text = advice(found, question.target, now, [named.get(one, one) for one in found.floor_projects], most)
        wait = next(row.wait_p95_s for row in found.rows if row.n == max(now, 1))
        return Outlook(days, growth, found.workers_for_target, wait, text)

    return Advised(
        target=str(question.target),
        now=now,
        most_workers=most and most.workers,
        limit=most and most.of,
        people=history.authors,
        agents=served(history, question.target, pickup(history, poll_s)),
        growth_per_day=per_day,
        outlook=tuple(map(outlook, moments)),
        backtest=backtest(history, max(now, 1), poll_s=poll_s),
    )

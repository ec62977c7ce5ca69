"""How long jobs would wait with other numbers of workers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from ..errors import UsageError
from ..stack.capacity import (
    Backtest,
    Growth,
    History,
    Pickup,
    Round,
    Row,
    Target,
    advice,
    backtest,
    one_round,
    pickup,
    plan,
)
from ..stack.ports import Ports
from .capacity_history import Observed, history_of, observed, poll_s_of
from .workers_list import worker_service

MOST_WORKERS, MOST_ROUNDS = 64, 1000
#: More simulated jobs than these are shared between processors: starting a process takes a second.
SHARED = 5_000_000
DEFAULT_TARGET = Target()


@dataclass(frozen=True)
class Question:
    """What is asked: numbers of workers, more work, a target, and how much of the past to use.

    `agents` scales the work to so many people; `rounds` is how many periods are drawn.
    """

    numbers: Sequence[int] = tuple(range(1, 13))
    growth: float = 1.0
    projects: int = 0
    agents: int | None = None
    target: Target = DEFAULT_TARGET
    days: float = 14.0
    rounds: int = 20
    seed: int = 1


@dataclass(frozen=True)
class Simulated:
    """The comparison of numbers of workers. `floor_projects` are ids; `projects` their names by id.

    `now` is the number of workers that the stack has. `backtest` tells whether to trust the advice.
    """

    observed: Observed
    workers: tuple[Row, ...]
    floor_p95_s: float
    floor_projects: tuple[str, ...]
    projects: Mapping[str, str]
    workers_for_target: int | None
    now: int
    target: str
    advice: str
    backtest: Backtest


def capacity_simulate(ports: Ports, question: Question) -> Simulated:
    """Compare numbers of workers. Raises TooLittleError where too little is recorded."""
    check(question)
    history = history_of(ports, question.days)
    poll_s = poll_s_of(ports)
    now = worker_service(ports).wanted
    found = plan(simulated_rounds(history, question, poll_s), question.target)
    named = ports.jobs.project_names(found.floor_projects)
    return Simulated(
        observed=observed(history),
        workers=found.rows,
        floor_p95_s=found.floor_p95_s,
        floor_projects=found.floor_projects,
        projects=named,
        workers_for_target=found.workers_for_target,
        now=now,
        target=str(question.target),
        advice=advice(found, question.target, now, [named.get(one, one) for one in found.floor_projects]),
        backtest=backtest(history, max(now, 1), poll_s=poll_s),
    )


def check(question: Question) -> None:
    """Raise UsageError for a question that has no answer."""
    if not question.numbers or not 1 <= min(question.numbers) <= max(question.numbers) <= MOST_WORKERS:
        raise UsageError(
            "These numbers of workers are not possible.", hint=f"Give --workers 1-12, up to {MOST_WORKERS}."
        )
    if not 1 <= question.rounds <= MOST_ROUNDS:
        raise UsageError(f"{question.rounds} rounds are not possible.", hint=f"Give 1 to {MOST_ROUNDS}.")
    if question.growth <= 0 or question.projects < 0 or (question.agents is not None and question.agents < 1):
        raise UsageError("Growth, projects and agents must be positive.")


def simulated_rounds(history: History, question: Question, poll_s: float) -> list[Round]:
    """Simulate all rounds, on all processors if that is quicker."""
    seeds = range(question.seed, question.seed + question.rounds)
    asked = _Asked(history, question, _growth(history, question), pickup(history, poll_s))
    simulated = len(history.jobs) * len(question.numbers) * question.rounds
    if simulated < SHARED:
        return [asked.round(seed) for seed in seeds]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_keep, initargs=(asked,)) as pool:
        return list(pool.map(_kept_round, seeds))


def _growth(history: History, question: Question) -> Growth:
    by_people = question.agents / max(history.authors, 1) if question.agents else 1.0
    return Growth(question.growth * by_people, question.projects)


@dataclass(frozen=True)
class _Asked:
    """What every round of a simulation is made of."""

    history: History
    question: Question
    growth: Growth
    pickup: Pickup

    def round(self, seed: int) -> Round:
        return one_round(self.history, self.question.numbers, self.question.target, self.growth, self.pickup, seed)


#: In a process of the pool: what it was started for.
_kept: list[_Asked] = []


def _keep(asked: _Asked) -> None:
    _kept[:] = [asked]


def _kept_round(seed: int) -> Round:
    return _kept[0].round(seed)

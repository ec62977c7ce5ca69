"""How many workers a stack needs: what it has worked, what other numbers of workers would do, and advice."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

from ..errors import UsageError
from ..stack.capacity import (
    Backtest,
    Figures,
    Growth,
    History,
    Round,
    Row,
    Target,
    advice,
    backtest,
    figures,
    growth_in,
    growth_per_day,
    one_round,
    plan,
    quantile,
)
from ..stack.capacity.report import MOST_PROJECTS
from ..stack.capacity.resampling import FEWEST_JOBS
from ..stack.model import Capability
from ..stack.ports import Ports
from .sync_recent import success_rate
from .workers_list import worker_service

#: Workers of official servers look into the queue so often; those of the node are woken.
POLL_S = 5.0
MOST_WORKERS, MOST_ROUNDS, MOST_DAYS = 64, 1000, 3650
#: More simulated jobs than these are shared between processors: starting a process takes a second.
SHARED = 5_000_000
DEFAULT_TARGET = Target()
#: The days from now that an advice is given for.
LATER_DAYS = (0, 30, 90)


@dataclass(frozen=True)
class Observed:
    """What was recorded: ended jobs, hours, arrivals per hour, seconds of work and of waiting."""

    jobs: int
    hours: float
    arrival_per_h: float
    service_p50_s: float
    service_p95_s: float
    wait_p95_s: float


@dataclass(frozen=True)
class Simulated:
    """The comparison of numbers of workers. `floor_projects` are ids; `projects` their names by id.

    `now` is the number of workers that the stack has. `is_sound` is false where the back-test says that the numbers
    explain the last day badly, or where it could not be made.
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

    @property
    def is_sound(self) -> bool:
        """Whether the advice can be trusted."""
        return self.backtest.trusted is True


@dataclass(frozen=True)
class Report:
    """What a stack has worked in `days` days, of which `recorded_days` have jobs.

    `workers` is the number that it has, `utilisation` the share of their time that jobs would have used.
    `success_rate` is None when nothing ended; `missing` says what a sound answer would need.
    """

    days: float
    recorded_days: float
    observed: Observed
    figures: Figures
    workers: int
    utilisation: float | None
    success_rate: float | None
    missing: tuple[str, ...]


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

    `most_workers` is how many the memory holds; None where that is not known.
    """

    target: str
    now: int
    most_workers: int | None
    growth_per_day: float | None
    outlook: tuple[Outlook, ...]
    backtest: Backtest


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


def history_of(ports: Ports, days: float) -> History:
    """Return what a stack worked in the last days, or since its first job where it is younger."""
    if not 0 < days <= MOST_DAYS:
        raise UsageError(f"Cannot look back {days:g} days.", hint=f"Give more than 0, at most {MOST_DAYS}.")
    now = ports.clock.now()
    jobs = ports.jobs.worked(since=now - timedelta(days=days))
    begin = jobs[0].created_s if jobs else now.timestamp()
    return History(jobs, begin, max(now.timestamp(), jobs[-1].created_s) if jobs else begin)


def capacity_simulate(ports: Ports, question: Question) -> Simulated:
    """Compare numbers of workers. Raises TooLittleError where too little is recorded."""
    _check(question)
    history = history_of(ports, question.days)
    poll_s = _poll_s(ports)
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


def capacity_advise(ports: Ports, question: Question) -> Advised:
    """Say how many workers are needed now, in 30 and in 90 days. Raises TooLittleError."""
    _check(question)
    history, poll_s = history_of(ports, question.days), _poll_s(ports)
    now = worker_service(ports).wanted
    most = ports.deployment.memory().most_workers if ports.offers(Capability.CONTAINERS) else None
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
        most_workers=most,
        growth_per_day=per_day,
        outlook=tuple(map(outlook, moments)),
        backtest=backtest(history, max(now, 1), poll_s=poll_s),
    )


def capacity_report(ports: Ports, *, days: float = 14.0) -> Report:
    """Return what a stack has worked in the last days."""
    history = history_of(ports, days)
    workers = worker_service(ports).wanted
    worst = list(history.loads)[:MOST_PROJECTS]
    statistics = ports.jobs.statistics(since=ports.clock.now() - timedelta(days=days))
    return Report(
        days=days,
        recorded_days=history.days,
        observed=observed(history),
        figures=figures(history, ports.jobs.project_names(worst)),
        workers=workers,
        utilisation=history.load / workers if workers else None,
        success_rate=success_rate(statistics),
        missing=_missing(history, days),
    )


def _missing(history: History, days: float) -> tuple[str, ...]:
    """Return what is missing for a sound answer."""
    found: list[str] = []
    if history.days < days - 1:
        found.append(f"{history.days:.1f} of {days:g} days are recorded; two weeks show the shape of a week.")
    if len(history.jobs) < FEWEST_JOBS:
        found.append(f"{len(history.jobs)} jobs are too few to predict anything from: {FEWEST_JOBS} at least.")
    return tuple(found)


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


def _poll_s(ports: Ports) -> float:
    return POLL_S if ports.offers(Capability.CONTAINERS) else 0.0


def _check(question: Question) -> None:
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
    asked = _Asked(history, question, _growth(history, question), poll_s)
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
    poll_s: float

    def round(self, seed: int) -> Round:
        return one_round(self.history, self.question.numbers, self.question.target, self.growth, self.poll_s, seed)


#: In a process of the pool: what it was started for.
_kept: list[_Asked] = []


def _keep(asked: _Asked) -> None:
    _kept[:] = [asked]


def _kept_round(seed: int) -> Round:
    return _kept[0].round(seed)

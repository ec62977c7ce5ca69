"""A load test: people in the field against the real API, with one number of workers after the other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from ...errors import QfcError, RefusedError, UsageError
from ...stack import drains
from ...stack.capacity import HEAVY, Level, PastJob, Profile, level, quantile, shares, slowed
from ...stack.ports import Ports
from ...stack.waiting import wait_until
from ..capacity_history import poll_s_of
from ..guard import Guard, Options, guarded
from ..probe import ProbeProject, session, some_superuser
from ..queue_change import count
from ..status import require_running
from ..workers_change import MAXIMUM, require_room
from ..workers_list import SERVICE, worker_service
from . import projects
from .agents import Diary, FieldAgent, work_together
from .projects import OPERATION, PREFIX, Left

MOST_AGENTS, MOST_PACE = 500, 1000
#: Of all numbers of workers together: the token of the test expires after twelve hours.
MOST_MINUTES = 8 * 60
#: So many people share a project, on average.
PER_PROJECT = 4
#: Seconds until workers that were started are ready for jobs.
START_S = 120.0


@dataclass(frozen=True)
class LoadTest:
    """What is tried: numbers of workers, minutes with each, people and their projects.

    People think `pace` times as fast as their profile says. `yes_really` is the name of a stack that others use, typed
    by somebody who wants to load it all the same.
    """

    numbers: Sequence[int] = (1, 2, 4)
    minutes: float = 5.0
    agents: int = 20
    profile: Profile = HEAVY
    pace: float = 1.0
    projects: int | None = None
    yes_really: str | None = None

    @property
    def people(self) -> tuple[int, ...]:
        """How many people work on each project."""
        return shares(self.agents, self.projects or -(-self.agents // PER_PROJECT))


@dataclass(frozen=True)
class Step:
    """A number of workers under load, as the jobs show it and as the people felt it.

    `syncs` are the synchronisations that people ended. Half and 95 % took at most so many seconds; those that were not
    over at the end count with what they had lasted, and without any there is no number. `problems` counts those that
    failed; `problem` is the first reason.
    """

    jobs: Level
    syncs: int
    sync_p50_s: float | None
    sync_p95_s: float | None
    problems: int
    problem: str | None


@dataclass(frozen=True)
class Benchmarked:
    """The result of a load test. `remark` says what the numbers hide, None where they hide nothing."""

    agents: int
    projects: int
    profile: str
    pace: float
    minutes: float
    levels: tuple[Step, ...]
    remark: str | None
    dry_run: bool
    steps: tuple[str, ...]


def capacity_benchmark(ports: Ports, test: LoadTest, options: Options) -> Benchmarked:
    """Load a stack with one number of workers after the other; everything is as before when it ends.

    Raises RefusedError for a stack that other people use.
    """
    _check(test)
    require_running(ports)
    _require_own(ports, test)
    require_room(ports, max(test.numbers))
    with guarded(ports, OPERATION, target=ports.name, options=options) as guard:
        _tidy(ports, guard)
        _require_idle(ports)
        levels = _levels(ports, test, guard)
        guard.result = f"{count(test.agents, 'agent')}, workers {', '.join(map(str, test.numbers))}"
    return Benchmarked(
        agents=test.agents,
        projects=len(test.people),
        profile=test.profile.name,
        pace=test.pace,
        minutes=test.minutes,
        levels=levels,
        remark=_remark([one.jobs for one in levels]),
        dry_run=guard.dry_run,
        steps=guard.steps,
    )


def _tidy(ports: Ports, guard: Guard) -> None:
    """Remove the projects of a killed load test that no command since then could remove."""
    left = projects.leftovers(ports)
    if left and guard.step(f"Remove {count(len(left.projects), 'project')} of an earlier load test"):
        projects.remove_leftovers(ports, left)


def _levels(ports: Ports, test: LoadTest, guard: Guard) -> tuple[Step, ...]:
    owner = some_superuser(ports)
    left = Left(owner, _names(test), worker_service(ports).wanted)
    if not guard.step(f"Create {count(len(left.projects), 'project')} of {owner}"):
        _plan(test, left, guard)
        return ()
    with projects.temporary(ports, left, guard.report), session(ports, owner) as (_, token):
        made = [projects.create(ports, token, owner, name) for name in left.projects]
        return tuple(_level(ports, test, made, number, guard) for number in test.numbers)


def _plan(test: LoadTest, left: Left, guard: Guard) -> None:
    for number in test.numbers:
        guard.step(_sentence(test, number))
    guard.step(f"Remove the projects; back to {count(left.workers, 'worker')}")


def _sentence(test: LoadTest, number: int) -> str:
    return f"{count(test.agents, 'agent')} and {count(number, 'worker')}, {test.minutes:g} min"


def _level(ports: Ports, test: LoadTest, made: Sequence[ProbeProject], number: int, guard: Guard) -> Step:
    """Set the number of workers, warm them up, let people work, read what the jobs took."""
    _scale(ports, number)
    _warm_up(ports, made, number)
    began_s = _newest_s(ports, made)
    guard.step(_sentence(test, number))
    diary = _work(test, made)
    projects.settle(ports, made)
    new = [job for job in _jobs(ports, made) if job.created_s > began_s]
    if not new:
        raise QfcError(
            f"Nobody synchronised in {test.minutes:g} min.", hint="Give more minutes, more agents or a higher --pace."
        )
    return step_of(level(new, number, poll_s=poll_s_of(ports)), diary)


def _scale(ports: Ports, number: int) -> None:
    ports.runtime.scale(SERVICE, number)
    if not wait_until(ports.clock, lambda: worker_service(ports).running == number, limit_s=START_S, poll_s=0.5):
        running = worker_service(ports).running
        raise QfcError(f"{running} of {count(number, 'worker')} run.", hint="See: qfc workers list")


def _warm_up(ports: Ports, made: Sequence[ProbeProject], number: int) -> None:
    """Give each worker a first job, which takes longer than all others."""
    for project in (*made, *made)[: max(number, len(made))]:
        project.start_job("package")
    projects.settle(ports, made)


def _work(test: LoadTest, made: Sequence[ProbeProject]) -> Diary:
    over, every_s = Event(), test.profile.every_s / test.pace
    agents = [
        FieldAgent(project, f"agent-{rank}-{number}", every_s, over)
        for rank, (project, people) in enumerate(zip(made, test.people, strict=True))
        for number in range(people)
    ]
    return work_together(agents, over, test.minutes * 60)


def _newest_s(ports: Ports, made: Sequence[ProbeProject]) -> float:
    """Return when the newest job of our projects was created, by the database's clock, whatever became of it."""
    newest = [job for project in made for job in ports.jobs.jobs(project_id=project.id, limit=1)]
    return max((job.created_at.timestamp() for job in newest), default=0.0)


def _jobs(ports: Ports, made: Sequence[ProbeProject]) -> list[PastJob]:
    """Return the ended jobs of our projects, in order of their creation."""
    ours = {project.id for project in made}
    since = ports.clock.now() - timedelta(days=1)
    return [job for job in ports.jobs.worked(since=since) if job.project in ours]


def step_of(jobs: Level, diary: Diary) -> Step:
    """Return what the jobs and the people show of a number of workers."""
    lasted = sorted([*diary.syncs, *diary.unfinished])
    return Step(
        jobs=jobs,
        syncs=len(diary.syncs),
        sync_p50_s=quantile(lasted, 0.5) if lasted else None,
        sync_p95_s=quantile(lasted, 0.95) if lasted else None,
        problems=len(diary.problems),
        problem=diary.problems[0] if diary.problems else None,
    )


def _remark(levels: Sequence[Level]) -> str | None:
    late = slowed(levels)
    if late is None:
        return None
    first = min(levels, key=lambda one: one.n)
    times = late.service_p50_s / first.service_p50_s
    return (
        f"A job takes {times:.1f} × as long with {late.n} workers as with {first.n}: the workers share the processors. "
        "More workers need more cores."
    )


def _names(test: LoadTest) -> tuple[str, ...]:
    mark = secrets.token_hex(3)
    return tuple(f"{PREFIX}-{mark}-{number}" for number in range(1, len(test.people) + 1))


def _check(test: LoadTest) -> None:
    """Raise UsageError for a test that cannot be made."""
    if not test.numbers or not 1 <= min(test.numbers) <= max(test.numbers) <= MAXIMUM:
        raise UsageError("These numbers of workers are not possible.", hint=f"Give --workers 1,2,4, up to {MAXIMUM}.")
    if not 1 <= test.agents <= MOST_AGENTS:
        raise UsageError(f"{test.agents} agents are not possible.", hint=f"Give 1 to {MOST_AGENTS}.")
    if not 0 < test.pace <= MOST_PACE:
        raise UsageError(f"A pace of {test.pace:g} is not possible.", hint=f"Give more than 0, at most {MOST_PACE}.")
    if test.minutes <= 0 or (test.projects is not None and test.projects < 1):
        raise UsageError("Minutes and projects must be positive.")
    numbers = len(test.numbers)
    if not test.minutes * numbers <= MOST_MINUTES:
        raise UsageError(
            f"{test.minutes:g} minutes with each of {count(numbers, 'number')} of workers are more than 8 hours.",
            hint=f"Give --minutes {MOST_MINUTES // numbers} at most, or fewer numbers.",
        )


def _require_own(ports: Ports, test: LoadTest) -> None:
    """Refuse a stack with projects of people, unless its name was typed."""
    if test.yes_really is not None and test.yes_really != ports.name:
        raise UsageError(f"This stack is {ports.name}, not {test.yes_really}; nothing was done.")
    others = [one for one in ports.directory.projects() if PREFIX not in one.name]
    if others and test.yes_really is None:
        raise RefusedError(
            f"{ports.name} has {count(len(others), 'project')} of people, whose jobs would wait for those of the test.",
            hint=f"Use an empty stack: qfc init NAME. Or, if you know better: --yes-really {ports.name}",
        )


def _require_idle(ports: Ports) -> None:
    """Refuse to change the number of workers while jobs wait or run, which would be measured too, or in a drain."""
    drained = drains.read(ports.records)
    if drained is not None:
        raise RefusedError(drained.sentence, hint=drains.FIX)
    depth = ports.workload.depth()
    active = depth.pending + depth.queued + depth.started
    if active:
        raise RefusedError(f"{count(active, 'job')} wait or run.", hint="Try again later. Type: qfc sync queue")

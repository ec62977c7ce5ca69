"""`qfc capacity` on a stack in memory."""

from __future__ import annotations

import pytest

from qfc.cli.bars import bars
from qfc.cli.capacity import target_of
from qfc.cli.numbers import numbers_of
from qfc.errors import RefusedError, UsageError
from qfc.operations.capacity_advise import capacity_advise
from qfc.operations.capacity_report import capacity_report
from qfc.operations.capacity_simulate import Question, capacity_simulate
from qfc.stack.capacity import Target
from queue_world import MemoryWorld, moment
from twins import MemoryPorts, memory_stack


@pytest.fixture
def ports() -> MemoryPorts:
    stack = memory_stack()
    stack.clock.moment = moment()
    stack.runtime.start(None)
    return stack


def work(ports: MemoryPorts, *, minutes: float) -> str:
    """Record a job of so many minutes every 20 minutes, for four days; return their project."""
    world = MemoryWorld(ports.jobs, ports.directory)
    project = world.project("survey")
    for number in range(4 * 24 * 3):
        made = 4 * 24 * 60 - number * 20.0
        world.job(project, "finished", made=made, started=made - 0.1, ended=made - 0.1 - minutes)
    return project


def test_a_stack_is_simulated_with_names_and_its_own_number_of_workers(ports: MemoryPorts) -> None:
    project = work(ports, minutes=15)
    result = capacity_simulate(ports, Question(numbers=range(1, 4), rounds=4))
    assert [row.n for row in result.workers] == [1, 2, 3]
    assert result.now == 2
    assert result.observed.jobs == 288
    assert result.observed.service_p50_s == pytest.approx(900)
    # Double the work is 90 minutes in an hour for one project.
    doubled = capacity_simulate(ports, Question(numbers=range(1, 4), rounds=4, growth=2))
    assert doubled.floor_projects == (project,)
    assert doubled.projects == {project: "alice/survey"}
    assert "because of alice/survey" in doubled.advice
    assert doubled.workers_for_target is None


def test_agents_scale_the_work(ports: MemoryPorts) -> None:
    work(ports, minutes=1)
    ten = capacity_simulate(ports, Question(numbers=[2], rounds=2, agents=10))
    one = capacity_simulate(ports, Question(numbers=[2], rounds=2, agents=1))
    assert ten.workers[0].utilisation == pytest.approx(10 * one.workers[0].utilisation, rel=0.1)


def test_a_report_says_what_is_missing(ports: MemoryPorts) -> None:
    work(ports, minutes=15)
    result = capacity_report(ports)
    assert result.figures.load == pytest.approx(0.75, rel=0.05)
    assert result.utilisation == pytest.approx(0.375, rel=0.05)
    assert result.missing[0].startswith("4.0 of 14 days are recorded")
    assert capacity_report(ports, days=4).missing == ()


def test_advice_is_for_now_where_no_trend_is_known(ports: MemoryPorts) -> None:
    work(ports, minutes=5)
    result = capacity_advise(ports, Question(rounds=4))
    assert [one.in_days for one in result.outlook] == [0]
    assert result.outlook[0].workers_for_target == 1
    assert result.growth_per_day is None


def test_advice_looks_ahead_at_the_growth_that_was_seen(ports: MemoryPorts) -> None:
    world = MemoryWorld(ports.jobs, ports.directory)
    for number in range(600):
        project = world.project(f"survey {number % 20}")
        made = (number * 20.0) if number < 400 else 8000 + (number - 400) * 70.0
        world.job(project, "finished", made=made, started=made - 0.1, ended=made - 5)
    result = capacity_advise(ports, Question(rounds=2, days=28, numbers=[1, 2]))
    assert [one.in_days for one in result.outlook] == [0, 30, 90]
    assert result.outlook[1].growth > 2
    assert result.outlook[2].growth == 10
    assert result.outlook[2].wait_p95_s > result.outlook[0].wait_p95_s


def test_an_empty_stack_has_a_report_and_no_prediction(ports: MemoryPorts) -> None:
    assert capacity_report(ports).observed.jobs == 0
    with pytest.raises(RefusedError, match="0 jobs"):
        capacity_simulate(ports, Question())


@pytest.mark.parametrize(
    "question",
    [
        Question(numbers=[0]),
        Question(numbers=[65]),
        Question(numbers=[]),
        Question(rounds=0),
        Question(growth=0),
        Question(projects=-1),
        Question(agents=0),
        Question(days=0),
    ],
)
def test_impossible_questions_are_refused(ports: MemoryPorts, question: Question) -> None:
    with pytest.raises(UsageError):
        capacity_simulate(ports, question)


def test_what_operators_type_is_read() -> None:
    assert numbers_of("1-4") == (1, 2, 3, 4)
    assert numbers_of("8, 2,4") == (2, 4, 8)
    assert target_of("p95<60s") == Target(0.95, 60)
    assert target_of("p99 < 2 min") == Target(0.99, 120)
    for wrong in ("", "many", "1-", "-3"):
        with pytest.raises(UsageError):
            numbers_of(wrong)
    for wrong in ("60s", "p0<60s", "p95>60s", "p95<"):
        with pytest.raises(UsageError):
            target_of(wrong)


def test_bars_show_proportions() -> None:
    assert bars([0, 1, 4, 8]) == " ▁▄█"
    assert bars([]) == ""

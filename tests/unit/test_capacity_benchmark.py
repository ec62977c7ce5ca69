"""What `qfc capacity benchmark` refuses, plans and recovers. The load itself is in test_cli_lifecycle.py."""

from __future__ import annotations

import pytest

from qfc.errors import NotRunningError, RefusedError, UsageError
from qfc.operations.benchmark.projects import OPERATION, Left, recover
from qfc.operations.benchmark.run import LoadTest, capacity_benchmark
from qfc.operations.guard import Options
from qfc.operations.workers_list import worker_service
from qfc.stack import drains, journal
from qfc.stack.model import User
from queue_world import MemoryWorld, moment
from twins import MemoryPorts, memory_stack

PLAN = Options(dry_run=True)


@pytest.fixture
def ports() -> MemoryPorts:
    stack = memory_stack()
    stack.clock.moment = moment()
    stack.runtime.start(None)
    stack.directory.user_rows["boss"] = User("boss", "boss@example.org", "person", True, True, None, 0, None)
    return stack


def test_a_dry_run_plans_and_changes_nothing(ports: MemoryPorts) -> None:
    result = capacity_benchmark(ports, LoadTest(numbers=(1, 4), minutes=2, agents=9), PLAN)
    assert result.steps == (
        "Create 3 projects of boss",
        "9 agents and 1 worker, 2 min",
        "9 agents and 4 workers, 2 min",
        "Remove the projects; back to 2 workers",
    )
    assert journal.read(ports.records) is None


def test_a_stack_of_other_people_is_refused_unless_its_name_is_typed(ports: MemoryPorts) -> None:
    MemoryWorld(ports.jobs, ports.directory).project("survey")
    with pytest.raises(RefusedError, match="memory has 1 project of people") as refused:
        capacity_benchmark(ports, LoadTest(), PLAN)
    assert refused.value.hint.endswith("--yes-really memory")
    with pytest.raises(UsageError, match="not other"):
        capacity_benchmark(ports, LoadTest(yes_really="other"), PLAN)
    assert capacity_benchmark(ports, LoadTest(yes_really="memory"), PLAN).dry_run


def test_a_stack_that_works_is_not_measured(ports: MemoryPorts) -> None:
    world = MemoryWorld(ports.jobs, ports.directory)
    world.job(world.project("survey"), "pending", made=1)
    with pytest.raises(RefusedError, match="1 job"):
        capacity_benchmark(ports, LoadTest(yes_really="memory"), Options())


def test_drained_workers_stay_drained(ports: MemoryPorts) -> None:
    drains.write(ports.records, drains.Drain("bob", moment()))
    with pytest.raises(RefusedError, match="bob drained the workers"):
        capacity_benchmark(ports, LoadTest(), Options())


def test_a_stopped_stack_is_refused() -> None:
    with pytest.raises(NotRunningError):
        capacity_benchmark(memory_stack(), LoadTest(), PLAN)


def test_a_number_of_workers_that_a_killed_test_left_is_put_back(ports: MemoryPorts) -> None:
    left = Left("alice", ("qfc-benchmark-1",), 2)
    journal.write(ports.records, journal.Entry(OPERATION, {**vars(left)}))
    ports.runtime.scale("worker_wrapper", 4)
    told: list[str] = []
    entry = journal.read(ports.records)
    assert entry is not None
    recover(ports, entry.record, told.append)
    assert worker_service(ports).wanted == 2
    assert told == ["Remove 1 project of the load test; back to 2 workers"]
    assert journal.read(ports.records) is None


@pytest.mark.parametrize(
    "test",
    [
        LoadTest(numbers=()),
        LoadTest(numbers=(0,)),
        LoadTest(numbers=(65,)),
        LoadTest(minutes=0),
        LoadTest(agents=0),
        LoadTest(agents=501),
        LoadTest(pace=0),
        LoadTest(projects=0),
    ],
)
def test_impossible_tests_are_refused(ports: MemoryPorts, test: LoadTest) -> None:
    with pytest.raises(UsageError):
        capacity_benchmark(ports, test, PLAN)

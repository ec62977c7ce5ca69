"""What `qfc capacity benchmark` refuses, plans and recovers. The load itself is in test_cli_lifecycle.py."""

from __future__ import annotations

from io import StringIO
from threading import Event
from time import monotonic

import pytest

from qfc.cli.capacity_benchmark import write_benchmarked
from qfc.cli.output import Writer
from qfc.errors import NotRunningError, QfcError, RefusedError, UsageError
from qfc.operations.benchmark.agents import Diary, FieldAgent, work_together
from qfc.operations.benchmark.projects import OPERATION, Left, leftovers, recover
from qfc.operations.benchmark.run import Benchmarked, LoadTest, capacity_benchmark, step_of
from qfc.operations.down import down
from qfc.operations.guard import Options
from qfc.operations.probe import ProbeProject
from qfc.operations.up import up
from qfc.operations.workers_list import worker_service
from qfc.stack import drains, journal
from qfc.stack.capacity import PastJob, level
from qfc.stack.model import ApiRequest, User
from queue_world import MemoryWorld, moment
from twins import MemoryPorts, memory_stack

PLAN = Options(dry_run=True)
LEVEL = level([PastJob("p", "package", "a", 0.0, 1.0, 2.0), PastJob("p", "package", "a", 3.0, 4.0, 5.0)], 1)


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


def killed(ports: MemoryPorts) -> str:
    """Leave what a killed load test leaves, on a server that removes nothing; return the id of its project."""
    world = MemoryWorld(ports.jobs, ports.directory)
    world.person("alice")
    project = world.project("qfc-benchmark-1")
    ports.api.handler = lambda request: (502, b"") if request.method == "DELETE" else (404, b"{}")
    ports.runtime.scale("worker_wrapper", 4)
    journal.write(ports.records, journal.Entry(OPERATION, vars(Left("alice", ("qfc-benchmark-1",), 2))))
    return project


def test_a_server_that_removes_nothing_keeps_nobody_from_a_repair(ports: MemoryPorts) -> None:
    killed(ports)
    told: list[str] = []
    up(ports, Options(report=told.append))
    assert told[1].startswith("The next capacity benchmark removes 1 project of the load test: The server answered 502")
    assert worker_service(ports).wanted == 2
    assert journal.read(ports.records) is None
    assert leftovers(ports) == Left("alice", ("qfc-benchmark-1",), 2)


def test_a_job_that_never_ends_delays_a_repair_by_seconds(ports: MemoryPorts) -> None:
    world = MemoryWorld(ports.jobs, ports.directory)
    world.job(killed(ports), "started", started=1)
    began = ports.clock.now()
    up(ports, Options())
    assert (ports.clock.now() - began).total_seconds() < 25
    assert leftovers(ports) is not None


def test_nothing_is_started_for_the_removal(ports: MemoryPorts) -> None:
    killed(ports)
    ports.runtime.stop(None)
    ports.api.up = False
    ports.runtime.lines.clear()
    down(ports, Options())
    assert ports.runtime.lines == []
    assert leftovers(ports) is not None


def test_workers_that_cannot_be_put_back_keep_nobody_from_a_repair(
    ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(ports)

    def refuse(name: str, count: int) -> None:
        raise QfcError(f"{name} has no {count}.")

    monkeypatch.setattr(ports.runtime, "scale", refuse)
    told: list[str] = []
    up(ports, Options(report=told.append))
    assert told[1] == "The workers stay as they are: worker_wrapper has no 2. Type: qfc workers scale 2"


def test_the_next_load_test_removes_what_is_left(ports: MemoryPorts) -> None:
    project = killed(ports)
    up(ports, Options())
    test = LoadTest(numbers=(1,))
    assert capacity_benchmark(ports, test, PLAN).steps[0] == "Remove 1 project of an earlier load test"
    with pytest.raises(QfcError, match="answered 502 to the removal"):
        capacity_benchmark(ports, test, Options())
    asked: list[str] = []

    def removes(request: ApiRequest) -> tuple[int, bytes]:
        asked.append(f"{request.method} {request.path}")
        return (204, b"") if request.method == "DELETE" else (404, b"{}")

    ports.api.handler = removes
    with pytest.raises(QfcError, match="answered 404"):  # the projects of the new test: this server makes none
        capacity_benchmark(ports, test, Options())
    assert asked[0] == f"DELETE /api/v1/projects/{project}/"
    assert leftovers(ports) is None


def accepting(ports: MemoryPorts) -> None:
    """Let the server accept everything; no request makes a job, and the project file has been read."""
    world = MemoryWorld(ports.jobs, ports.directory)
    world.job(world.project("qfc-benchmark-1"), "finished", type="process_projectfile", started=2, ended=1)
    project = next(one.id for one in ports.directory.projects())
    ports.api.handler = lambda _: (200, f'{{"id": "{project}"}}'.encode())


def test_workers_that_do_not_come_are_told_not_measured(ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> None:
    accepting(ports)
    monkeypatch.setattr(ports.runtime, "scale", lambda *_: None)
    with pytest.raises(QfcError, match=r"^2 of 4 workers run\.$"):
        capacity_benchmark(ports, LoadTest(numbers=(4,), minutes=0.001, agents=1), Options())


def test_jobs_that_do_not_end_are_not_counted_in_the_next_level(
    ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepting(ports)
    project = next(one.id for one in ports.directory.projects())
    world, scale = MemoryWorld(ports.jobs, ports.directory), ports.runtime.scale

    def scale_and_hang(name: str, count: int) -> None:
        scale(name, count)
        world.job(project, "started", started=1)

    monkeypatch.setattr(ports.runtime, "scale", scale_and_hang)
    with pytest.raises(QfcError, match="still wait or run after 600 s"):
        capacity_benchmark(ports, LoadTest(numbers=(1,), minutes=0.001, agents=1), Options())


class Waiting(FieldAgent):
    """A person whose package does not come before the test is over."""

    def _synchronise(self) -> None:
        self._rest(30)


def test_a_synchronisation_that_nobody_sees_end_counts_with_what_it_lasted(ports: MemoryPorts) -> None:
    over = Event()
    diary = work_together([Waiting(ProbeProject(ports.api, "token", "1"), "a", 0.001, over)], over, 0.3)
    step = step_of(LEVEL, diary)
    assert step.syncs == 0
    assert step.sync_p95_s is not None
    assert 0.1 < step.sync_p95_s < 10


def test_without_any_synchronisation_there_is_no_number() -> None:
    step = step_of(LEVEL, Diary())
    assert (step.sync_p50_s, step.sync_p95_s) == (None, None)
    out = StringIO()
    writer = Writer(as_json=False, quiet=False, out=out)
    write_benchmarked(writer, Benchmarked(1, 1, "heavy", 1, 5, (step,), remark=None, dry_run=False, steps=()))
    assert out.getvalue().splitlines()[-1].split()[-1] == "-"


class Crashing(FieldAgent):
    """A person whose phone breaks at once."""

    def work(self) -> Diary:
        raise ZeroDivisionError


def test_a_crash_of_an_agent_ends_the_test_at_once(ports: MemoryPorts) -> None:
    over, project = Event(), ProbeProject(ports.api, "token", "1")
    agents = [Crashing(project, "a", 3600, over), FieldAgent(project, "b", 3600, over)]
    began = monotonic()
    with pytest.raises(ZeroDivisionError):
        work_together(agents, over, 30)
    assert monotonic() - began < 10


@pytest.mark.parametrize(
    "test",
    [
        LoadTest(numbers=()),
        LoadTest(numbers=(0,)),
        LoadTest(numbers=(65,)),
        LoadTest(minutes=0),
        LoadTest(numbers=(1, 2), minutes=241),
        LoadTest(minutes=float("nan")),
        LoadTest(agents=0),
        LoadTest(agents=501),
        LoadTest(pace=0),
        LoadTest(pace=1001),
        LoadTest(pace=float("inf")),
        LoadTest(pace=float("nan")),
        LoadTest(projects=0),
    ],
)
def test_impossible_tests_are_refused(ports: MemoryPorts, test: LoadTest) -> None:
    with pytest.raises(UsageError):
        capacity_benchmark(ports, test, PLAN)


def test_a_test_that_outlasts_its_token_is_refused(ports: MemoryPorts) -> None:
    with pytest.raises(
        UsageError, match="241 minutes with each of 2 numbers of workers are more than 8 hours"
    ) as refused:
        capacity_benchmark(ports, LoadTest(numbers=(1, 2), minutes=241), PLAN)
    assert refused.value.hint == "Give --minutes 240 at most, or fewer numbers."
    assert capacity_benchmark(ports, LoadTest(numbers=(1, 2), minutes=240), PLAN).dry_run

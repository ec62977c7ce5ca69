"""Every runtime. The embedded one runs for real: PostgreSQL, API and workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Event, Thread

import pytest

from qfc import config, wiring
from qfc.errors import CommandError, NotFoundError, UsageError
from qfc.stack.model import Health, Service, ServiceState
from qfc.stack.ports import Runtime
from qfc_command import fresh_qfc
from twins import MemoryClock, MemoryRuntime

WORKER = "worker_wrapper"
TEXT = '[stacks.local]\nkind = "embedded"\nworkers = 2\n'


@dataclass(frozen=True)
class Case:
    """A runtime, and a command that its service `app` understands, with what it prints."""

    runtime: Runtime
    command: tuple[str, ...]
    printed: str


@pytest.fixture(scope="module", params=["embedded", "memory"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """A runtime whose services run."""
    if request.param == "memory":
        memory = MemoryRuntime(MemoryClock())
        memory.execute_with = _answer
        memory.start(None)
        yield Case(memory, ("check",), "fine")
        return
    with fresh_qfc() as qfc:
        stack = config.load(qfc.environment, text=TEXT).stack()
        ports = wiring.wire(stack)
        ports.runtime.start(None)
        yield Case(ports.runtime, ("shell", "-v", "0", "-c", "print('fine')"), "fine")
        ports.close()
        ports.runtime.stop(None)


def _answer(service: str, argv: tuple[str, ...], stdin: bytes) -> str:
    del service, stdin
    if argv[0] != "check":
        raise CommandError(f"{argv[0]} ended with exit code 1: unknown command")
    return "fine"


@pytest.fixture
def runtime(case: Case) -> Iterator[Runtime]:
    """A runtime with everything running; changes of a test are undone after it."""
    yield case.runtime
    case.runtime.scale(WORKER, 2)
    case.runtime.start(None)


def service(runtime: Runtime, name: str) -> Service:
    (found,) = (one for one in runtime.services() if one.name == name)
    return found


def pids(runtime: Runtime, name: str) -> list[int | None]:
    return [instance.pid for instance in service(runtime, name).instances]


def test_every_service_runs_and_says_so(runtime: Runtime) -> None:
    services = {one.name: one for one in runtime.services()}
    assert list(services) == ["db", "app", WORKER]
    for one in services.values():
        assert one.state is ServiceState.RUNNING
        assert one.running == one.wanted == len(one.instances)
        assert len({instance.pid for instance in one.instances}) == one.wanted
    assert services["db"].health is services["app"].health is Health.HEALTHY
    assert services[WORKER].health is Health.NONE


def test_starting_what_runs_changes_nothing(runtime: Runtime) -> None:
    before = [pids(runtime, name) for name in ("db", "app", WORKER)]
    runtime.start(None)
    runtime.start(["app"])
    assert [pids(runtime, name) for name in ("db", "app", WORKER)] == before


def test_no_names_never_mean_every_service(runtime: Runtime) -> None:
    before = [pids(runtime, name) for name in ("db", "app", WORKER)]
    runtime.stop([])
    runtime.recreate([])
    assert [pids(runtime, name) for name in ("db", "app", WORKER)] == before
    assert list(runtime.logs([], lines=5, since=None, follow=False)) == []


def test_one_service_stops_and_the_others_go_on(runtime: Runtime) -> None:
    database = pids(runtime, "db")
    runtime.stop([WORKER])
    stopped = service(runtime, WORKER)
    assert (stopped.state, stopped.running, stopped.wanted) == (ServiceState.STOPPED, 0, 2)
    assert pids(runtime, "db") == database
    runtime.start([WORKER])
    assert service(runtime, WORKER).running == 2


def test_stopping_what_is_stopped_is_harmless(runtime: Runtime) -> None:
    runtime.stop([WORKER])
    runtime.stop([WORKER], now=True)
    assert service(runtime, WORKER).state is ServiceState.STOPPED


def test_workers_are_scaled_up_and_down(runtime: Runtime) -> None:
    before = set(pids(runtime, WORKER))
    runtime.scale(WORKER, 4)
    assert service(runtime, WORKER).running == service(runtime, WORKER).wanted == 4
    assert before < set(pids(runtime, WORKER))
    runtime.scale(WORKER, 1)
    assert service(runtime, WORKER).running == 1
    runtime.scale(WORKER, 0)
    assert service(runtime, WORKER).instances == ()
    assert service(runtime, WORKER).wanted == 0


def test_workers_are_renewed_one_at_a_time(runtime: Runtime) -> None:
    before, ended, running = pids(runtime, WORKER), Event(), list[int]()

    def watch() -> None:
        while not ended.wait(0.05):
            running.append(service(runtime, WORKER).running)

    watching = Thread(target=watch, daemon=True)
    watching.start()
    runtime.renew(WORKER)
    ended.set()
    watching.join()
    assert len(pids(runtime, WORKER)) == 2 and not {*pids(runtime, WORKER)} & {*before}
    assert min(running, default=1) >= 1


def test_what_is_one_of_a_kind_is_not_scaled(runtime: Runtime) -> None:
    with pytest.raises(UsageError):
        runtime.scale("db", 2)


def test_an_unknown_service_is_not_found(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError, match="nginx"):
        runtime.start(["nginx"])
    with pytest.raises(NotFoundError, match="nginx"):
        runtime.stop(["nginx"])
    with pytest.raises(NotFoundError, match="nginx"):
        list(runtime.logs(["nginx"], lines=1, since=None, follow=False))
    with pytest.raises(NotFoundError, match="nginx"):
        runtime.execute("nginx", ["true"])


def test_a_command_runs_in_the_surroundings_of_a_service(case: Case, runtime: Runtime) -> None:
    result = runtime.execute("app", case.command)
    assert (result.exit_code, result.stdout.strip()) == (0, case.printed)


def test_a_command_that_fails_is_an_error(runtime: Runtime) -> None:
    with pytest.raises(CommandError, match="nonsense ended with exit code 1"):
        runtime.execute("app", ["nonsense"])


def test_logs_come_in_the_order_of_time(runtime: Runtime) -> None:
    times = [line.time for line in runtime.logs(None, lines=0, since=None, follow=False) if line.time]
    assert times
    assert all(one <= other for one, other in pairwise(times))


def test_so_many_log_lines_of_one_service(runtime: Runtime) -> None:
    everything = list(runtime.logs(["db"], lines=0, since=None, follow=False))
    assert {line.service for line in everything} == {"db"}
    assert list(runtime.logs(["db"], lines=1, since=None, follow=False)) == everything[-1:]


def test_everything_stops_and_starts_again(runtime: Runtime) -> None:
    runtime.stop(None)
    assert {one.state for one in runtime.services()} == {ServiceState.STOPPED}
    runtime.start(None)
    assert {one.state for one in runtime.services()} == {ServiceState.RUNNING}

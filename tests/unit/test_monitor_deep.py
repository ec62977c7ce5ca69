"""Deep looks beside the others, the news of an engine, and a claim that is lost while the monitor lives."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from threading import Event

import psutil
import pytest

from checks_world import healthy
from qfc.checks import EVERYTHING
from qfc.checks.evidence import Evidence
from qfc.checks.examine import examine
from qfc.drivers.clock import SystemClock
from qfc.drivers.docker.events import EngineEvents, ends_of_containers
from qfc.errors import QfcError
from qfc.monitor.deep import DeepLook
from qfc.monitor.watcher import Watcher
from qfc.operations.monitor.observe import deep_findings, look
from qfc.stack.findings import Finding, Severity, problem
from qfc.stack.monitor import Limits
from qfc.stack.monitor.causes import effects_of
from qfc.stack.waiting import wait_until
from twins.records import LockTable, MemoryLock
from twins.stack import MemoryPorts

FOUND = (problem("I05", Severity.WARNING, "as seen"),)


def watched(ports: MemoryPorts) -> tuple[Watcher, list[str]]:
    said: list[str] = []
    return Watcher(ports, Limits(), say=lambda _, sentence: said.append(sentence)), said


def awaited(event: Event) -> bool:
    return event.wait(20)


def test_a_deep_look_is_asked_for_once_and_told_once() -> None:
    go = Event()

    def ask(_: Event) -> tuple[Finding, ...]:
        go.wait(20)
        return FOUND

    deep = DeepLook(ask)
    assert deep.found() is None and not deep.is_running
    deep.begin()
    assert deep.found() is None and deep.is_running
    go.set()
    deep.wait()
    assert (deep.found(), deep.found()) == (FOUND, None)


def test_what_a_dropped_deep_look_finds_is_forgotten_and_no_check_begins_any_more() -> None:
    asked: list[Event] = []

    def ask(abandoned: Event) -> tuple[Finding, ...]:
        asked.append(abandoned)
        return FOUND

    deep = DeepLook(ask)
    deep.begin()
    deep.drop()
    deep.wait()
    assert deep.found() is None and asked[0].is_set()
    ports, _ = healthy("embedded")
    left = examine(EVERYTHING, Evidence(ports), limit_s=0.2, abandoned=asked[0])
    assert all("took longer" in one.evidence for one in left)


def test_an_error_of_a_deep_look_is_one_of_the_turn() -> None:
    deep = DeepLook(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    deep.begin()
    deep.wait()
    with pytest.raises(ZeroDivisionError):
        deep.found()
    assert deep.found() is None


def test_a_fault_is_repaired_while_a_deep_look_goes_on() -> None:
    ports, _ = healthy("embedded")
    watcher, said = watched(ports)
    go = Event()

    def ask(_: Event) -> tuple[Finding, ...]:
        go.wait(20)
        return FOUND

    watcher._deep = DeepLook(ask)
    for _ in range(4):
        ports.clock.sleep(watcher.turn())
    assert watcher._deep.is_running
    ports.runtime.stop(["worker_wrapper"], now=True)
    for _ in range(3):
        ports.clock.sleep(watcher.turn())
    assert "Start the workers: done." in said
    go.set()
    watcher._deep.wait()
    watcher.turn()
    assert "I05" not in watcher._state.tracks  # it was found before the repair


def test_while_a_vital_service_is_down_nothing_is_asked_that_this_explains() -> None:
    ports, _ = healthy("embedded")
    deep = deep_findings(ports, Event())
    ports.runtime.stop(["db"], now=True)
    seen = look(ports, elapsed_s=10, deep=deep)
    ids = {one.id for one in seen.findings}
    assert "A11" in ids and not ids & {*effects_of("A11")}
    assert not seen.is_deep  # what was asked while it went down proves nothing


def test_a_service_with_a_slow_check_of_its_own_is_asked_at_once_when_it_is_down() -> None:
    ports, _ = healthy("compose")
    assert "A11-cache" not in {one.id for one in look(ports, elapsed_s=10).findings}
    ports.runtime._wanted["memcached"] = 1  # It is one of the services, and does not run.
    ports.runtime._running["memcached"] = {}
    assert "A11-cache" in {one.id for one in look(ports, elapsed_s=10).findings}


def test_the_news_of_an_engine_wake_who_waits_and_its_end_is_survived() -> None:
    heard, waked = [0], Event()

    def wake() -> None:
        heard[0] += 1
        waked.set()

    events = EngineEvents([sys.executable, "-uc", "print('one'); import time; time.sleep(60)"], wake)
    assert awaited(waked) and heard == [1]
    events.close()
    events._process.wait(20)  # type: ignore[union-attr]
    EngineEvents(["/nonexistent/docker"], wake).close()
    assert "label=com.docker.compose.project=x" in ends_of_containers("x")


def test_an_engine_is_followed_no_longer_than_the_monitor_lives() -> None:
    code = "import time; from qfc.drivers.docker.events import EngineEvents\n"
    code += "EngineEvents(['sleep', '60'], print); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code]) as monitor:
        process, clock = psutil.Process(monitor.pid), SystemClock()
        children: list[psutil.Process] = []

        def follows() -> bool:
            children[:] = process.children(recursive=True)
            return any(one.name() == "sleep" for one in children)

        assert wait_until(clock, follows, limit_s=30, poll_s=0.05)
        monitor.kill()
    assert wait_until(clock, lambda: not any(one.is_running() for one in children), limit_s=30, poll_s=0.05)


def test_who_is_woken_looks_before_the_next_look_is_due() -> None:
    ports, _ = healthy("embedded")
    watcher, _ = watched(ports)
    watcher._is_told = True
    watcher.wake()
    began = time.monotonic()
    watcher._rest(Event(), 30)
    assert 0.9 < time.monotonic() - began < 15
    assert not watcher._woken.is_set()


def test_a_claim_that_was_lost_is_noticed_and_another_monitor_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("embedded")
    table = LockTable()
    ports = replace(ports, watch=MemoryLock(ports.clock, table, user="anna", pid=1))
    closed: list[bool] = []
    monkeypatch.setattr(MemoryPorts, "close", lambda _: closed.append(True))
    watcher, said = watched(ports)
    watcher.turn()
    table.holder = None  # The shell on the host has died …
    watcher.turn()
    assert ports.watch.is_ours()  # … and nobody else has the stack.
    assert closed == [True]  # Whatever else went over its connection is opened again.
    table.holder = None
    MemoryLock(ports.clock, table, user="bea", pid=2).take("monitor")
    ports.runtime.stop(["worker_wrapper"], now=True)
    for _ in range(4):
        ports.clock.sleep(watcher.turn())
    assert "bea@memory" in said[-1] and ports.audit.entries() == ()
    watcher.close()
    assert ports.watch.holder() is not None


def test_tries_that_could_not_be_stored_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("embedded")
    made = ports.monitoring.history

    def broken() -> None:
        raise QfcError("monitor.sqlite3 cannot be used: disk full.")

    monkeypatch.setattr(ports.monitoring, "history", broken)
    watcher, said = watched(ports)
    ports.runtime.stop(["worker_wrapper"], now=True)
    for _ in range(4):
        ports.clock.sleep(watcher.turn())
    assert "Start the workers: done." in said
    monkeypatch.setattr(ports.monitoring, "history", made)
    for _ in range(2):
        ports.clock.sleep(watcher.turn())
    assert [one.id for one in watcher._state.tries] == ["D11"]
    assert [one.id for one in ports.monitoring.history().state().tries] == ["D11"]

"""One stack is watched: looks, repairs under the lock, orders, two monitors, trouble with its own memory."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from checks_world import YES, healthy
from qfc.errors import NotFoundError, RefusedError, UnreachableError
from qfc.monitor.watcher import Watcher
from qfc.operations.guard import Options
from qfc.operations.monitor import orders, review
from qfc.operations.monitor.heal import heal
from qfc.operations.monitor.observe import CHEAP, deep_findings, look
from qfc.operations.status import status
from qfc.stack import journal
from qfc.stack.findings import Finding, Severity, problem
from qfc.stack.model import AuditEntry, Verdict
from qfc.stack.monitor import Limits
from qfc.stack.monitor.alone import ALONE
from qfc.stack.ports.monitoring import Beat
from twins.records import LockTable, MemoryLock
from twins.stack import MemoryPorts

QUICK = Limits()


def watched(ports: MemoryPorts) -> tuple[Watcher, list[str]]:
    said: list[str] = []
    return Watcher(ports, QUICK, say=lambda _, sentence: said.append(sentence)), said


def turns(watcher: Watcher, ports: MemoryPorts, number: int) -> None:
    for _ in range(number):
        ports.clock.sleep(watcher.turn())
        watcher._deep.wait()


def finding(id: str) -> Finding:
    return problem(id, Severity.CRITICAL, "as seen")


def test_a_healthy_stack_is_looked_at_and_left_alone() -> None:
    ports, _ = healthy("embedded")
    watcher, said = watched(ports)
    turns(watcher, ports, 40)
    assert said == ["Did nothing, because all is well."]
    assert ports.audit.entries() == ()
    result = review.monitor_status(ports)
    assert result.verdict is Verdict.OK and result.watcher is not None


def test_workers_that_are_gone_are_started_under_the_lock_and_in_the_audit_log() -> None:
    ports, _ = healthy("embedded")
    watcher, said = watched(ports)
    turns(watcher, ports, 2)
    ports.runtime.stop(["worker_wrapper"], now=True)
    turns(watcher, ports, 3)
    assert "Start the workers: done." in said
    (entry,) = ports.audit.entries()
    assert (entry.command, entry.result[:4]) == ("monitor repair", "1 of")
    turns(watcher, ports, 40)
    (incident,) = review.incidents(ports, limit=9)
    assert incident.alert == "D11" and incident.closed is not None
    assert [event.kind for event in incident.events][:2] == ["seen", "tried"]


def test_while_somebody_is_at_work_nothing_is_done_and_their_name_is_told() -> None:
    ports, _ = healthy("embedded")
    ports.runtime.stop(["worker_wrapper"], now=True)
    table = LockTable()
    theirs = MemoryLock(ports.clock, table, user="bea", pid=2)
    ports = replace(ports, lock=MemoryLock(ports.clock, table))
    theirs.take("services restart worker_wrapper")
    watcher, said = watched(ports)
    turns(watcher, ports, 5)
    assert said == ["Did nothing, because bea@memory (pid 2) is at work: services restart worker_wrapper."]
    theirs.release()
    turns(watcher, ports, 8)
    assert "Start the workers: done." in said


def test_a_lock_that_is_taken_at_the_last_moment_stops_the_repair() -> None:
    ports, _ = healthy("embedded")
    table = LockTable()
    MemoryLock(ports.clock, table, user="bea", pid=2).take("deploy")
    busy = replace(ports, lock=MemoryLock(ports.clock, table))
    assert heal(busy, finding("D11")) is None


def test_a_stack_that_was_stopped_since_the_look_is_not_started() -> None:
    ports, _ = healthy("embedded")
    ports.runtime.stop(None)
    ports.audit.append(AuditEntry(ports.clock.now(), "bea@desk", "down", ports.name, "done", 1.0))
    assert heal(ports, finding("A11")) is None
    assert not any(one.running for one in ports.runtime.services())
    assert ports.audit.entries()[0].result.startswith("refused: Nothing is started, because bea@desk stopped")
    assert ports.lock.holder() is None


def test_what_was_interrupted_since_the_look_is_left_alone() -> None:
    ports, _ = healthy("embedded")
    ports.runtime.stop(["worker_wrapper"], now=True)
    journal.write(ports.records, journal.Entry("deploy", {"state": "x"}))
    assert heal(ports, finding("D11")) is None
    assert not ports.runtime.services()[-1].running
    assert ports.interrupted() == "deploy"
    journal.clear(ports.records)
    assert heal(ports, finding("D11")) == "Start the workers: done."


def test_what_is_not_on_the_list_is_never_repaired_alone() -> None:
    ports, _ = healthy("embedded")
    for id in ("I05", "H03", "A15"):
        with pytest.raises(RefusedError, match="never repaired alone"):
            heal(ports, finding(id))


def test_a_stack_that_somebody_stopped_stays_stopped() -> None:
    ports, _ = healthy("embedded")
    ports.runtime.stop(None)
    ports.audit.append(AuditEntry(ports.clock.now(), "bea@desk", "down", ports.name, "done", 1.0))
    watcher, said = watched(ports)
    turns(watcher, ports, 5)
    assert len(said) == 1 and "bea@desk stopped the stack" in said[0]
    assert not ports.runtime.services()[0].running


def test_a_stack_that_fell_over_is_started() -> None:
    ports, _ = healthy("embedded")
    ports.audit.append(AuditEntry(ports.clock.now(), "bea@desk", "up", ports.name, "done", 1.0))
    ports.runtime.stop(None)
    watcher, said = watched(ports)
    turns(watcher, ports, 6)
    assert "Start the services that are down: done." in said


def test_orders_are_obeyed_recorded_and_named() -> None:
    ports, _ = healthy("embedded")
    watcher, said = watched(ports)
    orders.pause(ports, YES, seconds=3600, why="work on the rack")
    ports.runtime.stop(["worker_wrapper"], now=True)
    turns(watcher, ports, 5)
    assert said == [f"Did nothing, because the monitor is {ports.monitoring.orders().pause}."]
    orders.resume(ports, YES)
    turns(watcher, ports, 8)
    assert "Start the workers: done." in said
    commands = [one.command for one in ports.audit.entries()]
    assert commands[-2:] == ["monitor resume", "monitor pause"]


def test_a_dry_run_of_an_order_changes_nothing() -> None:
    ports, _ = healthy("embedded")
    result = orders.pause(ports, Options(dry_run=True), seconds=None, why="trial")
    assert result.dry_run and ports.monitoring.orders().pause is None
    assert ports.audit.entries() == ()


def test_alerts_are_acknowledged_silenced_and_told_again() -> None:
    ports, _ = healthy("embedded")
    watcher, _ = watched(ports)
    ports.runtime.stop(["worker_wrapper"], now=True)
    watcher._limits = replace(QUICK, heals=False)
    turns(watcher, ports, 6)
    with pytest.raises(NotFoundError, match="no open alert A15"):
        orders.acknowledge(ports, YES, alert="A15", why="x")
    orders.acknowledge(ports, YES, alert="D11", why="on it")
    orders.silence(ports, YES, alert="*", seconds=60, why="known")
    (line,) = review.alerts(ports).alerts
    assert line.id == "D11" and line.state.endswith("on it")
    orders.unsilence(ports, YES, alert="*")
    with pytest.raises(RefusedError, match="not silenced"):
        orders.unsilence(ports, YES, alert="*")


def test_only_one_monitor_acts_for_a_stack() -> None:
    ports, _ = healthy("embedded")
    table = LockTable()
    first = replace(ports, watch=MemoryLock(ports.clock, table, user="anna", pid=1), left_by_monitors={})
    second = replace(ports, watch=MemoryLock(ports.clock, table, user="bea", pid=2), left_by_monitors={})
    one, _ = watched(first)
    other, said = watched(second)
    turns(one, first, 1)
    ports.runtime.stop(["worker_wrapper"], now=True)
    turns(other, second, 4)
    assert len(said) == 1 and "anna@memory" not in said[0].split("acts")[0]
    assert ports.runtime.services()[-1].running == 0
    table.living.discard(1)
    turns(other, second, 5)
    assert ports.runtime.services()[-1].running


def test_nothing_to_see_is_one_fault_and_unknown() -> None:
    ports, _ = healthy("embedded")

    class Away:
        def holder(self) -> None:
            raise UnreachableError("The host does not answer.")

        def identity(self) -> str:
            return "anna@memory"

    away = replace(ports, lock=Away())  # pyright: ignore[reportArgumentType]
    watcher, said = watched(away)
    turns(watcher, away, 12)
    assert said == ["Did nothing, because nothing can be seen: The host does not answer."]
    (incident,) = review.incidents(away, limit=9)
    assert incident.alert == "unseen"


def test_deep_looks_ask_every_check_cheap_ones_a_few() -> None:
    ports, _ = healthy("embedded")
    cheap = look(ports, elapsed_s=10)
    deep = look(ports, elapsed_s=10, deep=deep_findings(ports, Event()))
    assert deep.is_deep and not cheap.is_deep
    assert {one.id for one in cheap.findings} <= {*CHEAP}
    assert len(deep.findings) > 3 * len(cheap.findings)
    assert "I05" in {one.id for one in look(ports, elapsed_s=10, also=("I05",)).findings}


def test_a_look_keeps_no_words_about_what_is_well_and_no_secrets() -> None:
    ports, _ = healthy("embedded")
    assert all(not one.evidence for one in look(ports, elapsed_s=10).findings if one.is_well)


def test_an_unreadable_order_is_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("embedded")

    def broken() -> None:
        raise UnreachableError("monitor-orders.json cannot be read.")

    monkeypatch.setattr(ports.monitoring, "orders", broken)
    watcher, said = watched(ports)
    ports.runtime.stop(["worker_wrapper"], now=True)
    turns(watcher, ports, 5)
    assert "paused by nobody" in said[0]


def test_a_stack_whose_monitor_went_silent_says_so() -> None:
    ports, _ = healthy("embedded")
    assert status(ports).verdict is Verdict.OK
    ports.monitoring.note(Beat("anna@desk", 1, ports.clock.now(), ports.clock.now(), 10.0))
    assert status(ports).verdict is Verdict.OK
    ports.clock.sleep(timedelta(minutes=10).total_seconds())
    result = status(ports)
    assert result.verdict is Verdict.DEGRADED
    assert any("The monitor stopped" in reason for reason in result.reasons)
    assert "monitor" in {one.id for one in deep_findings(ports, Event()) if not one.is_well}


def test_a_monitor_that_was_ended_leaves_nothing_to_complain_about() -> None:
    ports, _ = healthy("embedded")
    watcher, _ = watched(ports)
    turns(watcher, ports, 1)
    watcher.close()
    ports.clock.sleep(3600)
    assert status(ports).verdict is Verdict.OK
    assert ports.watch.holder() is None


class Bounded(Event):
    """Says stop after some turns, and lets time pass between them."""

    def __init__(self, ports: MemoryPorts, turns: int) -> None:
        super().__init__()
        self._ports, self._left = ports, turns

    def wait(self, timeout: float | None = None) -> bool:
        self._ports.clock.sleep(timeout or 0)
        self._left -= 1
        if self._left <= 0:
            self.set()
        return self.is_set()


def test_turns_that_fail_do_not_count_as_watching_and_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("embedded")
    watcher, said = watched(ports)
    began = watcher.turned_s
    with monkeypatch.context() as broken:
        broken.setattr("qfc.monitor.watcher.decide", lambda *_: 1 / 0)
        watcher.run(Bounded(ports, 9))
    assert said == ["Did nothing, because of a bug of the monitor: ZeroDivisionError."]
    assert watcher.turned_s == began < ports.clock.monotonic()
    (message,) = watcher.unsaved
    assert "NEW The monitor itself fails" in message.title and message.severity is Severity.CRITICAL
    watcher.run(Bounded(ports, 2))
    assert watcher.turned_s > began
    assert [one.title.split()[1] for one in watcher.unsaved] == ["NEW", "RESOLVED"]


def test_a_disk_that_cannot_be_read_costs_the_history_and_not_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("embedded")

    def broken(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(ports.monitoring, "history", broken)
    monkeypatch.setattr(ports.monitoring, "note", broken)
    watcher, said = watched(ports)
    turns(watcher, ports, 4)
    assert "The history cannot be used: Read-only file system." in watcher._own()[0].evidence
    assert "bug" not in " ".join(said)
    watcher.close()


def test_every_repair_of_the_list_is_one_of_the_catalogue() -> None:
    from qfc.operations.monitor.observe import check

    assert all(check(id).id == id for id in ALONE)

"""When every other host is gone at once, the monitor's own network is the fault: one message, and no other alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks_world import healthy
from qfc.errors import LockHeldError, QfcError, SilentHostError, UnreachableError
from qfc.monitor.network import Network
from qfc.monitor.watcher import Watcher
from qfc.operations.monitor import review
from qfc.stack.monitor import Limits
from twins.stack import MemoryPorts

AT = datetime(2026, 3, 1, tzinfo=UTC)


def told(network: Network, seconds: float) -> str | None:
    message = network.news("desk", seconds, AT + timedelta(seconds=seconds))
    return message.title if message else None


def test_it_is_told_once_when_it_lasts_and_once_when_it_is_over() -> None:
    network = Network()
    for host in ("one", "two", "local"):
        network.note(host, is_gone=host != "local")
    assert network.explains("one") and not network.explains("local")
    assert [told(network, at) for at in (0, 30, 61, 90)] == [
        None, None, "desk: NEW The monitor's own network is gone", None
    ]  # fmt: skip
    network.note("two", is_gone=False)
    assert not network.explains("one")
    assert [told(network, at) for at in (100, 110)] == ["desk: RESOLVED The monitor's own network is gone", None]


def test_one_host_that_is_gone_is_its_own_fault() -> None:
    network = Network()
    network.note("one", is_gone=True)
    assert not network.is_gone
    network.note("two", is_gone=False)
    assert not network.is_gone
    assert told(network, 500) is None


class Away:
    """A lock that cannot be asked, by default because the network is gone."""

    def __init__(self, error: QfcError | None = None) -> None:
        self._error = error or SilentHostError("The host does not answer.")

    def holder(self) -> None:
        raise self._error

    def identity(self) -> str:
        return "anna@memory"


def elsewhere(name: str, error: QfcError | None = None) -> MemoryPorts:
    ports, _ = healthy("embedded")
    ports = replace(ports, lock=Away(error))  # pyright: ignore[reportArgumentType]
    ports.host.name = name
    return ports


def test_stacks_behind_a_network_that_is_gone_raise_no_alert_of_their_own() -> None:
    network = Network()
    stacks = [elsewhere("one"), elsewhere("two")]
    said: list[str] = []
    watchers = [Watcher(one, Limits(), say=lambda _, text: said.append(text), network=network) for one in stacks]
    for _ in range(20):
        for watcher, ports in zip(watchers, stacks, strict=True):
            ports.clock.sleep(watcher.turn())
    assert said[-1] == "Did nothing, because the monitor's own network is gone."
    assert [review.incidents(ports, limit=9) for ports in stacks] == [(), ()]


def test_hosts_that_answer_but_do_not_work_are_no_fault_of_the_network() -> None:
    network = Network()
    error = UnreachableError("The Docker engine does not answer.")
    stacks = [elsewhere("one", error), elsewhere("two", error)]
    watchers = [Watcher(one, Limits(), say=lambda *_: None, network=network) for one in stacks]
    for _ in range(20):
        for watcher, ports in zip(watchers, stacks, strict=True):
            ports.clock.sleep(watcher.turn())
    assert not network.is_gone
    assert [len(review.incidents(ports, limit=9)) for ports in stacks] == [1, 1]


def test_a_host_on_which_another_monitor_acts_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    ports = elsewhere("one")
    watcher = Watcher(ports, Limits(), say=lambda *_: None, network=network)
    watcher.turn()
    network.note("two", is_gone=True)
    assert network.is_gone

    def held(reason: str) -> None:
        raise LockHeldError(f"Somebody does: {reason}.")

    monkeypatch.setattr(ports.monitoring.watch, "take", held)
    watcher.turn()
    assert not network.is_gone

"""When every other host is gone at once, the monitor's own network is the fault: one message, and no other alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks_world import healthy
from qfc.errors import UnreachableError
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
    """A lock at the end of a network that is gone."""

    def holder(self) -> None:
        raise UnreachableError("The host does not answer.")

    def identity(self) -> str:
        return "anna@memory"


def elsewhere(name: str) -> MemoryPorts:
    ports, _ = healthy("embedded")
    ports = replace(ports, lock=Away())  # pyright: ignore[reportArgumentType]
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

"""The state file of an embedded stack, and the workers that stay when it is scaled."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.config.known import KnownStack
from qfc.drivers.clock import SystemClock
from qfc.drivers.runtimes.embedded import EmbeddedRuntime
from qfc.drivers.runtimes.embedded.layout import EmbeddedConfig
from qfc.drivers.runtimes.embedded.listening import lan_address
from qfc.drivers.runtimes.embedded.state import (
    ANY_PORT,
    ANY_PORTS,
    EmbeddedState,
    is_free,
    merged,
    read,
    with_port,
    write,
)
from qfc.errors import ConfigError, QfcError, RefusedError

SETTINGS = EmbeddedConfig("s", Path("/s"), Path("/"))


def test_a_first_start_has_the_defaults() -> None:
    state = merged(EmbeddedState(), SETTINGS)
    assert (state.bind, state.workers, state.port) == ("127.0.0.1", (1, 2), None)


def test_what_is_configured_wins_at_the_first_start() -> None:
    state = merged(EmbeddedState(), replace(SETTINGS, bind="0.0.0.0", workers=4))
    assert (state.bind, state.workers) == ("0.0.0.0", (1, 2, 3, 4))


def test_scaling_outlives_a_start_with_the_same_configuration() -> None:
    configured = replace(SETTINGS, workers=2)
    scaled = merged(EmbeddedState(), configured).scaled(5)
    assert len(merged(scaled, configured).workers) == 5


def test_a_changed_configuration_wins_over_what_is_remembered() -> None:
    scaled = merged(EmbeddedState(), replace(SETTINGS, workers=2)).scaled(5)
    assert len(merged(scaled, replace(SETTINGS, workers=3)).workers) == 3


def test_a_setting_that_is_no_longer_configured_is_remembered() -> None:
    started = merged(EmbeddedState(), replace(SETTINGS, bind="0.0.0.0", workers=3))
    again = merged(started, SETTINGS)
    assert (again.bind, len(again.workers)) == ("0.0.0.0", 3)


def test_the_first_to_leave_goes_first() -> None:
    state = EmbeddedState(workers=(1, 2, 3, 4))
    assert state.scaled(3, leaving=(2, 4, 3, 1)).workers == (1, 3, 4)
    assert state.scaled(2, leaving=(2, 4, 3, 1)).workers == (1, 3)


def test_gaps_are_filled() -> None:
    assert EmbeddedState(workers=(2, 5)).scaled(4).workers == (1, 2, 3, 5)


@given(st.sets(st.integers(1, 20)), st.integers(0, 20), st.randoms())
def test_scaling_gives_that_many_and_keeps_as_many_as_it_can(before: set[int], count: int, chance: object) -> None:
    order = sorted(before)
    chance.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue] - hypothesis gives a Random
    after = set(EmbeddedState(workers=tuple(sorted(before))).scaled(count, leaving=tuple(order)).workers)
    assert len(after) == count
    assert len(after & before) == min(count, len(before))
    assert after & set(order[: max(len(before) - count, 0)]) == set()


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = EmbeddedState(8011, "0.0.0.0", (1, 3), {"port": None, "bind": "0.0.0.0", "workers": 2})
    write(tmp_path / "state.json", state)
    assert read(tmp_path / "state.json") == state
    assert read(tmp_path / "none.json") == EmbeddedState()


@pytest.mark.parametrize("content", ["", "[]", '{"port": 1}'])
def test_garbage_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(QfcError) as caught:
        read(tmp_path / "state.json")
    assert "Remove" in caught.value.hint


def test_the_last_port_is_kept_while_it_is_free() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken = server.getsockname()[1]
        assert not is_free("127.0.0.1", taken)
        for state, settings in (
            (EmbeddedState(port=taken), SETTINGS),
            (EmbeddedState(), replace(SETTINGS, port=taken)),
        ):
            with pytest.raises(RefusedError, match=f"is used by .*pid {os.getpid()}") as caught:
                with_port(state, settings)
            assert "--any-port" in caught.value.hint
        assert with_port(EmbeddedState(port=taken), replace(SETTINGS, port=ANY_PORT)).port not in (None, taken)
        assert with_port(EmbeddedState(port=taken), SETTINGS, own=taken).port == taken
        assert with_port(EmbeddedState(bind="0.0.0.0"), replace(SETTINGS, port=taken), own=taken).port == taken
    assert with_port(EmbeddedState(port=taken), SETTINGS).port == taken
    assert with_port(EmbeddedState(port=8011), replace(SETTINGS, port=taken)).port == taken


def test_any_port_is_none_that_an_outgoing_connection_or_a_stopped_stack_may_have() -> None:
    chosen = with_port(EmbeddedState(), replace(SETTINGS, port=ANY_PORT)).port
    assert chosen in ANY_PORTS
    assert with_port(EmbeddedState(port=chosen), replace(SETTINGS, port=ANY_PORT)).port == chosen


def test_a_port_for_which_this_account_has_no_right_is_not_said_to_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may listen on any port, so the system's answer to others is given here."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ConfigError, match="may not listen on port 80"):
        is_free("127.0.0.1", 80)


def test_a_server_on_all_addresses_is_reached_from_this_machine_and_from_its_network(tmp_path: Path) -> None:
    settings = EmbeddedConfig("s", tmp_path, tmp_path)
    runtime = EmbeddedRuntime(settings, clock=SystemClock(), idle_workers=frozenset)
    write(tmp_path / "state.json", EmbeddedState(8011, "0.0.0.0"))
    assert runtime.url == "http://127.0.0.1:8011"
    assert runtime.address == f"http://{lan_address()}:8011"
    write(tmp_path / "state.json", EmbeddedState(8011, "::1"))
    assert runtime.address == "http://[::1]:8011"


def test_a_stack_whose_data_are_gone_is_not_started_empty(tmp_path: Path) -> None:
    known = KnownStack(tmp_path / "stacks.json", "field")
    settings = EmbeddedConfig("field", tmp_path / "field", tmp_path, known=known)
    runtime = EmbeddedRuntime(settings, clock=SystemClock(), idle_workers=frozenset)
    known.note(tmp_path / "field")
    with pytest.raises(RefusedError, match=r"Data of field is missing: .*/field\.") as caught:
        runtime.start(None)
    assert "qfc stacks remove field" in caught.value.hint
    assert not (tmp_path / "field").exists()
    (tmp_path / "field/node").mkdir(parents=True)
    with pytest.raises(RefusedError, match="db/PG_VERSION"):
        runtime.start(None)


def test_what_is_known_of_stacks_outlives_garbage_and_may_be_forgotten(tmp_path: Path) -> None:
    one, two = KnownStack(tmp_path / "stacks.json", "one"), KnownStack(tmp_path / "stacks.json", "two")
    (tmp_path / "stacks.json").write_text("[")
    one.note(tmp_path / "a")
    two.note(tmp_path / "b")
    one.forget()
    assert (one.folder(), two.folder()) == (None, tmp_path / "b")


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        with_port(EmbeddedState(bind="192.0.2.1"), SETTINGS)


def test_settings_that_were_written_before_the_first_start_are_checked_at_it(tmp_path: Path) -> None:
    (tmp_path / "node.env").write_text("QFC_NODE_LEASE_S=nonsense\n")
    runtime = EmbeddedRuntime(EmbeddedConfig("s", tmp_path, tmp_path), clock=SystemClock(), idle_workers=frozenset)
    with pytest.raises(ConfigError, match="QFC_NODE_LEASE_S"):
        runtime.start(None)

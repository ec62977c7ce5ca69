"""The way back of an upgrade, from each state of its record, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from qfc.errors import QfcError, RefusedError, UnreachableError
from qfc.operations.guard import Options, guarded
from qfc.operations.upgrade.run import upgrade
from qfc.operations.upgrade.undo import FINISHING, REPLACING, SAVING, Undone, after_failure, finish, not_back, undo
from qfc.stack import journal
from qfc.stack.node_release import NodeRelease
from twins import MemoryPorts, memory_stack

BEFORE, AFTER = NodeRelease("1.0", 18), NodeRelease("1.1", 18)


@dataclass
class Release:
    """An upgrade of which the present release is known; calls are noted, and fail with the errors that are given."""

    now: NodeRelease = AFTER
    starts: bool = True
    errors: dict[str, QfcError] = field(default_factory=dict[str, QfcError])
    left: tuple[str, ...] = ()
    unit: str | None = None
    called: list[str] = field(default_factory=list[str])

    def present(self) -> NodeRelease:
        """Return the release that serves."""
        return self.now

    def installed(self) -> NodeRelease:
        """Return the installed release."""
        return AFTER

    def room_bytes(self) -> int:
        """Return that no room is needed."""
        return 0

    def watcher(self) -> str | None:
        """Return the unit that was given."""
        return self.unit

    def remains(self) -> tuple[str, ...]:
        """Return what was given."""
        return self.left

    def release_back(self) -> None:
        """Serve the release from before."""
        self._do("release_back")
        self.now = BEFORE

    def restart_before(self) -> bool:
        """Start it."""
        self._do("restart_before")
        return self.starts

    def _do(self, name: str) -> None:
        self.called.append(name)
        if name in self.errors:
            raise self.errors[name]

    def __getattr__(self, name: str) -> Any:
        return lambda: self._do(name)


def stack(release: Release, state: str = "", *, ran: bool = True, missing: str = "") -> MemoryPorts:
    ports = replace(memory_stack(), upgraded=cast(Any, release))
    ports.runtime.start(None)

    def plan(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        return f"[X]  core.0001_initial{missing}"

    ports.runtime.execute_with = plan
    ports.directory.migrations = ("core.0001_initial",)
    if state:
        record = {"state": state, "ran": ran, "version": BEFORE.version, "postgres": 18}
        journal.write(ports.records, journal.Entry("upgrade", record))
    return ports


def test_an_interrupted_upgrade_is_ended_before_the_next_one_is_planned() -> None:
    """Killed in the proof, the installed release serves at a port that nobody knows: it looks like upgraded."""
    release = Release()
    ports = stack(release, REPLACING, missing="\n[ ]  core.0002_more")
    with pytest.raises(QfcError, match=r"Upgrade memory from 1.0 .* to 1.1"):
        upgrade(ports, Options())
    assert release.called == ["database_back", "settings_back", "release_back", "restart_before", "forget"]
    assert journal.read(ports.records) is None


def test_an_upgrade_that_has_not_ended_has_no_plan() -> None:
    release = Release()
    with pytest.raises(RefusedError, match="has begun and has not ended"):
        upgrade(stack(release, REPLACING), Options(dry_run=True))
    assert release.called == []


def test_another_command_ends_after_it_brought_the_release_from_before_back() -> None:
    """It is a command of the new release: it would go on with what was just taken back, and migrate."""
    ports = stack(Release(), REPLACING)
    with (
        pytest.raises(RefusedError, match=r"was undone, and nothing else was done. 1.0 runs again"),
        guarded(ports, "up", target="memory", options=Options(yes=True)),
    ):
        pytest.fail("it must not go on")
    with guarded(ports, "up", target="memory", options=Options(yes=True)) as guard:
        assert guard.step("Start")


def test_what_replaced_nothing_is_undone_while_people_work() -> None:
    release = Release()
    ports = stack(release, SAVING)
    assert undo(ports) is None
    assert release.called == ["settings_back", "release_back", "forget"]
    assert all(one.running for one in ports.runtime.services())


def test_a_stack_that_was_down_is_down_after_a_failed_preparation() -> None:
    ports = stack(Release(), SAVING, ran=False)
    assert undo(ports) is None
    assert not any(one.running for one in ports.runtime.services())


def test_a_release_that_does_not_start_again_does_not_hide_why_the_upgrade_failed() -> None:
    release = Release(errors={"restart_before": UnreachableError("app does not become ready.")})
    ports = stack(release, REPLACING)
    undone = undo(ports)
    assert undone is not None
    assert journal.read(ports.records) is None
    said = after_failure(QfcError("No proof."), undone)
    assert said.message == (
        "Nothing was upgraded: No proof. The data are as before, but 1.0 does not start: app does not become ready."
    )
    assert said.hint == "Solve this, then type, with the qfc of 1.0: qfc up"


def test_if_the_way_back_fails_both_errors_are_told_and_it_is_tried_again() -> None:
    release = Release(errors={"database_back": QfcError("The disk is full.")})
    ports = stack(release, FINISHING)
    with pytest.raises(QfcError) as caught:
        undo(ports)
    entry = journal.read(ports.records)
    assert entry is not None
    assert entry.record["state"] == REPLACING
    assert not_back(QfcError("No proof."), caught.value).message == (
        "The upgrade failed: No proof. The way back failed too: The disk is full."
    )


def test_an_upgrade_is_not_over_while_something_of_before_stays() -> None:
    ports = stack(Release(errors={"settle": QfcError("db.before-upgrade cannot be removed.")}), FINISHING)
    with pytest.raises(QfcError, match="is upgraded and runs, but what was kept"):
        finish(ports)
    assert journal.read(ports.records) is not None


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (Release(BEFORE, left=("db.before-upgrade",)), "An earlier upgrade has left db.before-upgrade"),
        (Release(BEFORE, unit="qfc-memory.service"), r"systemd watches the stack \(qfc-memory.service\)"),
    ],
)
def test_what_the_way_back_cannot_stand_is_refused(release: Release, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        upgrade(stack(release), Options(yes=True))
    assert release.called == []


@pytest.mark.parametrize(
    ("undone", "where"),
    [
        (Undone("1.0", ran=True, runs=False), "The data are as before, and the stack is stopped."),
        (Undone("1.0", ran=False, runs=False), "The data are as before."),
        (Undone("1.0", ran=True, runs=True), "1.0 runs again with its data."),
    ],
)
def test_the_operator_is_told_where_the_stack_is(undone: Undone, where: str) -> None:
    assert after_failure(QfcError("It does not start."), undone).message == (
        f"Nothing was upgraded: It does not start. {where}"
    )

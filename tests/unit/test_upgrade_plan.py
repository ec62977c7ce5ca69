"""What an upgrade refuses before it changes anything, and what it says it would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from qfc.errors import QfcError, RefusedError
from qfc.operations.guard import Options
from qfc.operations.upgrade.plan import plan_of, question
from qfc.operations.upgrade.run import upgrade
from qfc.operations.upgrade.undo import after_failure
from qfc.stack.node_release import NodeRelease
from twins import MemoryPorts, memory_stack

BEFORE, AFTER = NodeRelease("1.0", 16), NodeRelease("1.1", 18)


@dataclass
class Releases:
    """An upgrade that only knows the releases; whatever else is called is noted."""

    before: NodeRelease | None = BEFORE
    after: NodeRelease = AFTER
    room: int = 0
    called: list[str] = field(default_factory=list[str])

    def present(self) -> NodeRelease | None:
        """Return the release that serves."""
        return self.before

    def installed(self) -> NodeRelease:
        """Return the installed release."""
        return self.after

    def room_bytes(self) -> int:
        """Return the room for a copy."""
        return self.room

    def __getattr__(self, name: str) -> Any:
        return lambda: self.called.append(name)


def stack(releases: Releases, printed: str = "[X]  core.0001_initial\n[ ]  core.0002_more") -> MemoryPorts:
    ports = replace(memory_stack(), upgraded=cast(Any, releases))
    ports.runtime.start(None)

    def plan(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        return printed

    ports.runtime.execute_with = plan
    ports.directory.migrations = ("core.0001_initial",)
    return ports


def test_the_question_says_from_what_to_what() -> None:
    plan = plan_of(stack(Releases()))
    assert (plan.migrations, plan.moves_data, plan.ran) == (("core.0002_more",), True, True)
    assert question("local", plan).startswith(
        "Upgrade local from 1.0 (PostgreSQL 16) to 1.1 (PostgreSQL 18), with 1 migration?"
    )


def test_a_stack_with_the_installed_release_is_left_alone() -> None:
    releases = Releases(before=replace(AFTER, program="/elsewhere/python"))
    result = upgrade(stack(releases, "[X]  core.0001_initial"), Options())
    assert (result.result, releases.called) == ("unchanged", [])


@pytest.mark.parametrize(
    ("releases", "applied", "said"),
    [
        (Releases(before=None), "core.0001_initial", "was never started"),
        (Releases(room=10**18), "core.0001_initial", "The way back needs"),
        (Releases(), "core.0003_newer", "The data are of a newer release than the installed one: it lacks core.0003"),
    ],
)
def test_what_cannot_go_well_is_refused(releases: Releases, applied: str, said: str) -> None:
    ports = stack(releases)
    ports.directory.migrations = (applied,)
    with pytest.raises(RefusedError, match=said):
        upgrade(ports, Options(yes=True))
    assert releases.called == []


def test_a_dry_run_changes_nothing() -> None:
    releases = Releases()
    result = upgrade(stack(releases), Options(dry_run=True))
    assert any("Move the data to PostgreSQL 18" in one for one in result.plan)
    assert (result.result, releases.called) == ("unchanged", [])


def test_the_operator_is_told_which_release_to_install() -> None:
    error = after_failure(QfcError("It does not start."), BEFORE, ran=True, ran_again=False)
    assert error.message == "Nothing was upgraded: It does not start. The data are as before, and the stack is stopped."
    assert error.hint == "Install the release from before (qfieldcloud-suite==1.0), then type: qfc up"

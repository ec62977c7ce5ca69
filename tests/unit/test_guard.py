"""Lock, audit, confirmation and dry run around every change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qfc.errors import LockHeldError, NotConfirmedError, PartlyDoneError, QfcError
from qfc.operations.guard import Options, guarded
from qfc.stack.model import AuditEntry
from twins import LockTable, MemoryAuditLog, MemoryLock, MemoryPorts, memory_stack


def two_operators() -> tuple[MemoryPorts, MemoryPorts]:
    """Ports of one stack for two operators."""
    first, table = memory_stack(), LockTable()
    anna = replace(first, lock=MemoryLock(first.clock, table, user="anna", pid=1))
    return anna, replace(first, lock=MemoryLock(first.clock, table, user="ben", pid=2))


def results(ports: MemoryPorts) -> list[str]:
    return [entry.result for entry in ports.audit.entries()]


def test_a_change_is_locked_while_it_runs_and_audited_after() -> None:
    ports = memory_stack()
    with guarded(ports, "users create", target="alice", options=Options()) as guard:
        assert guard.step("Create alice")
        holder = ports.lock.holder()
        assert holder is not None
        assert holder.reason == "users create alice"
        ports.clock.sleep(2.5)
        guard.result = "1 account"
    assert ports.lock.holder() is None
    (entry,) = ports.audit.entries()
    assert (entry.who, entry.command, entry.target) == ("anna@memory", "users create", "alice")
    assert (entry.result, entry.seconds) == ("1 account", 2.5)


def test_a_dry_run_collects_the_plan_and_touches_nothing() -> None:
    ports = memory_stack()
    told: list[str] = []
    with guarded(ports, "up", target="x", options=Options(dry_run=True, report=told.append)) as guard:
        assert not guard.step("Start db")
        assert not guard.step("Start app")
        assert ports.lock.holder() is None
    assert guard.steps == ("Start db", "Start app")
    assert (told, ports.audit.entries()) == ([], ())


def test_steps_are_told_as_they_begin() -> None:
    told: list[str] = []
    with guarded(memory_stack(), "up", target="", options=Options(report=told.append)) as guard:
        guard.step("Start db")
    assert told == ["Start db"]


def test_the_second_operator_is_refused_with_who_what_and_since_when() -> None:
    anna, ben = two_operators()
    with (
        guarded(anna, "down", target="s", options=Options()),
        pytest.raises(LockHeldError, match=r"anna@memory \(pid 1\).*2026-01-01 00:00:00 UTC: down s"),
        guarded(ben, "up", target="s", options=Options()),
    ):
        pytest.fail("the second operator got in")
    assert [entry.who for entry in ben.audit.entries()] == ["anna@memory", "ben@memory"]
    assert results(ben)[1].startswith("refused: anna@memory")


def test_a_refused_operator_leaves_the_lock_to_its_holder() -> None:
    anna, _ = two_operators()
    with guarded(anna, "down", target="s", options=Options()):
        with pytest.raises(LockHeldError), guarded(anna, "up", target="s", options=Options()):
            pytest.fail("the same operator got in twice")
        assert anna.lock.holder() is not None


def test_waiting_for_the_lock_gives_up_after_the_time_that_was_said() -> None:
    anna, ben = two_operators()
    with guarded(anna, "down", target="s", options=Options()):
        began = ben.clock.now()
        with pytest.raises(LockHeldError), guarded(ben, "up", target="s", options=Options(wait_s=3)):
            pytest.fail("the second operator got in")
        assert (ben.clock.now() - began).total_seconds() == 3


def test_the_lock_of_a_dead_process_is_taken_over() -> None:
    first, table = memory_stack(), LockTable()
    MemoryLock(first.clock, table, user="ghost", pid=7).take("up")
    table.living.discard(7)
    ports = replace(first, lock=MemoryLock(first.clock, table, user="ben", pid=2))
    with guarded(ports, "up", target="s", options=Options()):
        holder = ports.lock.holder()
        assert holder is not None
        assert holder.user == "ben"


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (QfcError("no space left"), "failed: no space left"),
        (PartlyDoneError("2 of 3"), "partly done: 2 of 3"),
        (ValueError("password=secret"), "failed: ValueError"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_an_error_frees_the_lock_and_is_audited_without_secrets(error: BaseException, result: str) -> None:
    ports = memory_stack()
    with pytest.raises(type(error)), guarded(ports, "up", target="s", options=Options()):
        raise error
    assert ports.lock.holder() is None
    assert results(ports) == [result]


def test_a_change_leaves_a_line_before_it_and_one_after_it() -> None:
    ports, lines = memory_stack(), list[AuditEntry]()
    append = ports.audit.append
    ports.audit.append = lambda entry: (lines.append(entry), append(entry))  # pyright: ignore
    with guarded(ports, "up", target="s", options=Options()):
        assert [one.result for one in lines] == ["begun"]
        assert results(ports) == ["begun"], "whoever is killed now leaves this"
    assert [one.result for one in lines] == ["begun", "done"]
    assert lines[0].change == lines[1].change != ""
    assert results(ports) == ["done"]


class FullAuditLog(MemoryAuditLog):
    """An audit log on a full disk."""

    def append(self, entry: AuditEntry) -> None:
        raise QfcError(f"The line of {entry.command} cannot be written.")


@pytest.mark.parametrize(
    ("error", "seen"), [(None, "The line of up cannot be written"), (QfcError("no space left"), "no space left")]
)
def test_an_audit_log_that_cannot_be_written_is_reported_unless_it_would_hide_an_error(
    error: QfcError | None, seen: str
) -> None:
    ports, told = replace(memory_stack(), audit=FullAuditLog()), list[str]()
    with pytest.raises(QfcError, match=seen), guarded(ports, "up", target="s", options=Options(report=told.append)):
        assert told == ["Without a line in the log of operations: The line of up cannot be written."]
        if error:
            raise error
    assert ports.lock.holder() is None


def test_a_question_without_anybody_to_ask_is_refused_and_names_the_flag() -> None:
    ports = memory_stack()
    with (
        pytest.raises(NotConfirmedError) as caught,
        guarded(ports, "x", target="", options=Options(), question="Sure?"),
    ):
        pytest.fail("went on without a yes")
    assert "--yes" in caught.value.hint
    assert ports.lock.holder() is None
    assert results(ports)[0].startswith("refused")


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_before_the_lock_is_taken(answer: bool) -> None:
    ports = memory_stack()

    def ask(question: str) -> bool:
        assert question == "Sure?"
        assert ports.lock.holder() is None
        return answer

    entered = False
    try:
        with guarded(ports, "x", target="", options=Options(ask=ask), question="Sure?"):
            entered = True
    except NotConfirmedError:
        assert not answer
    assert entered is answer


def test_yes_needs_nobody_to_ask() -> None:
    with guarded(memory_stack(), "x", target="", options=Options(yes=True), question="Sure?") as guard:
        assert guard.step("go")


def test_who_finds_the_lock_free_finds_the_line_of_its_last_holder() -> None:
    class Attentive(MemoryLock):
        def release(self) -> None:
            seen.extend(results(ports))
            super().release()

    seen: list[str] = []
    ports = memory_stack()
    ports = replace(ports, lock=Attentive(ports.clock))
    with guarded(ports, "down", target="s", options=Options()):
        pass
    with pytest.raises(QfcError), guarded(ports, "up", target="s", options=Options()):
        raise QfcError("no")
    assert seen == ["done", "failed: no", "done"]

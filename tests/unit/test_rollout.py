"""The record of a deployment: its state after a crash at any moment, written and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.stack.model import Revision
from qfc.stack.rollout import (
    DeployState,
    ImageSource,
    Record,
    Step,
    Took,
    WayOut,
    as_document,
    from_document,
    needed_images,
    steps_of,
    way_out,
    what_was_left,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OLD, NEW = Revision("a" * 40, "v25.26"), Revision("b" * 40, "v25.27")
RECORD = Record("20260504-120000-ab", "deploy", NOW, "anna@desk", OLD, NEW, migrate=True, collectstatic=True)
STEPS = steps_of(RECORD)


def after(done: int, *, begun: bool) -> Record:
    """Return the record after that many steps, possibly with the next one started."""
    record = RECORD
    for step in STEPS[:done]:
        record = record.beginning(step).ending(step, ok=True, seconds=1)
    return record.beginning(STEPS[done]) if begun else record


def test_a_deployment_has_its_steps_in_their_order() -> None:
    assert tuple(step for step in Step if step is not Step.RESTORE) == STEPS


@pytest.mark.parametrize(
    ("change", "skipped", "added"),
    [
        ({"migrate": False}, Step.MIGRATE, None),
        ({"collectstatic": False}, Step.STATIC, None),
        ({"after": OLD}, Step.CHECKOUT, None),
        ({"restore": "deployments/x/database.dump"}, None, Step.RESTORE),
    ],
)
def test_steps_that_change_nothing_are_skipped(
    change: dict[str, object], skipped: Step | None, added: Step | None
) -> None:
    found = steps_of(replace(RECORD, **change))
    assert set(STEPS) - set(found) == ({skipped} if skipped else set())
    assert set(found) - set(STEPS) == ({added} if added else set())


@pytest.mark.parametrize("change", [{"branch_after": "main"}, {"env_from": "20260101-000000-aa"}])
def test_files_of_the_same_commit_are_checked_out_for_another_branch_or_env(change: dict[str, str]) -> None:
    assert Step.CHECKOUT in steps_of(replace(RECORD, after=OLD, **change))


@pytest.mark.parametrize("done", range(len(STEPS)))
@pytest.mark.parametrize("begun", [False, True])
def test_only_past_the_gate_it_is_finished(done: int, begun: bool) -> None:
    read = from_document(json.loads(json.dumps(as_document(after(done, begun=begun)))))
    is_past = Step.GATE in STEPS[:done]
    assert way_out(read) is (WayOut.FINISH if is_past else WayOut.UNDO)


def test_what_is_being_undone_is_undone() -> None:
    past_the_gate = after(len(STEPS) - 1, begun=True)
    assert way_out(replace(past_the_gate, state=DeployState.UNDOING)) is WayOut.UNDO


def test_a_step_that_failed_is_not_done() -> None:
    record = RECORD.beginning(Step.GATE).ending(Step.GATE, ok=False, seconds=1.23456)
    assert (record.begun, record.done, record.took) == ((Step.GATE,), (), (Took("gate", False, 1.235),))
    assert way_out(record) is WayOut.UNDO


def test_a_step_that_is_done_twice_is_written_down_once() -> None:
    once = RECORD.beginning(Step.DUMP).ending(Step.DUMP, ok=True, seconds=1)
    twice = once.beginning(Step.DUMP).ending(Step.DUMP, ok=True, seconds=2)
    assert (twice.begun, twice.done) == (once.begun, once.done)
    assert [took.seconds for took in twice.took] == [1, 2]


@pytest.mark.parametrize(("step", "changed"), [(Step.DUMP, False), (Step.RESTORE, True), (Step.MIGRATE, True)])
def test_data_are_changed_from_the_beginning_of_a_step(step: Step, changed: bool) -> None:
    assert RECORD.beginning(step).changed_data is changed


@pytest.mark.parametrize("done", range(len(STEPS)))
def test_what_was_left_names_the_step_and_whether_writers_are_held_off(done: int) -> None:
    said = what_was_left(after(done, begun=True))
    assert said.startswith(f"A deployment of v25.27 (bbbbbbbbbb) was interrupted at the step {STEPS[done]}.")
    assert said.endswith("Writes are still blocked.") is (Step.HOLD in STEPS[: done + 1])


def test_what_was_left_before_the_first_step_and_on_the_way_back() -> None:
    assert what_was_left(RECORD).endswith("at the step check.")
    undoing = replace(RECORD.beginning(Step.START), state=DeployState.UNDOING)
    assert (
        what_was_left(undoing) == "The undo of a deployment of v25.27 (bbbbbbbbbb) was interrupted at the step start."
    )


def test_writers_are_let_in_at_the_end() -> None:
    released = RECORD.beginning(Step.HOLD).beginning(Step.RELEASE).ending(Step.RELEASE, ok=True, seconds=0)
    assert "meanwhile" not in what_was_left(released)


@pytest.mark.parametrize("state", DeployState)
def test_a_deployment_is_open_until_it_has_come_to_an_end(state: DeployState) -> None:
    assert state.is_open is (state in (DeployState.RUNNING, DeployState.UNDOING))


def test_the_password_is_gone_at_the_end_and_never_told() -> None:
    record = replace(RECORD, password="hunter2")
    assert "hunter2" not in repr(record)
    assert as_document(record)["password"] == "hunter2"
    ended = record.ended(DeployState.DEPLOYED, NOW)
    assert (ended.password, ended.state, ended.ended_at) == ("", DeployState.DEPLOYED, NOW)
    assert "hunter2" not in json.dumps(as_document(ended))


def test_the_first_failure_stays_unless_another_is_told() -> None:
    failed = replace(RECORD, failure="The gate.")
    assert failed.ended(DeployState.ROLLED_BACK, NOW).failure == "The gate."
    assert failed.ended(DeployState.ROLLED_BACK, NOW, "The way back.").failure == "The way back."


def test_images_of_before_and_after_are_needed_for_the_way_back() -> None:
    first = replace(RECORD, images={"app": ("app:1", "sha256:1")}, new_images={"app": ("app:2", "sha256:2")})
    second = replace(RECORD, images={"app": ("app:2", "sha256:2"), "qgis": ("qgis:1", "sha256:3")})
    assert needed_images([first, second]) == {"sha256:1", "sha256:2", "sha256:3"}
    assert needed_images([]) == frozenset()


words = st.text(max_size=8)
steps = st.lists(st.sampled_from(Step), unique=True).map(tuple)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
images = st.dictionaries(words, st.tuples(words, words), max_size=3)
records = st.builds(
    Record,
    id=words,
    kind=st.sampled_from(["deploy", "rollback"]),
    began_at=moments,
    by=words,
    before=st.builds(Revision, words, words),
    after=st.builds(Revision, words, words),
    branch_before=st.none() | words,
    branch_after=st.none() | words,
    source=st.sampled_from(ImageSource),
    migrate=st.booleans(),
    collectstatic=st.booleans(),
    images=images,
    new_images=images,
    migrations=st.lists(words, max_size=3).map(tuple),
    dump=st.none() | words,
    restore=st.none() | words,
    env_from=st.none() | words,
    password=words,
    begun=steps,
    done=steps,
    took=st.lists(st.builds(Took, words, st.booleans(), st.floats(0, 1e6)), max_size=3).map(tuple),
    state=st.sampled_from(DeployState),
    ended_at=st.none() | moments,
    failure=words,
)


@given(records)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert from_document(json.loads(json.dumps(as_document(record)))) == record


def test_a_record_of_an_earlier_release_keeps_how_far_it_was_undone() -> None:
    written = as_document(replace(RECORD, unready_before=("certbot",), restored=True, writers_admitted=True))
    earlier = {"unready_before": "ailing", "restored": "is_back", "writers_admitted": "is_open"}
    old = {earlier.get(name, name): value for name, value in written.items()}
    assert from_document(old) == from_document(written)

"""Changes of jobs and deltas: nothing is applied twice or in two jobs, and the order is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from qfc.stack.model import Held, JobStatus
from qfc.stack.queue_changes import (
    CANCELLABLE,
    RETRYABLE,
    LockedDelta,
    LockedJob,
    plan_cancel,
    plan_reapply,
    plan_release,
    plan_retry,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def job(name: str, status: JobStatus = JobStatus.FAILED, type: str = "package", minute: int = 0) -> LockedJob:
    return LockedJob(name, status, type, "p", NOW + timedelta(minutes=minute))


def part(
    delta: str,
    status: str = "error",
    job: str | None = "a",
    open_job: str | None = None,
    minute: int = 0,
    project: str = "p",
) -> LockedDelta:
    return LockedDelta(delta, project, status, NOW + timedelta(minutes=minute), job, open_job)


def test_only_failed_and_stopped_jobs_are_tried_again() -> None:
    jobs = [job(str(status), status) for status in JobStatus]
    plan = plan_retry([one.id for one in jobs], jobs, [], skips_settled=True)
    assert set(plan.jobs) == {str(status) for status in RETRYABLE}
    assert {refusal.id for refusal in plan.refused} == {str(status) for status in JobStatus if status not in RETRYABLE}


def test_an_unknown_name_is_told() -> None:
    plan = plan_retry(["x"], [], [], skips_settled=True)
    assert [(refusal.id, refusal.reason) for refusal in plan.refused] == [("x", "It does not exist.")]


def test_retrying_an_apply_job_takes_what_never_arrived() -> None:
    parts = [part("1"), part("2", "applied"), part("3", "ignored"), part("4", "conflict"), part("5", open_job="b")]
    plan = plan_retry(["a"], [job("a", type="delta_apply")], parts, skips_settled=True)
    assert plan.jobs == ("a",)
    assert [taken.delta_id for taken in plan.parts] == ["1", "4"]


def test_an_apply_job_with_nothing_left_is_not_tried_again() -> None:
    plan = plan_retry(["a"], [job("a", type="delta_apply")], [part("1", "applied")], skips_settled=True)
    assert plan.jobs == ()
    assert "None of its edits" in plan.refused[0].reason


def test_workers_that_apply_everything_get_no_job_of_which_some_is_done() -> None:
    parts = [part("1"), part("2", "applied")]
    plan = plan_retry(["a"], [job("a", type="delta_apply")], parts, skips_settled=False)
    assert plan.jobs == ()
    assert "qfc deltas reapply --job a" in plan.refused[0].reason
    whole = plan_retry(["a"], [job("a", type="delta_apply")], [part("1")], skips_settled=False)
    assert whole.jobs == ("a",)


def test_a_delta_of_two_failed_jobs_goes_with_the_older_one() -> None:
    jobs = [job("b", type="delta_apply", minute=1), job("a", type="delta_apply")]
    parts = [part("1", job="a"), part("1", job="b"), part("2", job="b")]
    plan = plan_retry(["a", "b"], jobs, parts, skips_settled=True)
    assert plan.jobs == ("a", "b")
    assert [(taken.delta_id, taken.job_id) for taken in plan.parts] == [("1", "a"), ("2", "b")]


def test_waiting_and_running_jobs_are_cancelled() -> None:
    jobs = [job(str(status), status) for status in JobStatus]
    plan = plan_cancel([one.id for one in jobs], jobs, [], stops_running=True)
    assert set(plan.jobs) == {str(status) for status in CANCELLABLE}


def test_a_running_job_is_left_alone_where_its_worker_would_go_on() -> None:
    jobs = [job("a", JobStatus.STARTED), job("b", JobStatus.PENDING)]
    plan = plan_cancel(["a", "b"], jobs, [], stops_running=False)
    assert plan.jobs == ("b",)
    assert [refusal.id for refusal in plan.refused] == ["a"]


def test_cancelling_frees_the_deltas_that_wait() -> None:
    parts = [part("1", "pending"), part("2", "started"), part("3", "applied"), part("4", "pending", open_job="z")]
    plan = plan_cancel(["a"], [job("a", JobStatus.PENDING, "delta_apply")], parts, stops_running=True)
    assert plan.deltas == ("1", "2")


def test_reapply_leaves_alone_what_was_applied_or_waits() -> None:
    deltas = [part("1"), part("2", "applied"), part("3", open_job="z"), part("4", "conflict", minute=1)]
    plan = plan_reapply(["1", "2", "3", "4", "5"], deltas)
    assert [[delta.delta_id for delta in batch] for batch in plan.batches] == [["1", "4"]]
    assert {refusal.id for refusal in plan.refused} == {"2", "3", "5"}


statuses = st.sampled_from(["pending", "error", "applied", "conflict", "ignored"])


@given(rows=st.lists(st.tuples(statuses, st.sampled_from(["p", "q"]), st.booleans(), st.integers(0, 5)), max_size=40))
def test_reapply_keeps_the_order_and_every_delta_has_one_fate(rows: list[tuple[str, str, bool, int]]) -> None:
    deltas = [
        part(f"{number:03}", status, None, "z" if held else None, minute, project)
        for number, (status, project, held, minute) in enumerate(rows)
    ]
    plan = plan_reapply([delta.delta_id for delta in deltas], deltas)
    chosen = [delta for batch in plan.batches for delta in batch]
    fates = [delta.delta_id for delta in chosen] + [refusal.id for refusal in plan.refused]
    assert sorted(fates) == sorted(delta.delta_id for delta in deltas)
    assert all(delta.status != "applied" and delta.open_job_id is None for delta in chosen)
    for batch in plan.batches:
        assert len({delta.project_id for delta in batch}) == 1
        assert list(batch) == sorted(batch, key=lambda delta: (delta.created_at, delta.delta_id))


def test_a_big_backlog_becomes_several_jobs() -> None:
    deltas = [part(f"{number:05}", job=None, minute=number) for number in range(1001)]
    plan = plan_reapply([delta.delta_id for delta in deltas], deltas)
    assert [len(batch) for batch in plan.batches] == [1000, 1]


def held(one: LockedJob) -> Held:
    return Held(one.id, one.status, one.started_at, one.worker_id)


@given(
    st.sampled_from([JobStatus.QUEUED, JobStatus.STARTED]),
    st.sampled_from(["package", "delta_apply", "process_projectfile"]),
    st.lists(st.sampled_from(["pending", "started", "applied", "ignored", "error", "conflict"]), max_size=5),
    st.booleans(),
    st.booleans(),
)
@example(JobStatus.STARTED, "delta_apply", ["started"], True, False)
@example(JobStatus.QUEUED, "delta_apply", ["pending", "applied"], False, False)
def test_what_is_taken_from_a_dead_worker_is_never_applied_twice_nor_forgotten(
    status: JobStatus, type: str, states: list[str], has_effect: bool, skips_settled: bool
) -> None:
    one = job("a", status, type)
    parts = [part(str(number), state) for number, state in enumerate(states)]
    effect = ["a"] if has_effect else []
    plan = plan_release([held(one)], [one], parts, with_effect=effect, skips_settled=skips_settled)
    assert {*plan.requeued, *plan.failed} == {"a"}
    again = {taken.delta_id for taken in plan.parts}
    assert not again & {taken.delta_id for taken in parts if taken.status in ("applied", "ignored")}
    may_be_there = type == "delta_apply" and not skips_settled
    has_begun = status is JobStatus.STARTED and has_effect
    if may_be_there and (has_begun or {"applied", "ignored"} & set(states)):
        assert (plan.failed, again) == (("a",), set())
    else:
        assert plan.requeued == ("a",)
        assert again == {taken.delta_id for taken in parts if taken.status not in ("applied", "ignored")}


def test_a_delta_that_waits_in_another_job_is_not_put_back_with_its_dead_one() -> None:
    one = job("a", JobStatus.STARTED, "delta_apply")
    parts = [part("1", "started"), part("2", "started", open_job="b")]
    plan = plan_release([held(one)], [one], parts, with_effect=[], skips_settled=True)
    assert [taken.delta_id for taken in plan.parts] == ["1"]
    assert plan_release([held(one)], [one], parts, with_effect=[], skips_settled=False).failed == ("a",)


def test_a_job_that_another_worker_has_taken_meanwhile_is_not_touched() -> None:
    one = job("a", JobStatus.QUEUED)
    seen = held(one)
    for now in (replace(one, status=JobStatus.STARTED), replace(one, worker_id="w2"), replace(one, started_at=NOW)):
        plan = plan_release([seen], [now], [], with_effect=[], skips_settled=True)
        assert (plan.requeued, plan.failed) == ((), ())
        assert "has changed" in plan.refused[0].reason

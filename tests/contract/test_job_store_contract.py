"""The contract of every job store: the memory twin, our node's database, and those of official releases."""

from __future__ import annotations

import uuid
from dataclasses import replace

import psycopg
import pytest

from qfc.errors import NotFoundError, RefusedError, UsageError
from qfc.stack.model import Delta, Held, JobStatus
from qfc.stack.queue_changes import BULK_LIMIT
from queue_world import DatabaseWorld, World, before

UNKNOWN = "5f1c1e0a-0000-4000-8000-000000000000"


def test_an_empty_queue(world: World) -> None:
    depth = world.store.depth()
    assert (depth.pending, depth.queued, depth.started, depth.oldest_pending_s) == (0, 0, 0, 0)
    snapshot = world.store.snapshot()
    assert snapshot.pending == snapshot.active == ()
    assert world.store.jobs() == world.store.deltas() == world.store.workers() == ()
    statistics = world.store.statistics(since=before(60))
    assert (statistics.finished, statistics.failed, statistics.run.p50, statistics.sample) == (0, 0, None, 0)


def test_depth_counts_what_has_no_end(world: World) -> None:
    busy, free = world.project("busy"), world.project("free")
    world.job(busy, "started", started=5)
    world.job(busy, made=30)
    world.job(free, made=20)
    world.job(free, "finished", ended=1)
    depth = world.store.depth()
    assert (depth.pending, depth.queued, depth.started) == (2, 0, 1)
    assert depth.oldest_pending_s == pytest.approx((world.now() - before(30)).total_seconds(), abs=60)


def test_a_snapshot_counts_every_waiting_job_once(world: World) -> None:
    busy, free = world.project("busy"), world.project("free")
    running = world.job(busy, "started", started=5)
    waiting = [world.job(busy, made=30), world.job(free, made=20), world.job(free, made=10)]
    snapshot = world.store.snapshot()
    counts = snapshot.counts
    assert (counts.project_locked, counts.project_busy, counts.postponed, counts.claimable) == (0, 1, 0, 2)
    assert [job.id for job in snapshot.active] == [running]
    assert [job.id for job in snapshot.pending] == waiting


def test_a_snapshot_is_bounded_and_its_counts_are_not(world: World) -> None:
    project = world.project("survey")
    oldest = world.job(project, made=99)
    for made in range(5):
        world.job(project, made=made)
    snapshot = world.store.snapshot(limit=1)
    assert [job.id for job in snapshot.pending] == [oldest]
    assert snapshot.counts.claimable == snapshot.depth.pending == 6


def test_jobs_come_newest_first_and_by_filter(world: World) -> None:
    one, two = world.project("one"), world.project("two")
    old = world.job(one, "failed", made=50, ended=40)
    young = world.job(one, "finished", type="delta_apply", made=5, ended=4)
    other = world.job(two, made=20)
    store = world.store
    assert [job.id for job in store.jobs()] == [young, other, old]
    assert [job.id for job in store.jobs(limit=1)] == [young]
    assert [job.id for job in store.jobs(project_id=one)] == [young, old]
    assert [job.id for job in store.jobs(type="package")] == [other, old]
    assert [job.id for job in store.jobs(since=before(21))] == [young, other]
    assert [job.id for job in store.jobs(statuses=[JobStatus.FAILED, JobStatus.PENDING])] == [other, old]
    assert store.jobs(project_id=UNKNOWN) == ()


def test_a_job_with_all_that_is_known(world: World) -> None:
    project = world.project("survey")
    name = world.job(project, "failed", made=9, started=8, ended=7, feedback={"error": "x", "steps": []}, output="log")
    job = world.store.job(name)
    assert (job.project, job.project_id, job.created_by, job.type) == ("alice/survey", project, "alice", "package")
    assert (job.status, job.created_at, job.started_at) == (JobStatus.FAILED, before(9), before(8))
    assert (job.finished_at, job.feedback, job.output) == (before(7), {"error": "x", "steps": []}, "log")
    listed = world.store.jobs()[0]
    assert (listed.id, listed.feedback, listed.output) == (name, None, None)


def test_the_beginning_of_an_id_will_do(world: World) -> None:
    project = world.project("survey")
    name = world.job(project)
    delta = world.delta(project)
    assert world.store.job(name[:8]).id == world.store.job(name.upper()).id == name
    assert world.store.delta(delta[:10]).id == delta


@pytest.mark.parametrize("name", [UNKNOWN, UNKNOWN[:6], "x", "", "'; drop table core_job", "ab"])
def test_a_job_that_is_not_there(world: World, name: str) -> None:
    world.job(world.project("survey"))
    with pytest.raises(NotFoundError):
        world.store.job(name)
    with pytest.raises(NotFoundError):
        world.store.delta(name)


def test_a_beginning_that_fits_several(world: World) -> None:
    project = world.project("survey")
    by_beginning: dict[str, list[str]] = {}
    while not any(len(names) > 1 for names in by_beginning.values()):
        name = world.delta(project)
        by_beginning.setdefault(name[:4], []).append(name)
        if len(by_beginning) > 2000:
            pytest.fail("no two ids begin alike")
    beginning = next(beginning for beginning, names in by_beginning.items() if len(names) > 1)
    with pytest.raises(UsageError):
        world.store.delta(beginning)


def test_ended_jobs_come_last_end_first(world: World) -> None:
    project = world.project("survey")
    early = world.job(project, "finished", made=90, started=89, ended=30)
    late = world.job(
        project, "failed", made=80, started=79, ended=10, feedback={"error": "e", "steps": [1]}, output="z"
    )
    world.job(project, "finished", made=400, started=399, ended=300)
    world.job(project)
    ended = world.store.ended(since=before(60))
    assert [job.id for job in ended] == [late, early]
    assert (ended[0].feedback, ended[0].output, ended[0].finished_at) == ({"error": "e"}, "z", before(10))
    assert (ended[1].feedback, ended[1].output) == (None, None)
    assert [job.id for job in world.store.ended(since=before(60), statuses=[JobStatus.FINISHED])] == [early]
    assert [job.id for job in world.store.ended(since=before(60), limit=1)] == [late]


def test_statistics_measure_finished_jobs_only(world: World) -> None:
    project = world.project("survey")
    for minutes in (1, 2, 3, 4):
        world.job(project, "finished", made=30, started=20, ended=20 - minutes)
    world.job(project, "failed", made=30, started=29, ended=1)
    world.job(project, "finished", made=900, started=800, ended=700)
    found = world.store.statistics(since=before(60))
    assert (found.finished, found.failed, found.stopped, found.sample) == (4, 1, 0, 4)
    assert (found.run.p50, found.run.p95, found.run.max) == (120, 240, 240)
    assert (found.wait.p50, found.wait.max) == (600, 600)


def test_deltas_come_in_the_order_of_arrival_and_by_filter(world: World) -> None:
    one, two = world.project("one"), world.project("two")
    job = world.job(one, "failed", type="delta_apply", ended=1)
    second = world.delta(one, "error", job=job, made=5)
    first = world.delta(one, "applied", job=job, made=9)
    other = world.delta(two, made=7)
    store = world.store

    def ids(found: tuple[Delta, ...]) -> list[str]:
        return [delta.id for delta in found]

    assert ids(store.deltas()) == [first, other, second]
    assert ids(store.deltas(limit=2)) == [first, other]
    assert ids(store.deltas(statuses=["error", "pending"])) == [other, second]
    assert ids(store.deltas(project_id=two)) == [other]
    assert ids(store.deltas(job_id=job)) == [first, second]
    assert store.deltas(job_id=UNKNOWN) == ()


def test_deltas_of_a_person_and_of_an_age(world: World) -> None:
    world.person("bob")
    project = world.project("survey")
    old, young = world.delta(project, made=90, by="bob"), world.delta(project, made=5, by="bob")
    other = world.delta(project, made=80)
    store = world.store

    def ids(found: tuple[Delta, ...]) -> list[str]:
        return [delta.id for delta in found]

    assert ids(store.deltas(created_by="bob")) == ids(store.deltas(created_by="BOB")) == [old, young]
    assert ids(store.deltas(before=before(80))) == [old]
    assert ids(store.deltas(before=before(79))) == [old, other]
    assert ids(store.deltas(created_by="alice", before=before(1), limit=1)) == [other]
    assert store.deltas(created_by="nobody") == ()


def test_a_delta_with_all_that_is_known(world: World) -> None:
    project = world.project("survey")
    name = world.delta(project, "error")
    delta = world.store.delta(name)
    assert (delta.project, delta.status, delta.method, delta.layer_id) == ("alice/survey", "error", "create", "trees_1")
    assert (delta.created_by, delta.feedback) == ("alice", {"msg": "it went wrong"})
    assert delta.content is not None
    assert delta.content["uuid"] == name
    assert world.store.deltas()[0].content is None


def test_reset_changes_only_what_is_allowed(world: World) -> None:
    project = world.project("survey")
    failed, done = world.job(project, "failed", ended=1), world.job(project, "finished", ended=1)
    names = [failed, done, UNKNOWN]
    changed = world.store.reset_jobs(names, allowed=[JobStatus.FAILED], to=JobStatus.PENDING)
    assert changed == (failed,)
    assert world.store.job(failed).status is JobStatus.PENDING
    assert world.store.job(done).status is JobStatus.FINISHED


def test_retry_makes_a_job_as_new(world: World) -> None:
    name = world.job(world.project("survey"), "failed", started=5, ended=4)
    assert world.store.retry([name]).jobs == (name,)
    job = world.store.job(name)
    assert (job.status, job.started_at, job.finished_at) == (JobStatus.PENDING, None, None)
    assert world.store.retry([name]).jobs == ()


def test_retry_takes_along_what_never_arrived(world: World) -> None:
    project = world.project("survey")
    job = world.job(project, "failed", type="delta_apply", ended=1)
    lost = world.delta(project, "error", job=job)
    change = world.store.retry([job])
    assert (change.jobs, change.deltas, change.refused) == ((job,), (lost,), ())
    assert world.store.delta(lost).status == "pending"
    assert world.part_status(job, lost) == "pending"


def test_retry_never_applies_a_delta_twice(world: World) -> None:
    project = world.project("survey")
    job = world.job(project, "failed", type="delta_apply", ended=1)
    arrived, lost = world.delta(project, "applied", job=job), world.delta(project, "error", job=job)
    change = world.store.retry([job])
    assert arrived not in change.deltas
    assert world.part_status(job, arrived) == "applied"
    assert world.store.delta(arrived).status == "applied"
    if world.has_leases:
        assert (change.jobs, change.deltas) == ((job,), (lost,))
    else:
        assert (change.jobs, change.deltas) == ((), ())
        assert "deltas reapply" in change.refused[0].reason


@pytest.mark.parametrize("details", ["{}", '{"datasource": "dbname=gis"}'])
def test_a_job_whose_edits_may_be_in_the_data_is_not_tried_again(world: World, details: str) -> None:
    project = world.project("survey", details=details)
    job = world.job(project, "failed", type="delta_apply", started=5, ended=1)
    delta = world.delta(project, "error", job=job, feedback={"in_doubt": True})
    change = world.store.retry([job])
    if world.has_leases or (world.tells_effects and details == "{}"):
        assert (change.jobs, change.deltas) == ((job,), (delta,))
        return
    assert (change.jobs, change.deltas) == ((), ())
    assert f"qfc deltas reapply {delta}" in change.refused[0].reason
    assert world.store.delta(delta).status == "error"


def test_no_job_and_no_edit_outlives_its_project(world: World) -> None:
    project = world.project("survey")
    world.delta(project, job=world.job(project, type="delta_apply"))
    kept = world.job(world.project("other"))
    if isinstance(world, DatabaseWorld):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            world.execute(f"delete from {world.project_table}")
    world.delete_project(project)
    assert [job.id for job in world.store.jobs()] == [kept]
    assert world.store.deltas() == ()


def test_a_delta_that_waits_elsewhere_is_not_taken(world: World) -> None:
    project = world.project("survey")
    failed = world.job(project, "failed", type="delta_apply", ended=1)
    open_job = world.job(project, type="delta_apply")
    delta = world.delta(project, "error", job=failed)
    world.part(open_job, delta, "pending")
    change = world.store.retry([failed])
    assert (change.jobs, change.deltas) == ((), ())
    assert [refusal.id for refusal in change.refused] == [failed]
    again = world.store.reapply([delta])
    assert again.jobs == ()
    assert open_job in again.refused[0].reason


def test_cancel_stops_what_waits_and_keeps_its_deltas(world: World) -> None:
    project = world.project("survey")
    job = world.job(project, type="delta_apply")
    delta = world.delta(project, "pending", job=job)
    change = world.store.cancel([job])
    assert (change.jobs, change.deltas, change.refused) == ((job,), (delta,), ())
    assert world.store.job(job).status is JobStatus.STOPPED
    assert world.store.job(job).finished_at is not None
    assert world.store.delta(delta).status == "pending"
    assert world.part_status(job, delta) == "not_applied"
    assert world.store.cancel([job]).jobs == ()


def test_cancel_takes_a_running_job_only_where_its_worker_notices(world: World) -> None:
    job = world.job(world.project("survey"), "started", started=1)
    change = world.store.cancel([job])
    assert change.jobs == ((job,) if world.has_leases else ())
    assert bool(change.refused) is not world.has_leases


def held(world: World, name: str) -> Held:
    job = world.store.job(name)
    return Held(job.id, job.status, job.started_at, job.worker_id)


@pytest.mark.parametrize("status", ["queued", "started"])
def test_a_job_of_a_dead_worker_waits_again_with_its_edits(world: World, status: str) -> None:
    project = world.project("survey")
    started = 5 if status == "started" else None
    job = world.job(project, status, type="delta_apply", started=started)
    delta = world.delta(project, "started", job=job)
    change = world.store.release([held(world, job)])
    if not (world.has_leases or world.tells_effects) and status == "started":
        assert (change.requeued, change.failed, change.doubtful) == ((), (job,), (delta,))
        return
    assert (change.requeued, change.failed, change.deltas, change.refused) == ((job,), (), (delta,), ())
    again = world.store.job(job)
    assert (again.status, again.started_at, again.worker_id) == (JobStatus.PENDING, None, None)
    assert world.store.delta(delta).status == "pending"
    assert world.part_status(job, delta) == "pending"


def test_edits_of_a_project_with_a_database_elsewhere_are_in_doubt(world: World) -> None:
    project = world.project("survey", details='{"layers_by_id": {"a": {"datasource": "dbname=\'gis\' host=db"}}}')
    job = world.job(project, "started", type="delta_apply", started=5)
    delta = world.delta(project, "started", job=job)
    change = world.store.release([held(world, job)])
    expected = ((job,), ()) if world.has_leases else ((), (job,))
    assert (change.requeued, change.failed) == expected
    assert world.store.delta(delta).is_in_doubt is not world.has_leases


def test_edits_that_may_be_in_the_data_are_never_applied_again_by_themselves(world: World) -> None:
    project = world.project("survey")
    job = world.job(project, "started", type="delta_apply", started=5)
    arrived, open_one = world.delta(project, "applied", job=job), world.delta(project, "started", job=job)
    change = world.store.release([held(world, job)])
    assert world.store.delta(arrived).status == "applied"
    assert world.part_status(job, arrived) == "applied"
    if world.has_leases:
        assert (change.requeued, change.deltas) == ((job,), (open_one,))
        return
    assert (change.requeued, change.failed, change.doubtful) == ((), (job,), (open_one,))
    failed = world.store.job(job)
    assert (failed.status, failed.feedback and failed.feedback["error_type"]) == (JobStatus.FAILED, "WORKER_DIED")
    assert world.store.delta(open_one).status == "error"
    assert "may be in the data" in str(world.store.delta(open_one).feedback)
    assert world.store.reapply([open_one]).deltas == (open_one,)


def test_a_job_that_changed_since_it_was_looked_at_is_left_alone(world: World) -> None:
    job = world.job(world.project("survey"), "queued")
    seen = held(world, job)
    world.store.reset_jobs([job], allowed=[JobStatus.QUEUED], to=JobStatus.PENDING)
    change = world.store.release([seen, replace(seen, id=UNKNOWN)])
    assert (change.requeued, change.failed) == ((), ())
    assert {refusal.id for refusal in change.refused} == {job, UNKNOWN}


def test_a_dry_run_releases_nothing(world: World) -> None:
    job = world.job(world.project("survey"), "started", started=5)
    assert world.store.release([held(world, job)], dry_run=True).requeued == (job,)
    assert world.store.job(job).status is JobStatus.STARTED
    assert world.store.release([held(world, job)]).requeued == (job,)


def test_reapply_makes_one_job_a_project_in_order(world: World) -> None:
    one, two = world.project("one"), world.project("two")
    late, early = world.delta(one, "error", made=1), world.delta(one, "conflict", made=9)
    other, done = world.delta(two, "pending"), world.delta(two, "applied")
    change = world.store.reapply([late, early, other, done])
    assert len(change.jobs) == 2
    assert [refusal.id for refusal in change.refused] == [done]
    jobs = [world.store.job(name) for name in change.jobs]
    assert {job.project_id for job in jobs} == {one, two}
    assert {(job.status, job.type, job.created_by) for job in jobs} == {(JobStatus.PENDING, "delta_apply", "alice")}
    (first,) = [job.id for job in jobs if job.project_id == one]
    assert [delta.id for delta in world.store.deltas(job_id=first)] == [early, late]
    assert {delta.status for delta in world.store.deltas(job_id=first)} == {"pending"}
    assert world.store.reapply([late]).jobs == ()


def test_a_cancelled_delta_can_be_applied_again(world: World) -> None:
    project = world.project("survey")
    job = world.job(project, type="delta_apply")
    delta = world.delta(project, "pending", job=job)
    world.store.cancel([job])
    change = world.store.reapply([delta])
    assert change.deltas == (delta,)
    assert world.part_status(change.jobs[0], delta) == "pending"


def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    project = world.project("survey")
    failed = world.job(project, "failed", type="delta_apply", ended=1)
    lost = world.delta(project, "error", job=failed)
    waiting = world.job(project)
    dry = world.store.retry([failed], dry_run=True)
    assert (dry.jobs, dry.deltas) == ((failed,), (lost,))
    assert len(world.store.reapply([lost], dry_run=True).jobs) == 1
    assert world.store.cancel([waiting], dry_run=True).jobs == (waiting,)
    assert world.store.job(failed).status is JobStatus.FAILED
    assert world.store.delta(lost).status == "error"
    assert world.store.job(waiting).status is JobStatus.PENDING
    assert len(world.store.jobs()) == 2
    assert world.store.retry([failed]).deltas == (lost,)


def test_what_is_not_there_is_told(world: World) -> None:
    for change in (world.store.retry([UNKNOWN]), world.store.cancel(["nonsense"]), world.store.reapply([UNKNOWN])):
        assert (change.jobs, change.deltas) == ((), ())
        assert [refusal.reason for refusal in change.refused] == ["It does not exist."]


def test_too_many_at_a_time_are_refused(world: World) -> None:
    names = [str(uuid.uuid4()) for _ in range(BULK_LIMIT + 1)]
    for change in (world.store.retry, world.store.cancel, world.store.reapply):
        with pytest.raises(RefusedError):
            change(names)


def test_a_waiting_job_can_be_made_the_next_one(world: World) -> None:
    first, second = world.project("first"), world.project("second")
    old, new, running = world.job(first, made=50), world.job(second, made=1), world.job(second, "started", started=1)
    world.store.move_to_front(new)
    world.store.move_to_front(running)
    world.store.move_to_front(UNKNOWN)
    assert [job.id for job in world.store.snapshot().pending] == [new, old]
    assert world.store.job(running).created_at > before(60)


def waiting(world: World) -> list[str]:
    return [job.id for job in world.store.snapshot().pending]


def test_edits_that_are_applied_again_come_before_packages_of_their_project(world: World) -> None:
    project, other = world.project("survey"), world.project("other")
    package, elsewhere = world.job(project, made=30), world.job(other, made=40)
    (made,) = world.store.reapply([world.delta(project, "error", made=20)]).jobs
    assert waiting(world) == [elsewhere, made, package]


def test_edits_that_are_applied_again_keep_the_order_of_their_arrival(world: World) -> None:
    project = world.project("survey")
    package = world.job(project, made=50)
    between = world.job(project, made=25, type="delta_apply")
    world.delta(project, job=between, made=25)
    late, early = world.delta(project, "error", made=20), world.delta(project, "error", made=30)
    (after,) = world.store.reapply([late]).jobs
    (before_all,) = world.store.reapply([early]).jobs
    assert waiting(world) == [before_all, between, after, package]


def test_a_retried_package_does_not_come_before_edits_that_wait(world: World) -> None:
    project = world.project("survey")
    failed = world.job(project, "failed", made=50, ended=40)
    edits = world.job(project, type="delta_apply", made=30)
    world.delta(project, job=edits)
    world.store.retry([failed])
    assert waiting(world) == [edits, failed]


def test_retried_and_released_edits_come_before_packages(world: World) -> None:
    project = world.project("survey")
    package = world.job(project, made=90)
    failed = world.job(project, "failed", type="delta_apply", made=50, ended=40)
    stuck = world.job(project, "queued", type="delta_apply", made=60)
    for job, status in ((failed, "error"), (stuck, "started")):
        world.delta(project, status, job=job)
    assert world.store.release([held(world, stuck)]).requeued == (stuck,)
    assert waiting(world) == [stuck, package]
    world.store.retry([failed])
    assert set(waiting(world)[:2]) == {stuck, failed}
    assert waiting(world)[2:] == [package]


def test_jobs_in_the_right_order_keep_their_age(world: World) -> None:
    project = world.project("survey")
    package = world.job(project, made=5)
    failed = world.job(project, "failed", type="delta_apply", made=50, ended=40)
    world.delta(project, "error", job=failed)
    world.store.retry([failed])
    assert waiting(world) == [failed, package]
    assert world.store.job(failed).created_at == before(50)


def test_only_waiting_jobs_are_cancelled_where_that_is_asked(world: World) -> None:
    project = world.project("survey")
    running, waits = world.job(project, "started", started=1), world.job(project)
    change = world.store.cancel([running, waits], only_waiting=True)
    assert (change.jobs, [refusal.id for refusal in change.refused]) == ((waits,), [running])


def test_old_locks_are_taken_away_where_no_job_works(world: World) -> None:
    old, young, busy = world.project("old", locked=90), world.project("young", locked=5), world.project("b", locked=90)
    free = world.project("free")
    waits = world.job(old)
    world.job(busy, "started", started=1)
    names = [old, young, busy, free, UNKNOWN, "nonsense"]
    keeps_locks = world.store.job(waits).project_locked_at is not None
    expected = (old,) if keeps_locks else ()
    assert world.store.unlock(names, locked_before=before(60), dry_run=True) == expected
    assert (world.store.job(waits).project_locked_at is not None) is keeps_locks
    assert world.store.unlock(names, locked_before=before(60)) == expected
    assert world.store.job(waits).project_locked_at is None
    assert world.store.unlock(names, locked_before=before(60)) == ()


def test_what_devices_sent_comes_in_pieces_in_the_order_of_arrival(world: World) -> None:
    project, other = world.project("survey"), world.project("other")
    deltas = [world.delta(project, made=made) for made in (30, 20, 20, 10)]
    world.delta(other)
    first = world.store.delta_contents(project, limit=2)
    rest = world.store.delta_contents(project, after=first[-1], limit=10)
    found = [*first, *rest]
    assert {one.id for one in found} == set(deltas)
    assert [one.created_at for one in found] == sorted(one.created_at for one in found)
    assert all(one.content is not None and one.content["uuid"] == one.id for one in found)
    assert world.store.delta_contents(project, after=found[-1]) == ()


def test_worked_jobs_have_their_times_and_come_in_order(world: World) -> None:
    first, second = world.project("first"), world.project("second")
    world.job(first, "finished", made=50, started=40, ended=38)
    world.job(second, "failed", made=60, started=30, ended=25)
    world.job(first, "stopped", made=20, started=None, ended=19)
    world.job(first, "started", made=10, started=9)
    world.job(first, "finished", made=900, started=890, ended=880)
    jobs = world.store.worked(since=before(100))
    assert [(job.project, job.wait_s, job.service_s) for job in jobs] == [
        (second, pytest.approx(30 * 60), pytest.approx(5 * 60)),
        (first, pytest.approx(10 * 60), pytest.approx(2 * 60)),
    ]
    assert jobs[0].created_s == pytest.approx(before(60).timestamp(), abs=1)
    assert jobs[0].author == jobs[1].author != ""
    assert [job.project for job in world.store.worked(since=before(1000), limit=1)] == [first]


def test_projects_are_named_by_id(world: World) -> None:
    project = world.project("survey")
    world.job(project, "finished", ended=1)
    assert world.store.project_names([project, UNKNOWN]) == {project: "alice/survey"}

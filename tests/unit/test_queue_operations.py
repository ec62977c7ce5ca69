"""Operations on the queue, on a stack in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from qfc.checks.evidence import Evidence
from qfc.errors import CommandError, NotConfirmedError, NotFoundError, UsageError
from qfc.operations.db_migrate import db_migrate
from qfc.operations.db_status import db_status
from qfc.operations.deltas_filter import DeltaFilter
from qfc.operations.deltas_list import deltas_list, deltas_show, deltas_summary
from qfc.operations.deltas_reapply import DeltaSelection, deltas_reapply
from qfc.operations.guard import Options
from qfc.operations.jobs_change import JobSelection, jobs_cancel, jobs_retry
from qfc.operations.jobs_cleanup import jobs_cleanup
from qfc.operations.jobs_list import jobs_list, jobs_show
from qfc.operations.projects_status import projects_status
from qfc.operations.sync_queue import sync_queue
from qfc.operations.sync_recent import sync_failed, sync_recent
from qfc.operations.users_create import users_create, users_password
from qfc.operations.users_disable import users_disable
from qfc.operations.users_quota import users_quota
from qfc.operations.workers_change import workers_drain, workers_restart, workers_scale
from qfc.operations.workers_list import workers_list
from qfc.stack.model import JobStatus, Worker
from qfc.stack.queue_changes import BULK_LIMIT
from queue_world import MemoryWorld, before, moment
from twins import MemoryPorts, memory_stack

YES = Options(yes=True)
DRY = Options(dry_run=True)


@pytest.fixture
def ports() -> MemoryPorts:
    stack = memory_stack()
    stack.clock.moment = moment()
    stack.runtime.start(None)
    return stack


@pytest.fixture
def world(ports: MemoryPorts) -> MemoryWorld:
    return MemoryWorld(ports.jobs, ports.directory)


def audited(ports: MemoryPorts) -> list[tuple[str, str, str]]:
    return [(entry.command, entry.target, entry.result) for entry in ports.audit.entries()]


def test_the_queue_is_explained(ports: MemoryPorts, world: MemoryWorld) -> None:
    busy, free = world.project("busy"), world.project("free")
    running = world.job(busy, "started", made=20, started=15)
    ports.jobs.job_rows[running] = replace(ports.jobs.job_rows[running], worker_id="w1")
    ports.jobs.worker_rows.append(Worker("w1", "busy"))
    waits, oldest = world.job(busy, made=5), world.job(free, made=9)
    result = sync_queue(ports)
    assert (result.depth.pending, result.depth.started, result.oldest_pending_s, result.workers) == (2, 1, 540, 1)
    assert (result.waiting.project_busy, result.waiting.no_free_worker) == (1, 1)
    assert [job.id for job in result.jobs] == [running, oldest, waits]
    running_why, oldest_why, waits_why = [job.why or "" for job in result.jobs]
    assert running_why.startswith("Has been running on worker w1 since")
    assert oldest_why == "No worker is free."
    assert waits_why.startswith("Its project has been busy since")
    assert result.jobs[0].age_s == 20 * 60


def test_recent_jobs_and_their_failures(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    for ended in (1, 2, 3):
        world.job(project, "finished", made=30, started=20, ended=ended)
    timeout = {"error": "Worker timeout error.", "error_type": "TIMEOUT"}
    failed = world.job(project, "failed", made=30, started=20, ended=4, feedback=timeout)
    recent = sync_recent(ports, hours=1)
    assert (recent.finished, recent.failed, recent.success_rate) == (3, 1, 0.75)
    assert (recent.seconds.p50, recent.seconds.max) == (18 * 60, 19 * 60)
    assert len(recent.jobs) == 4
    only_failed = sync_failed(ports, hours=1)
    (job,) = only_failed.jobs
    assert (job.id, job.cause, job.error) == (failed, "server", "Worker timeout error.")
    assert job.signature == "D04 the job reached its time limit"
    (group,) = only_failed.groups
    assert (group.count, group.projects, group.signature) == (1, ("alice/survey",), job.signature)


def test_groups_count_failures_that_are_not_listed(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    for _ in range(3):
        world.job(project, "failed", ended=4, feedback={"error_type": "API_FORBIDDEN"})
    world.job(project, "failed", ended=5, feedback={"error_type": "TIMEOUT"})
    result = sync_failed(ports, hours=1, limit=1)
    assert len(result.jobs) == 1
    assert [group.count for group in result.groups] == [3, 1]


@pytest.mark.parametrize("hours", [0, -1, 1e9, float("nan"), float("inf")])
def test_hours_that_cannot_be(ports: MemoryPorts, hours: float) -> None:
    with pytest.raises(UsageError):
        sync_recent(ports, hours=hours)


def test_jobs_are_listed_with_reasons(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    world.job(project, "finished", made=5, ended=4)
    world.job(project, made=1)
    waiting, done = jobs_list(ports).jobs
    assert (waiting.why, done.why) == ("No worker is running.", None)
    assert jobs_list(ports, statuses=[JobStatus.FINISHED], project="alice/survey").jobs == (done,)
    with pytest.raises(NotFoundError):
        jobs_list(ports, project="survey")


def test_jobs_say_since_when_they_were_seen_as_they_are(ports: MemoryPorts, world: MemoryWorld) -> None:
    job = world.job(world.project("survey"), made=600)
    world.job(world.project("done"), "finished", made=5, ended=4)
    assert [line.seen_since for line in sync_queue(ports).jobs] == [moment()]
    ports.clock.moment = moment() + timedelta(minutes=3)
    assert [line.seen_since for line in jobs_list(ports).jobs] == [None, moment()]
    ports.jobs.job_rows[job] = replace(ports.jobs.job_rows[job], status=JobStatus.QUEUED)
    ports.clock.moment = moment() + timedelta(minutes=4)
    assert jobs_show(ports, job).job.seen_since == moment() + timedelta(minutes=4)
    (held,) = Evidence(ports).queue().active
    assert Evidence(ports).held_s(held) == 60
    assert [one.status for one in ports.transitions.known] == [JobStatus.PENDING, JobStatus.QUEUED]


def test_a_job_is_shown_with_its_edits(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    job = world.job(
        project, "failed", type="delta_apply", ended=1, feedback={"error_type": "TIMEOUT"}, output="the log"
    )
    delta = world.delta(project, "error", job=job)
    shown = jobs_show(ports, job[:8])
    assert (shown.cause, shown.output) == ("server", "the log")
    assert [one.id for one in shown.deltas] == [delta]


def test_a_job_named_is_tried_again_without_a_question(ports: MemoryPorts, world: MemoryWorld) -> None:
    job = world.job(world.project("survey"), "failed", ended=1)
    result = jobs_retry(ports, JobSelection([job[:9]]), Options())
    assert (result.jobs, result.exit_code) == ((job,), 0)
    assert audited(ports) == [("jobs retry", job, "1 job, 0 edits")]


def test_a_job_that_cannot_be_tried_again_is_refused(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    done, failed = world.job(project, "finished", ended=1), world.job(project, "failed", ended=1)
    assert jobs_retry(ports, JobSelection([done]), Options()).exit_code == 4
    assert jobs_retry(ports, JobSelection([done, failed]), Options()).exit_code == 5
    with pytest.raises(NotFoundError):
        jobs_retry(ports, JobSelection(["00000000"]), Options())


def test_jobs_by_filter_need_a_yes(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    world.job(project, "failed", ended=1)
    world.job(project, "failed", type="delta_apply", ended=1)
    with pytest.raises(NotConfirmedError):
        jobs_retry(ports, JobSelection(everything=True), Options())
    assert len(jobs_retry(ports, JobSelection(everything=True), DRY).jobs) == 1
    result = jobs_retry(ports, JobSelection(everything=True), YES)
    assert (len(result.jobs), len(result.refused), result.exit_code) == (1, 1, 0)
    with pytest.raises(UsageError):
        jobs_retry(ports, JobSelection(), YES)


def test_a_dry_run_changes_nothing_and_is_not_audited(ports: MemoryPorts, world: MemoryWorld) -> None:
    job = world.job(world.project("survey"))
    result = jobs_cancel(ports, JobSelection([job]), DRY)
    assert (result.jobs, result.dry_run) == ((job,), True)
    assert ports.jobs.job(job).status is JobStatus.PENDING
    assert audited(ports) == []


def test_cancelled_edits_are_listed_and_applied_again(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    job = world.job(project, type="delta_apply")
    delta = world.delta(project, "pending", job=job)
    assert jobs_cancel(ports, JobSelection([job]), Options()).deltas == (delta,)
    (listed,) = deltas_list(ports).deltas
    assert (listed.id, listed.status, listed.age_s) == (delta, "pending", 600)
    result = deltas_reapply(ports, DeltaSelection(wanted=DeltaFilter(project="alice/survey")), YES)
    assert result.deltas == (delta,)
    assert ports.jobs.job(result.jobs[0]).status is JobStatus.PENDING


def test_failures_of_one_kind_are_told_with_whom_they_hit_and_what_to_do(
    ports: MemoryPorts, world: MemoryWorld
) -> None:
    world.person("bob")
    one, two = world.project("one"), world.project("two")
    timeout = {"error": "Worker timeout error.", "error_type": "TIMEOUT"}
    world.job(one, "failed", made=90, started=80, ended=50, feedback=timeout, by="bob")
    newest = world.job(two, "failed", made=90, started=80, ended=10, feedback=timeout)
    strange = {"error": "boom", "error_origin": "worker_wrapper"}
    server = world.job(one, "failed", ended=5, feedback=strange)
    world.job(one, "failed", ended=4, feedback={"error": "boom"})
    groups = sync_failed(ports, hours=1, limit=1).groups
    assert [(group.count, group.cause) for group in groups] == [(2, "server"), (1, "server"), (1, "unknown")]
    first = groups[0]
    assert (first.first, first.last, first.job_id) == (before(50), before(10), newest)
    assert (first.projects, first.people) == (("alice/one", "alice/two"), ("alice", "bob"))
    assert "WORKER_TIMEOUT_S" in first.fix
    assert groups[1].job_id == server
    assert "qfc jobs show" in groups[1].fix


def lost_edits(world: MemoryWorld) -> tuple[str, str, str, str]:
    """Create edits that did not arrive: two of alice, one of bob, one in another project."""
    world.person("bob")
    one, two = world.project("one"), world.project("two")
    layer, feature = {"msg": 'No layer with id "a"'}, {"msg": "Unable to find feature"}
    return (
        world.delta(one, "not_applied", made=3000, feedback=layer),
        world.delta(one, "not_applied", made=100, feedback=feature),
        world.delta(one, "not_applied", made=50, feedback=layer, by="bob"),
        world.delta(two, "error", made=10),
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (DeltaFilter(by="BOB"), [2]),
        (DeltaFilter(older="2d"), [0]),
        (DeltaFilter(older="1h 30m"), [0, 1]),
        (DeltaFilter(reason="f02"), [0, 2]),
        (DeltaFilter(reason="find feat"), [1]),
        (DeltaFilter(reason="LAYER is no longer in"), [0, 2]),
        (DeltaFilter(reason="went wrong"), [3]),
        (DeltaFilter(project="alice/one", by="alice", reason="F02"), [0]),
        (DeltaFilter(["error"], reason="F02"), []),
        (DeltaFilter(older="999999999d"), []),
    ],
)
def test_edits_are_found_and_applied_again_by_what_they_have_in_common(
    ports: MemoryPorts, world: MemoryWorld, wanted: DeltaFilter, expected: list[int]
) -> None:
    made = lost_edits(world)
    ids = [made[number] for number in expected]
    listed = deltas_list(ports, wanted)
    assert ([delta.id for delta in listed.deltas], listed.is_cut) == (ids, False)
    assert list(deltas_reapply(ports, DeltaSelection(wanted=wanted), YES).deltas) == ids


def test_an_empty_list_names_the_edits_with_another_status(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("edited")
    for status in ("not_applied", "not_applied", "conflict", "applied"):
        world.delta(project, status)
    listed = deltas_list(ports, DeltaFilter(("error",)))
    assert (listed.deltas, listed.others) == ((), {"not_applied": 2, "conflict": 1})
    assert deltas_list(ports, DeltaFilter(("conflict",))).others == {}


def test_a_list_says_when_it_was_cut(ports: MemoryPorts, world: MemoryWorld) -> None:
    made = lost_edits(world)
    listed = deltas_list(ports, limit=2)
    assert ([delta.id for delta in listed.deltas], listed.is_cut) == (list(made[:2]), True)
    listed = deltas_list(ports, DeltaFilter(reason="F02"), limit=1)
    assert ([delta.id for delta in listed.deltas], listed.is_cut) == ([made[0]], True)
    assert not deltas_list(ports, limit=4).is_cut


def test_more_edits_than_are_taken_at_a_time(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    for _ in range(BULK_LIMIT):
        world.delta(project, "not_applied", made=20)
    last = world.delta(project, "error", made=10)
    assert deltas_list(ports, DeltaFilter(reason="went wrong")).is_cut
    assert deltas_summary(ports, DeltaFilter(), group="project").is_cut
    assert [delta.id for delta in deltas_list(ports, DeltaFilter(["error"], reason="went wrong")).deltas] == [last]
    result = deltas_reapply(ports, DeltaSelection(wanted=DeltaFilter(project="alice/survey")), YES)
    assert (len(result.deltas), result.is_cut) == (BULK_LIMIT, True)


def test_edits_are_counted_by_what_they_have_in_common(ports: MemoryPorts, world: MemoryWorld) -> None:
    made = lost_edits(world)
    by_reason = deltas_summary(ports, DeltaFilter(), group="reason")
    assert (by_reason.count, by_reason.is_cut, len(by_reason.groups)) == (4, False, 3)
    first = by_reason.groups[0]
    assert (first.name.split()[0], first.count, first.oldest) == ("F02", 2, ports.jobs.delta(made[0]).created_at)
    assert first.fix
    by_person = deltas_summary(ports, DeltaFilter(), group="person")
    assert [(group.name, group.count) for group in by_person.groups] == [("alice", 3), ("bob", 1)]
    by_project = deltas_summary(ports, DeltaFilter(), group="project")
    assert dict(by_project.groups[0].statuses) == {"not_applied": 3}
    assert (by_project.groups[1].name, dict(by_project.groups[1].statuses)) == ("alice/two", {"error": 1})


def test_reapply_takes_what_may_arrive(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey")
    for status in ("applied", "conflict", "ignored", "unpermitted"):
        world.delta(project, status)
    wanted = {world.delta(project, status) for status in ("error", "not_applied", "pending")}
    assert set(deltas_reapply(ports, DeltaSelection(everything=True), YES).deltas) == wanted
    (conflict,) = deltas_reapply(ports, DeltaSelection(wanted=DeltaFilter(["conflict"])), YES).deltas
    assert ports.jobs.delta(conflict).status == "pending"
    with pytest.raises(UsageError):
        deltas_reapply(ports, DeltaSelection(), YES)


def test_an_edit_that_arrived_is_never_applied_again(ports: MemoryPorts, world: MemoryWorld) -> None:
    delta = world.delta(world.project("survey"), "applied")
    result = deltas_reapply(ports, DeltaSelection([delta]), YES)
    assert (result.jobs, result.exit_code) == ((), 4)


def test_an_edit_is_shown_with_its_reason(ports: MemoryPorts, world: MemoryWorld) -> None:
    shown = deltas_show(ports, world.delta(world.project("survey"), "error"))
    assert shown.delta.reason == "it went wrong"
    assert shown.content is not None


def test_a_project_is_shown_with_what_waits_in_it(ports: MemoryPorts, world: MemoryWorld) -> None:
    project, other = world.project("survey"), world.project("other")
    waiting, done = world.job(project), world.job(project, "finished", ended=1)
    world.job(other)
    lost = world.delta(project, "error")
    world.delta(project, "applied")
    shown = projects_status(ports, "alice/survey")
    assert [job.id for job in shown.open_jobs] == [waiting]
    assert [job.id for job in shown.last_jobs] == [done]
    assert [delta.id for delta in shown.deltas] == [lost]


class Application:
    """An application with some commands, which records its calls."""

    def __init__(self, plan: str = "") -> None:
        self.plan = plan
        self.asked: list[tuple[tuple[str, ...], bytes]] = []

    def __call__(self, service: str, argv: Sequence[str], stdin: bytes) -> str:
        assert service == "app"
        self.asked.append((tuple(argv), stdin))
        if argv[0] == "createuser" and argv[1] == "--username=taken":
            raise CommandError("python3 ended with exit code 1: CommandError: The name is taken.")
        if argv[0] == "migrate":
            self.plan = self.plan.replace("[ ]", "[X]")
        return self.plan if argv[0] == "showmigrations" else ""


def test_a_password_is_in_no_command(ports: MemoryPorts) -> None:
    ports.runtime.execute_with = application = Application()
    account = users_create(ports, "bob", email="b@x", superuser=True, password="s3cret", options=Options())
    ((argv, stdin),) = application.asked
    assert argv == ("createuser", "--username=bob", "--email=b@x", "--password-stdin", "--superuser")
    assert (stdin, account.password) == (b"s3cret", None)
    assert "s3cret" not in repr(ports.audit.entries())


def test_a_generated_password_is_told_once(ports: MemoryPorts, world: MemoryWorld) -> None:
    ports.runtime.execute_with = application = Application()
    first = users_create(ports, "bob", email="", superuser=False, password=None, options=Options())
    second = users_password(ports, "ALICE", password=None, options=Options())
    assert first.password is not None
    assert second.password is not None
    assert first.password != second.password
    assert application.asked[1] == (
        ("setpassword", "--password-stdin", "--", "alice"),
        second.password.encode(),
    )
    dry = users_create(ports, "bob", email="", superuser=False, password=None, options=DRY)
    assert (dry.password, len(application.asked)) == (None, 2)


def test_the_application_says_why_not(ports: MemoryPorts) -> None:
    ports.runtime.execute_with = Application()
    with pytest.raises(CommandError) as caught:
        users_create(ports, "taken", email="", superuser=False, password="x", options=Options())
    assert caught.value.message == "The name is taken."


def test_a_person_is_disabled_and_enabled(ports: MemoryPorts, world: MemoryWorld) -> None:
    ports.directory.tokens["alice"] = 2
    result = users_disable(ports, "Alice", enable=False, options=Options())
    assert (result.is_active, result.tokens_ended) == (False, 2)
    assert users_disable(ports, "alice", enable=True, options=DRY).is_active is False
    assert users_disable(ports, "alice", enable=True, options=Options()).is_active
    with pytest.raises(NotFoundError):
        users_disable(ports, "nobody", enable=False, options=Options())
    ports.directory.user_rows["club"] = replace(
        ports.directory.user_rows["alice"], username="club", type="organization"
    )
    with pytest.raises(UsageError):
        users_disable(ports, "club", enable=False, options=Options())


def test_a_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    rows = ports.directory.user_rows
    rows["alice"] = replace(rows["alice"], storage_used_bytes=25, storage_quota_bytes=100)
    assert users_quota(ports, "alice").used == 0.25
    rows["alice"] = replace(rows["alice"], storage_quota_bytes=None)
    assert users_quota(ports, "alice").used is None


def test_workers_are_joined_with_their_processes(ports: MemoryPorts) -> None:
    first, second = next(one for one in ports.runtime.services() if one.name == "worker_wrapper").instances
    ports.jobs.worker_rows[:] = [
        Worker("w1", "busy", pid=first.pid, job_id="j", since=moment()),
        Worker("w2", "dead", pid=1),
    ]
    result = workers_list(ports)
    assert result.wanted == 2
    assert [(worker.id, worker.state, worker.process) for worker in result.workers] == [
        ("w1", "busy", first.id),
        ("w2", "dead", None),
        (second.id, "starting", second.id),
    ]


def test_workers_are_scaled_drained_and_restarted(ports: MemoryPorts) -> None:
    result = workers_scale(ports, 3, Options())
    assert (result.before, result.wanted, len(result.workers.workers)) == (2, 3, 3)
    assert workers_scale(ports, 1, DRY).steps == ("Change from 3 workers to 1",)
    assert len(workers_drain(ports, Options()).workers.workers) == 0
    assert len(workers_restart(ports, Options()).workers.workers) == 3
    for number in (-1, 1000):
        with pytest.raises(UsageError):
            workers_scale(ports, number, Options())
    assert [command for command, _, _ in audited(ports)] == ["workers restart", "workers drain", "workers scale"]


PLAN = "[X]  core.0001_initial\n[ ]  core.0002_rules ... (0.1s)\n[ ]  core.0003_more\n"


def test_migrations_are_shown_then_applied(ports: MemoryPorts) -> None:
    ports.runtime.execute_with = Application(PLAN)
    assert db_status(ports).unapplied_migrations == ("core.0002_rules", "core.0003_more")
    assert db_migrate(ports, DRY).migrations == ("core.0002_rules", "core.0003_more")
    with pytest.raises(NotConfirmedError):
        db_migrate(ports, Options())
    assert len(db_migrate(ports, YES).migrations) == 2
    assert db_migrate(ports, Options()).migrations == ()
    assert audited(ports)[0] == ("db migrate", "core.0003_more", "2 migrations")


def test_the_database_tells_of_itself_when_the_application_cannot(ports: MemoryPorts) -> None:
    ports.runtime.stop(["db"])
    assert db_status(ports).unapplied_migrations is None


def test_cleanup_takes_jobs_from_dead_workers_only(ports: MemoryPorts, world: MemoryWorld) -> None:
    lost, living, young = (world.project(name) for name in ("lost", "living", "young"))
    dead = world.job(lost, "started", type="delta_apply", made=100, started=90)
    delta = world.delta(lost, "started", job=dead)
    alive = world.job(living, "started", made=100, started=90)
    fresh = world.job(young, "queued", made=1)
    ports.jobs.job_rows[alive] = replace(ports.jobs.job_rows[alive], worker_id="w1")
    ports.jobs.worker_rows.append(Worker("w1", "busy", job_id=alive))
    plan = jobs_cleanup(ports, DRY, older_s=3600)
    assert (plan.requeued, plan.dry_run, ports.jobs.job_rows[dead].status) == ((dead,), True, JobStatus.STARTED)
    done = jobs_cleanup(ports, YES, older_s=3600)
    assert (done.examined, done.requeued, done.failed, done.kept) == (2, (dead,), (), (alive,))
    assert (done.deltas_reset, done.projects_unblocked) == (1, (lost,))
    assert done.reasons[0].reason == "Its worker is alive."
    assert ports.jobs.delta_rows[delta].status == "pending"
    assert ports.jobs.job_rows[fresh].status is JobStatus.QUEUED
    assert audited(ports)[0] == ("jobs cleanup", dead, "1 requeued, 0 failed")
    assert jobs_cleanup(ports, YES, older_s=3600).examined == 1


def test_cleanup_asks_before_it_changes_anything(ports: MemoryPorts, world: MemoryWorld) -> None:
    job = world.job(world.project("lost"), "queued", made=3000)
    with pytest.raises(NotConfirmedError):
        jobs_cleanup(ports, Options())
    assert ports.jobs.job_rows[job].status is JobStatus.QUEUED
    assert jobs_cleanup(ports, Options(ask=lambda question: "1 job" in question)).requeued == (job,)


def test_cleanup_of_one_project(ports: MemoryPorts, world: MemoryWorld) -> None:
    one, two = world.project("one"), world.project("two")
    first = world.job(one, "queued", made=3000)
    world.job(two, "queued", made=3000)
    assert jobs_cleanup(ports, YES, project="alice/one").requeued == (first,)


def test_cleanup_cancels_packages_for_which_the_same_person_waits_twice(ports: MemoryPorts, world: MemoryWorld) -> None:
    world.person("bob")
    survey, other = world.project("survey"), world.project("other")
    older = world.job(survey, made=300)
    edits = world.job(survey, made=290, type="delta_apply")
    described = world.job(survey, made=285, type="process_projectfile")
    kept = [world.job(survey, made=280, by="bob"), world.job(other, made=270), world.job(survey, made=5)]
    assert jobs_cleanup(ports, YES, older_s=301 * 60).superseded == ()
    assert jobs_cleanup(ports, DRY, older_s=3600).superseded == (older,)
    assert ports.jobs.job_rows[older].status is JobStatus.PENDING
    with pytest.raises(NotConfirmedError):
        jobs_cleanup(ports, Options(), older_s=3600)
    assert jobs_cleanup(ports, YES, older_s=3600).superseded == (older,)
    assert audited(ports)[0] == ("jobs cleanup", older, "0 requeued, 0 failed, 1 package cancelled")
    left = {job.id for job in ports.jobs.snapshot().pending}
    assert left == {edits, described, *kept}
    assert jobs_cleanup(ports, YES, older_s=0).superseded == ()


def test_cleanup_tells_of_forgotten_locks_and_takes_them_away_on_request(
    ports: MemoryPorts, world: MemoryWorld
) -> None:
    old, young = world.project("old", locked=90), world.project("young", locked=30)
    world.project("idle", locked=90)
    for project in (old, young):
        world.job(project)
    told = jobs_cleanup(ports, YES)
    assert (told.unlocked, {refusal.id for refusal in told.locked}) == ((), {old, young})
    assert "--unlock" in told.locked[0].reason + told.locked[1].reason
    dry = jobs_cleanup(ports, DRY, unlock=True)
    assert (dry.unlocked, old in ports.jobs.locks) == ((old,), True)
    done = jobs_cleanup(ports, YES, unlock=True)
    assert (done.unlocked, done.projects_unblocked, [one.id for one in done.locked]) == ((old,), (old,), [young])
    assert set(ports.jobs.locks) >= {young}
    assert old not in ports.jobs.locks


def test_cleanup_leaves_a_lock_behind_which_a_job_works(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("survey", locked=90)
    world.job(project, "started", started=1)
    world.job(project)
    result = jobs_cleanup(ports, YES, unlock=True)
    assert (result.unlocked, "a job is running on it" in result.locked[0].reason) == ((), True)

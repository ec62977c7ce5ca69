"""Leases: which worker holds a job, has lost it, or is dead. Each guard is tested alone, or others could hide a bug."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint, connect

A_MOMENT, A_DAY = timedelta(milliseconds=1), timedelta(days=1)


class Queue:
    """A project with jobs, and workers that are connected in this process."""

    def __init__(self) -> None:
        from api_world import person
        from qfc_node.core.models import Project

        self.user = person("alice")
        self.project = Project.objects.create(name="survey", owner=self.user, project_filename="survey.qgs")

    def push(self, count: int = 1, **values: Any) -> Any:
        """Create an apply job with deltas."""
        from django.utils import timezone

        from qfc_node.core.models import ApplyJob, ApplyJobDelta, Delta

        job = ApplyJob.objects.create(
            project=self.project, created_by=self.user, type="delta_apply", overwrite_conflicts=True, **values
        )
        for number in range(count):
            delta = Delta.objects.create(
                project=self.project,
                created_by=self.user,
                deltafile_id=uuid.uuid4(),
                client_id=uuid.uuid4(),
                content={"method": "create"},
                created_at=timezone.now() + number * A_MOMENT,
            )
            ApplyJobDelta.objects.create(apply_job=job, delta=delta)
        return job

    def take(self) -> tuple[Any, Any]:
        """Let a living worker claim the next job; return the worker and its lease."""
        from qfc_node.worker.leases import claim

        worker = living_worker()
        lease = claim(worker)
        assert lease is not None
        return worker, lease


@pytest.fixture
def queue(node_database: Endpoint) -> Iterator[Queue]:
    del node_database
    yield Queue()


def living_worker() -> Any:
    from qfc_node.worker.registry import Registration

    worker = Registration()
    worker.ensure()
    return worker


def let_go(worker: Any) -> None:
    """Release a worker's lock, like its death."""
    from django.db import connection

    from qfc_node.core.models import Worker
    from qfc_node.worker.registry import LOCK_CLASS

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK_CLASS, Worker.objects.get(pk=worker.id).lock_key])


def change(lease: Any, **values: Any) -> None:
    from qfc_node.core.models import Job

    Job.objects.filter(pk=lease.job_id).update(**values)


def taken_back() -> list[uuid.UUID]:
    """Let another worker check for dead ones."""
    from qfc_node.worker.leases import requeue_jobs_of_dead_workers

    return requeue_jobs_of_dead_workers(living_worker())


# --- the token


def test_a_worker_whose_job_was_given_to_another_can_neither_renew_nor_end_it(queue: Queue) -> None:
    from django.db import transaction

    from qfc_node.core.models import Job
    from qfc_node.worker.leases import LeaseLostError

    queue.push()
    _, lease = queue.take()
    change(lease, lease_token=uuid.uuid4())
    expires = Job.objects.get().lease_expires_at
    with pytest.raises(LeaseLostError), transaction.atomic():
        lease.hold()
    with pytest.raises(LeaseLostError):
        lease.renew()
    assert Job.objects.get().lease_expires_at == expires


def test_a_result_that_comes_too_late_is_not_written(queue: Queue) -> None:
    from qfc_node.core.models import Delta, Job
    from qfc_node.worker import leases, results
    from qfc_node.worker.work import Result

    queue.push()
    _, lease = queue.take()
    change(lease, lease_token=uuid.uuid4())
    endings = (
        lambda: results.fail(lease, Result("crash", "too late"), "", 1),
        lambda: leases.give_back(lease),
        lambda: leases.postpone(lease, "too late"),
        lambda: leases.retry_or_give_up(lease, "too late"),
    )
    for end in endings:
        with pytest.raises(leases.LeaseLostError):
            end()
    assert Job.objects.get().status == "queued"
    assert Delta.objects.get().last_status == "pending"


def test_the_right_token_holds_and_renews(queue: Queue) -> None:
    from django.db import transaction

    from qfc_node.core.models import Job

    job = queue.push()
    _, lease = queue.take()
    before = Job.objects.get().lease_expires_at
    assert before is not None
    lease.renew()
    assert (Job.objects.get().lease_expires_at or before) > before
    with transaction.atomic():
        assert lease.hold().pk == job.pk


# --- dead workers


def test_nobody_is_dead_who_lives_and_whose_lease_has_not_ended(queue: Queue) -> None:
    from django.utils import timezone

    queue.push()
    _, lease = queue.take()
    assert taken_back() == []
    change(lease, lease_expires_at=timezone.now() + timedelta(seconds=30))
    assert taken_back() == []


@pytest.mark.parametrize("reason", ["its lease has ended", "no lease", "no row of the worker", "no lock of the worker"])
def test_each_reason_alone_makes_a_worker_dead(queue: Queue, reason: str) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Job

    queue.push()
    worker, lease = queue.take()
    match reason:
        case "its lease has ended":
            change(lease, lease_expires_at=timezone.now() - A_MOMENT)
        case "no lease":
            change(lease, lease_token=None, lease_expires_at=None)
        case "no row of the worker":
            change(lease, container_id=str(uuid.uuid4()))
        case _:
            let_go(worker)
    assert taken_back() == [lease.job_id]
    assert Job.objects.get().status == "pending"


def test_a_job_in_the_name_of_a_worker_that_knows_of_none_is_taken_back_by_itself(queue: Queue) -> None:
    from qfc_node.worker.leases import requeue_jobs_of_dead_workers

    queue.push()
    worker, lease = queue.take()
    assert requeue_jobs_of_dead_workers(worker) == [lease.job_id]


def test_nobody_is_dead_right_after_the_database_has_started(queue: Queue) -> None:
    """All workers have lost their locks and are about to reconnect."""
    from django.db import connection, transaction

    from qfc_node.worker.leases import DEAD
    from qfc_node.worker.registry import LOCK_CLASS

    queue.push()
    worker, lease = queue.take()
    let_go(worker)
    found: dict[float, list[Any]] = {}
    for grace in (A_DAY.total_seconds() * 365, 0):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DEAD, {"lock_class": LOCK_CLASS, "grace": grace, "idle": uuid.uuid4()})
            found[grace] = cursor.fetchall()
    assert list(found.values()) == [[], [(lease.job_id,)]]


def test_a_lock_in_another_database_of_the_server_keeps_nobody_alive(queue: Queue, node_database: Endpoint) -> None:
    """Two nodes may share a server: each database has its own keys of locks."""
    from qfc_node.core.models import Worker
    from qfc_node.worker.registry import LOCK_CLASS

    queue.push()
    worker, lease = queue.take()
    let_go(worker)
    with connect(replace(node_database, database="postgres"), autocommit=True) as elsewhere:
        key = Worker.objects.get(pk=worker.id).lock_key
        elsewhere.execute("select pg_advisory_lock(%s, %s::int)", [LOCK_CLASS, key])
        assert taken_back() == [lease.job_id]


def test_only_the_rows_of_workers_that_are_dead_silent_and_without_a_job_go(queue: Queue) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Worker
    from qfc_node.worker.registry import forget_dead_workers

    queue.push()
    with_a_job, _ = queue.take()
    living, just_silent, forgotten = (living_worker() for _ in range(3))
    for worker in (with_a_job, just_silent, forgotten):
        let_go(worker)
    Worker.objects.exclude(pk=just_silent.id).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    Worker.objects.filter(pk=just_silent.id).update(heartbeat_at=timezone.now() - timedelta(seconds=50))
    assert forget_dead_workers() == 1
    assert set(Worker.objects.values_list("pk", flat=True)) == {with_a_job.id, living.id, just_silent.id}


def test_a_worker_that_has_just_come_back_judges_nobody(queue: Queue) -> None:
    """If it has lost its connection, others may have just lost theirs."""
    from django.db import connection

    worker = living_worker()
    assert worker.is_settled, "it has only started"
    connection.close()
    worker.ensure()
    assert not worker.is_settled


# --- claims


def test_claims_follow_one_another(queue: Queue, node_database: Endpoint) -> None:
    from django.db import OperationalError, connection

    from qfc_node.worker.leases import CLAIM_LOCK_CLASS, claim

    queue.push()
    worker = living_worker()
    with connect(node_database) as other:
        other.execute("select pg_advisory_xact_lock(%s, 0)", [CLAIM_LOCK_CLASS])
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '200ms'")
        with pytest.raises(OperationalError):
            claim(worker)
    assert claim(worker) is not None


def test_a_release_on_trial_claims_only_jobs_of_its_time(queue: Queue) -> None:
    """People's jobs wait for the end of an upgrade, which may be undone."""
    from django.test import override_settings
    from django.utils import timezone

    from qfc_node.worker.leases import claim

    queue.push()
    worker = living_worker()
    with override_settings(TRIAL_SINCE=timezone.now().isoformat()):
        assert claim(worker) is None
    with override_settings(TRIAL_SINCE=(timezone.now() - timedelta(hours=1)).isoformat()):
        assert claim(worker) is not None


@pytest.mark.parametrize("status", ["queued", "started"])
def test_a_project_gives_no_second_job_while_one_is_held(queue: Queue, status: str) -> None:
    from qfc_node.worker.leases import claim

    queue.push()
    worker, lease = queue.take()
    change(lease, status=status)
    queue.push()
    assert claim(worker) is None
    change(lease, status="finished")
    assert claim(worker) is not None


@pytest.mark.parametrize(("faults", "wait_s"), [(0, 1), (1, 2), (4, 16), (5, 32), (6, 60), (999, 60)])
def test_the_wait_after_a_fault_doubles_up_to_a_minute(queue: Queue, faults: int, wait_s: int) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Job
    from qfc_node.worker.leases import postpone

    queue.push(faults=faults)
    _, lease = queue.take()
    before = timezone.now()
    postpone(lease, "the store is away")
    job = Job.objects.get()
    assert job.not_before is not None
    waits = (job.not_before - before).total_seconds()
    assert (job.faults, job.attempts, job.output) == (faults + 1, 0, "the store is away")
    assert wait_s <= waits < wait_s + (timezone.now() - before).total_seconds() + 0.01


def test_a_store_that_is_away_for_weeks_ends_neither_worker_nor_job(queue: Queue) -> None:
    from qfc_node.core.models import Job
    from qfc_node.worker.leases import postpone

    for faults in (1000, 2**15 - 1):
        queue.push(faults=faults)
        _, lease = queue.take()
        postpone(lease, "the store is away")
        assert Job.objects.get(pk=lease.job_id).status == "pending"
        change(lease, status="stopped")


def test_a_job_that_was_put_off_is_claimed_when_its_time_has_come_and_no_sooner(queue: Queue) -> None:
    from qfc_node.core.models import Job
    from qfc_node.worker.leases import claim, postpone

    queue.push()
    worker, lease = queue.take()
    postpone(lease, "the store is away")
    until = Job.objects.get().not_before
    assert until is not None
    while claim(worker) is None:
        time.sleep(0.02)
    claimed = Job.objects.get()
    assert claimed.lease_expires_at is not None
    assert claimed.updated_at >= until


# --- deltas of jobs that failed for good, and of retried jobs


def test_deltas_that_are_handed_on_go_to_the_oldest_job_that_waits(queue: Queue) -> None:
    from qfc_node.core.models import ApplyJobDelta

    queue.push()
    _, lease = queue.take()
    change(lease, attempts=3, lease_token=None)
    second, third = queue.push(), queue.push()
    assert taken_back() == [lease.job_id]
    rows = ApplyJobDelta.objects.filter(status="pending").order_by("delta__created_at")
    assert list(rows.values_list("apply_job_id", flat=True)) == [second.pk, second.pk, third.pk]


@pytest.mark.parametrize(("attempts", "status"), [(2, "pending"), (3, "failed")])
def test_the_third_worker_that_dies_is_the_last(queue: Queue, attempts: int, status: str) -> None:
    from qfc_node.core.models import Job

    queue.push()
    _, lease = queue.take()
    change(lease, attempts=attempts, lease_token=None)
    assert taken_back() == [lease.job_id]
    assert Job.objects.get().status == status


@pytest.mark.parametrize(("attempts", "status"), [(2, "pending"), (3, "failed")])
def test_the_third_try_that_is_killed_is_the_last(queue: Queue, attempts: int, status: str) -> None:
    from qfc_node.core.models import Job
    from qfc_node.worker.leases import retry_or_give_up

    queue.push()
    _, lease = queue.take()
    change(lease, attempts=attempts)
    retry_or_give_up(lease, "killed")
    assert Job.objects.get().status == status


def test_a_job_that_is_tried_again_by_hand_leaves_alone_what_it_has_done(queue: Queue) -> None:
    """Its deltas were settled at its end: neither a second end nor a retry changes them."""
    from qfc_node.core import jobs
    from qfc_node.core.models import ApplyJobDelta, Delta, Job
    from qfc_node.worker.leases import give_back
    from qfc_node.worker.preparation import prepare
    from stored_files import put_file

    put_file(queue.project, "survey.qgs", b"<qgis/>")
    job = queue.push(2)
    ApplyJobDelta.objects.update(status="applied")
    Delta.objects.update(last_status="applied")
    Job.objects.update(status="failed")
    assert jobs.retry(job)
    _, lease = queue.take()
    assert prepare(lease).work.deltas == ()
    give_back(lease)
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"applied"}
    assert set(ApplyJobDelta.objects.values_list("status", flat=True)) == {"applied"}

"""The worker under adversaries: order, clocks, signals, broken connections, full disks, odd results."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from node import Node
from qfc.drivers.postgres_server import Endpoint
from worker_world import TESTS, World, finished, wait_until


@pytest.fixture
def world(node_database: Endpoint, node_folder: Path) -> Iterator[World]:
    with Node(node_database, node_folder, PYTHONPATH=str(TESTS)) as node:
        yield World(node)
    assert list((node_folder / "staging").glob("*")) == []


def take(world: World, count: int = 1) -> list[Any]:
    """Send deltas as a device does."""
    from qfc_node.core import intake
    from qfc_node.core.deltafile import Deltafile, SentDelta
    from qfc_node.core.models import ProjectRole

    content = {"method": "create", "sourceLayerId": "layer", "localLayerId": "layer", "localPk": "1"}
    sent = tuple(SentDelta(uuid.uuid4(), uuid.uuid4(), content) for _ in range(count))
    file = Deltafile(uuid.uuid4(), world.project.pk, sent)
    return intake.take(world.project, file, world.user, ProjectRole.ADMIN)


def in_a_thread(work: Callable[[], object]) -> threading.Thread:
    """Start work on a separate database connection."""

    def run() -> None:
        from django.db import connection

        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def cut_connections(but: int = 0) -> None:
    """End every other connection to the test's database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid not in (pg_backend_pid(), %s)",
            [but],
        )


def claim() -> Any:
    from qfc_node.worker import leases
    from qfc_node.worker.registry import Registration

    registration = Registration()
    registration.ensure()
    return leases.claim(registration)


# --- the order of deltas


def test_a_job_that_was_put_off_is_not_overtaken_by_later_deltas(world: World) -> None:
    from qfc_node.worker import leases

    world.push(1)
    later = world.push(1)
    lease = claim()
    leases.postpone(lease, "the store is away")
    assert claim() is None, "the second job waits for the first"
    package = world.job("PackageJob")
    assert claim().job_id == package.pk, "other work continues"
    assert finished(later, "pending")()


def test_a_job_whose_row_is_held_is_not_overtaken(world: World) -> None:
    from django.db import transaction

    from qfc_node.core.models import Job

    first = world.push(1)
    world.push(1)
    found: list[Any] = []
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=first.pk)
        in_a_thread(lambda: found.append(claim())).join()
    assert found == [None]


def test_new_deltas_join_the_newest_job_or_none(world: World) -> None:
    """The setting changed and changed back: the oldest job fits, but would run before the second."""
    from qfc_node.core.models import ApplyJobDelta, Project

    take(world)
    Project.objects.filter(pk=world.project.pk).update(overwrite_conflicts=False)
    take(world)
    Project.objects.filter(pk=world.project.pk).update(overwrite_conflicts=True)
    take(world)
    rows = ApplyJobDelta.objects.order_by("apply_job__created_at", "delta__created_at")
    by_job = list(rows.values_list("delta_id", flat=True))
    by_delta = list(rows.order_by("delta__created_at").values_list("delta_id", flat=True))
    assert by_job == by_delta
    assert ApplyJobDelta.objects.values("apply_job").distinct().count() == 3


def test_a_clock_that_goes_back_does_not_turn_the_queue_round(world: World) -> None:
    from django.utils import timezone

    from qfc_node.core.models import ApplyJob, Job, Project

    take(world)
    first = ApplyJob.objects.get()
    Job.objects.filter(pk=first.pk).update(created_at=timezone.now() + timedelta(hours=1))
    Project.objects.filter(pk=world.project.pk).update(overwrite_conflicts=False)
    take(world)
    assert claim().job_id == first.pk


def test_a_clock_that_goes_back_keeps_no_job_waiting(world: World) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Job

    job = world.push(1)
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() + timedelta(seconds=30))
    assert claim() is None
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert claim().job_id == job.pk


def test_deltas_given_up_while_others_arrive_come_first(world: World) -> None:
    """A device pushes deltas at the very moment in which a job fails for good."""
    from django.db import transaction

    from qfc_node.core.models import ApplyJobDelta, Delta, Job
    from qfc_node.worker import leases
    from qfc_node.worker.registry import Registration

    first = world.push(1)
    claim()
    Job.objects.filter(pk=first.pk).update(attempts=3, lease_token=None)
    with transaction.atomic():
        take(world)
        thread = in_a_thread(lambda: leases.requeue_jobs_of_dead_workers(Registration()))
        time.sleep(1)
    thread.join()
    assert finished(first, "failed")()
    assert Delta.objects.filter(last_status="pending").count() == 2
    open_parts = ApplyJobDelta.objects.filter(status="pending")
    assert open_parts.count() == 2, "both are in a job"
    assert open_parts.values("apply_job").distinct().count() == 1


# --- deltas and their jobs


@pytest.mark.parametrize("how", ["stopped", "failed", "deleted"])
def test_a_job_ended_by_hand_lets_go_of_its_deltas(world: World, how: str) -> None:
    """Somebody at a psql prompt or in the admin pages ends the job; its deltas can be applied later."""
    from qfc_node.core.models import ApplyJob, Delta, Job

    world.wish(seconds=60)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    if how == "deleted":
        ApplyJob.objects.get(pk=job.pk).delete()
    else:
        Job.objects.filter(pk=job.pk).update(status=how)
    folder = world.node.folder / "jobs"
    wait_until(lambda: not list(folder.glob(f"*/{job.pk}")), world, seconds=20)
    assert Delta.objects.get().last_status == "pending"
    world.wish()
    take(world)
    wait_until(lambda: set(Delta.objects.values_list("last_status", flat=True)) == {"applied"}, world)
    ids = [str(pk) for pk in Delta.objects.order_by("created_at").values_list("pk", flat=True)]
    assert world.read("journal.txt").decode().splitlines() == ids
    assert worker.poll() is None


def test_a_package_that_misses_an_upload_under_way_is_known_to_be_old(world: World) -> None:
    """The time of the upload is before the snapshot, its commit after it."""
    from django.db import transaction

    from qfc_node.core.models import Project
    from qfc_node.core.project_state import needs_repackaging

    job = world.job("PackageJob")
    with transaction.atomic():
        world.upload("journal.txt", b"late\n")
        worker = world.worker("--single-shot")
        time.sleep(4)
    worker.wait(timeout=60)
    assert finished(job, "finished")()
    packaged = world.read_package("journal.txt")
    assert packaged == b"late\n" or needs_repackaging(Project.objects.get())


# --- signals, connections, disks


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group_fails_no_job(world: World, number: signal.Signals) -> None:
    """systemd and terminals signal the job's process as well as the worker."""
    from qfc_node.core.models import Delta

    world.wish(seconds=1.5)
    job = world.push(1)
    worker = world.worker()
    wait_until(lambda: bool(list((world.node.folder / "jobs").glob(f"*/{job.pk}/output.log"))), world)
    time.sleep(0.2)
    os.killpg(worker.pid, number)
    worker.wait(timeout=30)
    world.worker()
    wait_until(finished(job, "finished"), world)
    assert Delta.objects.get().last_status == "applied"
    assert len(world.read("journal.txt").splitlines()) == 1


def test_an_idle_worker_survives_a_connection_that_breaks(world: World) -> None:
    from qfc_node.core.models import Worker

    worker = world.worker()
    wait_until(lambda: Worker.objects.exists(), world)
    time.sleep(1.5)
    for _ in range(3):
        cut_connections()
        time.sleep(0.7)
    job = world.push(1)
    wait_until(finished(job, "finished"), world)
    assert worker.poll() is None, world.node.log


def test_a_connection_that_breaks_without_a_word_is_a_fault_of_the_database(node_database: Endpoint) -> None:
    from django.db import OperationalError, connection

    from qfc_node.worker.wakeup import Notifications, Signals

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
    signals, notifications = Signals(), Notifications()
    try:
        connection.ensure_connection()
        notifications.wait(signals, 0)
        with socket.socket(fileno=os.dup(connection.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OperationalError):
            notifications.wait(signals, 5)
    finally:
        connection.close()
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_connection_that_breaks_costs_no_try(world: World) -> None:
    """The worker's connection breaks right after the claim, and during the preparation."""
    job = world.push(1)
    from django.db import connection, transaction

    from qfc_node.core.models import Job

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("lock table core_applyjobdelta in access exclusive mode")
        worker = world.worker()
        time.sleep(4)
        cut_connections()
        began = time.monotonic()
    wait_until(finished(job, "finished"), world)
    assert Job.objects.get().attempts == 1
    assert time.monotonic() - began < 15, "nobody waits for the end of the lease"
    assert worker.poll() is None


def test_a_worker_comes_back_though_the_server_still_keeps_its_old_session(world: World) -> None:
    """The network broke: the server does not know yet that the worker's first connection is dead."""
    from django.db import connection

    from qfc_node.worker.registry import Registration

    registration = Registration()
    registration.ensure()
    half_open = connection.connection
    connection.connection = None
    try:
        thread_done = threading.Event()
        with connection.cursor() as cursor:
            cursor.execute("set statement_timeout = '5s'")
        registration.ensure()
        thread_done.set()
    finally:
        half_open.close()


def test_a_full_disk_fails_no_delta(world: World) -> None:
    """The disk is full: not even the job's output can be written."""
    from qfc_node.core.models import Delta

    world.wish(misbehave="full_disk")
    job = world.push(1)
    world.worker()
    wait_until(lambda: finished(job, "pending")() and job.faults > 0, world)
    assert Delta.objects.get().last_status == "pending"
    world.wish()
    wait_until(finished(job, "finished"), world)


@pytest.mark.parametrize("misbehave", ["odd_text", "odd_outcome", "no_outcome"])
def test_results_that_cannot_be_stored_stop_no_worker(world: World, misbehave: str) -> None:
    from qfc_node.core.models import Delta

    world.wish(misbehave=misbehave)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "finished", "failed"), world)
    assert worker.poll() is None, world.node.log
    assert Delta.objects.get().last_status in {"applied", "error"}
    world.wish()
    after = world.push(1)
    wait_until(finished(after, "finished"), world)


def test_a_result_that_no_database_takes_is_not_tried_for_ever(world: World) -> None:
    """A name that is too long for an index is a permanent error; an unreachable database is not."""
    world.wish(misbehave="endless_name")
    job = world.job("PackageJob")
    world.worker("--single-shot").wait(timeout=90)
    assert finished(job, "failed")(), world.node.log
    assert (job.attempts, job.faults) == (3, 0)
    assert "3 times" in job.feedback["error"]


def test_of_a_long_output_the_end_is_kept(world: World) -> None:
    world.wish(padding="x" * 600_000)
    job = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "finished")(), world.node.log
    assert len(job.output) == 500_000
    assert job.output.startswith("xxx")
    assert "Generate Thumbnail Image" in job.output[-200:]


def test_an_edit_that_changes_neither_size_nor_time_of_a_file_is_kept(world: World) -> None:
    """Clocks of file systems tick in milliseconds; an engine can be faster than that."""
    world.upload("journal.txt", b"before\n")
    world.wish(misbehave="edit_in_no_time")
    job = world.push(1)
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "finished")(), world.node.log
    assert world.read("journal.txt").startswith(b"BEFORE\n")


def test_a_worker_whose_row_is_gone_writes_it_again(world: World) -> None:
    from qfc_node.core.models import Worker

    world.wish(seconds=4)
    job = world.push(1)
    world.worker()
    wait_until(finished(job, "started"), world)
    Worker.objects.all().delete()
    wait_until(lambda: Worker.objects.exists(), world)
    wait_until(finished(job, "finished"), world)


def test_a_server_of_jobs_that_dies_is_started_again(world: World) -> None:
    """Its job dies with it and is tried again, by the same worker."""
    world.wish(seconds=2)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    [server] = psutil.Process(worker.pid).children()
    world.wish()
    server.kill()
    wait_until(finished(job, "finished"), world)
    assert worker.poll() is None
    assert (job.attempts, len(world.read("journal.txt").splitlines())) == (2, 1)


def test_a_worker_s_death_ends_its_server_and_its_job(world: World) -> None:
    world.wish(seconds=60)
    job = world.push(1)
    worker = world.worker()
    # A server that starts has a child for a moment that tries the box.
    wait_until(finished(job, "started"), world)
    wait_until(lambda: len(psutil.Process(worker.pid).children(recursive=True)) == 2, world)
    below = psutil.Process(worker.pid).children(recursive=True)
    worker.kill()
    worker.wait()
    assert psutil.wait_procs(below, timeout=10)[1] == []
    assert finished(job, "started", "queued")()


def test_no_process_of_a_job_has_a_secret_in_its_memory(world: World) -> None:
    """Not in the process of the job, and not in the one that started it; the worker itself knows them all."""
    from django.conf import settings

    world.wish(seconds=60)
    job = world.job("ProcessProjectfileJob")
    worker = world.worker(SECRET_KEY="a-key-that-is-found-in-no-library")
    wait_until(lambda: bool(list((world.node.folder / "jobs").glob(f"*/{job.pk}/output.log"))), world)
    wait_until(lambda: len(psutil.Process(worker.pid).children(recursive=True)) == 2, world)
    secrets = [b"a-key-that-is-found-in-no-library", settings.DATABASES["default"]["PASSWORD"].encode()]
    assert all(found_in_memory(worker.pid, secret) for secret in secrets)
    for process in psutil.Process(worker.pid).children(recursive=True):
        assert not any(found_in_memory(process.pid, secret) for secret in secrets), process


def found_in_memory(pid: int, secret: bytes) -> bool:
    """Search the memory of a process that it can write to."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            places, rights, *_ = line.split()
            begin, end = (int(place, 16) for place in places.split("-"))
            if not rights.startswith("rw"):
                continue
            memory.seek(begin)
            with suppress(OSError):  # a part that nobody has used
                if secret in memory.read(end - begin):
                    return True
    return False

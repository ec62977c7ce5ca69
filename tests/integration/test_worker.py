"""The worker as a process with a real database: what it commits, and how it survives the death of other parts."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import Node
from qfc.drivers.postgres_server import Endpoint
from worker_world import TESTS, World, finished, wait_until


@pytest.fixture
def world(node_database: Endpoint, node_folder: Path) -> Iterator[World]:
    with Node(node_database, node_folder, PYTHONPATH=str(TESTS)) as node:
        yield World(node)
    assert list((node_folder / "staging").glob("*")) == []


def test_a_process_job_fills_the_details(world: World) -> None:
    job = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    job.refresh_from_db()
    world.project.refresh_from_db()
    assert job.status == "finished", world.node.log
    assert world.project.project_details == {"lines": 0}
    assert job.feedback["outputs"]["project_details"]["project_details"] == {"lines": 0}
    assert job.created_at < job.started_at <= job.docker_started_at < job.finished_at <= job.updated_at
    assert "::<<<::" in job.output
    assert list((world.node.folder / "jobs").iterdir()) == []


def test_a_package_is_visible_with_its_job_and_replaces_the_older_one(world: World) -> None:
    from qfc_node.core.models import File

    world.upload("journal.txt", b"abc\n")
    first, second = world.job("PackageJob"), world.job("PackageJob")
    world.worker("--single-shot").wait(timeout=60)
    world.project.refresh_from_db()
    assert finished(first, "finished")()
    assert finished(second, "finished")()
    assert world.project.last_package_job_id == second.pk
    second.refresh_from_db()
    steps = {step["id"]: step["returns"] for step in second.feedback["steps"]}
    assert steps["package_project"] == {"notes": ["noted"]}
    names = File.objects.filter(file_type=2).order_by("name").values_list("name", "package_job_id")
    assert list(names) == [("data.gpkg", second.pk), ("journal.txt", second.pk)]


def test_deltas_are_applied_once_and_make_one_new_version(world: World) -> None:
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    job = world.push(5)
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "finished")(), world.node.log
    ids = [str(pk) for pk in Delta.objects.order_by("created_at").values_list("pk", flat=True)]
    assert world.read("journal.txt").decode().splitlines() == ids
    assert set(Delta.objects.values_list("last_status", "last_modified_pk")) == {("applied", "1")}
    assert set(ApplyJobDelta.objects.values_list("status", flat=True)) == {"applied"}
    assert Job.objects.count() == 1, "an apply job causes no second job"


def test_a_reader_s_delta_is_unpermitted_and_the_others_arrive(world: World) -> None:
    from qfc_node.core.models import Delta, Person, ProjectCollaborator

    bob = Person.objects.create_user("bob", "bob@example.com", "pw")
    ProjectCollaborator.objects.create(project=world.project, collaborator=bob, role="reader")
    job = world.push(3)
    second = Delta.objects.order_by("created_at")[1]
    Delta.objects.filter(pk=second.pk).update(created_by=bob)
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "finished")()
    assert list(Delta.objects.order_by("created_at").values_list("last_status", flat=True)) == [
        "applied",
        "unpermitted",
        "applied",
    ]
    assert str(second.pk) not in world.read("journal.txt").decode()


@pytest.mark.parametrize(
    ("misbehave", "error_type"),
    [("segfault", "CRASH"), ("raise", "UNKNOWN"), ("hog", "OUT_OF_MEMORY"), ("hang", "TIMEOUT")],
)
def test_a_job_that_breaks_fails_and_leaves_everything_as_it_was(world: World, misbehave: str, error_type: str) -> None:
    from qfc_node.core.models import Delta

    world.wish(misbehave=misbehave)
    job = world.push(2)
    limit_s = "2" if misbehave == "hang" else "60"
    world.worker("--single-shot", WORKER_TIMEOUT_S=limit_s, QFC_NODE_WORKER_MEMORY_LIMIT="800000000").wait(timeout=90)
    job.refresh_from_db()
    assert (job.status, job.feedback["error_type"]) == ("failed", error_type), (job.feedback, world.node.log)
    assert job.finished_at is not None
    assert world.read("journal.txt") == b""
    assert [delta.last_status for delta in Delta.objects.all()] == ["error", "error"]
    assert all(delta.last_feedback["msg"] for delta in Delta.objects.all() if delta.last_feedback is not None)


def test_a_broken_upload_keeps_the_last_good_details_and_says_why(world: World) -> None:
    good = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    assert finished(good, "finished")()
    world.wish(misbehave="invalid")
    bad = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    world.project.refresh_from_db()
    assert finished(bad, "failed")()
    assert bad.feedback["error_type"] == "INVALID_PROJECT_FILE"
    assert world.project.project_details == {"lines": 0}
    assert "invalid XML" in (world.project.problem or "")


def test_a_full_disk_puts_the_job_off_and_spares_the_deltas(world: World) -> None:
    from qfc_node.core.models import Delta

    world.wish(misbehave="enospc")
    job = world.push(1)
    worker = world.worker()
    wait_until(lambda: finished(job, "pending")() and job.faults > 0, world)
    assert job.not_before is not None
    assert job.attempts == 0
    assert Delta.objects.get().last_status == "pending"
    world.wish()
    wait_until(finished(job, "finished"), world)
    assert worker.poll() is None


def test_a_store_that_is_away_puts_the_job_off_and_spares_deltas_and_project(world: World) -> None:
    from qfc_node.core.models import Delta

    blobs, away = world.node.folder / "blobs", world.node.folder / "away"
    process, apply = world.job("ProcessProjectfileJob"), world.push(2)
    blobs.rename(away)
    world.worker()
    wait_until(lambda: finished(process, "pending")() and process.faults > 0, world)
    wait_until(lambda: finished(apply, "pending")() and apply.faults > 0, world)
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"pending"}
    world.project.refresh_from_db()
    assert world.project.problem is None
    away.rename(blobs)
    wait_until(finished(process, "finished"), world)
    wait_until(finished(apply, "finished"), world)
    assert len(world.read("journal.txt").splitlines()) == 2


def test_a_killed_worker_s_job_is_taken_up_by_another_within_seconds(world: World) -> None:
    world.wish(seconds=2)
    job = world.push(3)
    victim = world.worker()
    wait_until(finished(job, "started"), world)
    world.worker()
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: finished(job, "started")() and job.attempts == 2, world)
    wait_until(finished(job, "finished"), world)
    assert len(world.read("journal.txt").splitlines()) == 3


def test_a_job_that_kills_three_workers_fails_with_the_reason_and_its_deltas_stay_pending(world: World) -> None:
    from qfc_node.core.models import Delta

    world.wish(seconds=60)
    job = world.push(1)
    for _ in range(3):
        world.kill_worker_during(job)
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "failed")(), world.node.log
    assert job.attempts == 3
    assert "3 times" in job.feedback["error"]
    assert Delta.objects.get().last_status == "pending"
    assert "3 times" in str(Delta.objects.get().last_feedback)
    assert world.read("journal.txt") == b""


def test_a_job_whose_process_is_killed_is_tried_again_and_then_fails(world: World) -> None:
    from qfc_node.core.models import Delta

    world.wish(misbehave="killed")
    job = world.push(1)
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "failed")(), world.node.log
    assert job.attempts == 3
    assert Delta.objects.get().last_status == "error"


def test_deltas_of_a_job_that_is_given_up_come_before_later_ones(world: World) -> None:
    from qfc_node.core.models import Delta, Job

    world.wish(seconds=60)
    first = world.push(2)
    Job.objects.filter(pk=first.pk).update(attempts=2)
    second = world.push(1)
    world.kill_worker_during(first)
    world.wish()
    world.worker("--single-shot").wait(timeout=60)
    assert finished(first, "failed")(), world.node.log
    assert finished(second, "finished")()
    ids = [str(pk) for pk in Delta.objects.order_by("created_at").values_list("pk", flat=True)]
    assert world.read("journal.txt").decode().splitlines() == ids


def test_sigterm_lets_the_present_job_finish(world: World) -> None:
    world.wish(seconds=1.5)
    job, later = world.push(1), world.job("PackageJob")
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert finished(job, "finished")()
    assert finished(later, "pending")()


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.8, 1.5])
def test_sigterm_is_honoured_at_any_moment_of_an_idle_worker(world: World, delay: float) -> None:
    worker = world.worker()
    time.sleep(delay)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=40) in {0, -signal.SIGTERM}


def test_sigint_gives_the_job_back_untouched(world: World) -> None:
    world.wish(seconds=30)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=40) == 0
    assert finished(job, "pending")()
    assert job.attempts == 0
    assert job.started_at is None


def test_a_stopped_job_ends_within_a_second_or_two(world: World) -> None:
    from qfc_node.core.models import Job

    world.wish(seconds=60)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    Job.objects.filter(pk=job.pk).update(status="stopped")
    folder = world.node.folder / "jobs"
    wait_until(lambda: not list(folder.glob(f"*/{job.pk}")), world)
    assert finished(job, "stopped")()
    assert worker.poll() is None


def test_secrets_reach_the_job_s_libpq_and_nothing_else(world: World) -> None:
    from qfc_node.core.models import Secret
    from qfc_node.core.sealing import seal

    for name, kind, value in [
        ("PGPASSWORD", "envvar", "hush"),
        ("GDAL_DRIVER_PATH", "envvar", "/evil"),
        ("field", "pgservice", "[field]\nhost=db.example"),
    ]:
        Secret.objects.create(project=world.project, name=name, type=kind, value=seal(value), created_by=world.user)
    world.wish(misbehave="tell_environment")
    job = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "failed")(), world.node.log
    told = json.loads(job.feedback["error"])
    assert told == {
        "PGPASSWORD": "hush",
        "LD_PRELOAD": None,
        "GDAL_DRIVER_PATH": None,
        "service": "[field]\nhost=db.example\n",
        "mode": "0o100600",
    }
    assert "hush" not in world.node.log + job.output.replace(job.feedback["error"], "")
    assert "GDAL_DRIVER_PATH" in job.output


def test_a_job_that_asks_for_a_network_without_a_right_to_one_fails(world: World) -> None:
    from qfc_node.core.models import Plan

    Plan.objects.update(is_external_db_supported=False)
    world.wish(misbehave="tell_environment")
    job = world.job("ProcessProjectfileJob")
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "failed")(), world.node.log
    assert "plan of the project's owner does not include" in job.feedback["error"]
    assert job.attempts == 1


def test_a_deleted_project_ends_its_job(world: World) -> None:
    from qfc_node.core import projects
    from qfc_node.core.models import Job

    world.wish(seconds=60)
    job = world.push(1)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    projects.delete(world.project)
    folder = world.node.folder / "jobs"
    wait_until(lambda: not list(folder.glob(f"*/{job.pk}")), world)
    assert not Job.objects.exists()
    assert worker.poll() is None
    assert not [path for path in (world.node.folder / "blobs").rglob("*") if path.is_file()]


def test_an_upload_during_the_job_is_not_overwritten(world: World) -> None:
    world.wish(seconds=1.5)
    job = world.push(2)
    world.worker()
    wait_until(finished(job, "started"), world)
    world.upload("journal.txt", b"uploaded meanwhile\n")
    wait_until(finished(job, "finished"), world)
    lines = world.read("journal.txt").decode().splitlines()
    assert lines[0] == "uploaded meanwhile"
    assert len(lines) == 3


def test_a_job_left_between_two_states_does_not_block_its_project(world: World) -> None:
    from qfc_node.core.models import Job

    orphan, later = world.job("PackageJob"), world.job("PackageJob")
    Job.objects.filter(pk=orphan.pk).update(status="queued")
    time.sleep(0.1)
    world.worker()
    wait_until(finished(orphan, "finished"), world)
    wait_until(finished(later, "finished"), world)


def test_one_job_of_a_project_at_a_time_and_projects_side_by_side(world: World) -> None:
    from qfc_node.core.models import Job

    world.wish(seconds=0.3)
    jobs = [world.job("PackageJob") for _ in range(4)]
    for _ in range(3):
        world.worker()
    wait_until(lambda: Job.objects.filter(status="finished").count() == 4, world)
    spans = sorted(Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("started_at", "finished_at"))
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))
    created = list(Job.objects.order_by("created_at").values_list("pk", flat=True))
    assert created == list(Job.objects.order_by("started_at").values_list("pk", flat=True)), "oldest first"


def test_a_locked_project_waits(world: World) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Project

    Project.objects.filter(pk=world.project.pk).update(locked_at=timezone.now())
    job = world.job("PackageJob")
    world.worker("--single-shot").wait(timeout=60)
    assert finished(job, "pending")()
    world.worker()
    Project.objects.filter(pk=world.project.pk).update(locked_at=None)
    wait_until(finished(job, "finished"), world)


def test_a_restarted_database_costs_nothing(world: World) -> None:
    """Every connection of the worker breaks in the middle of a job, as in a restart of the database."""
    from django.db import connection

    world.wish(seconds=2)
    job = world.push(2)
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    wait_until(finished(job, "finished"), world)
    assert len(world.read("journal.txt").splitlines()) == 2
    assert worker.poll() is None

"""Operators change the queue while real workers work on it: every edit still arrives exactly once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import Node
from qfc.drivers.postgres import PostgresJobStore
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import RefusedError
from qfc.stack.model import JobStatus
from worker_world import TESTS, World, finished, wait_until

OPEN = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
FAILED = (JobStatus.FAILED, JobStatus.STOPPED)
NOT_ARRIVED = ("pending", "started", "error", "not_applied", "conflict")


@pytest.fixture
def world(node_database: Endpoint, node_folder: Path) -> Iterator[World]:
    with Node(node_database, node_folder, PYTHONPATH=str(TESTS)) as node:
        yield World(node)


@pytest.fixture
def store(node_database: Endpoint) -> Iterator[PostgresJobStore]:
    made = PostgresJobStore(lambda: connect(node_database))
    yield made
    made.close()


def journal(world: World) -> list[str]:
    return world.read("journal.txt").decode().split()


def test_a_running_job_is_cancelled_and_its_edits_arrive_later(world: World, store: PostgresJobStore) -> None:
    world.wish(seconds=60)
    job = world.push(3)
    ids = [delta.id for delta in store.deltas()]
    worker = world.worker()
    wait_until(finished(job, "started"), world)
    assert store.cancel([str(job.pk)]).deltas == tuple(ids)
    wait_until(lambda: not list((world.node.folder / "jobs").glob(f"*/{job.pk}")), world, seconds=10)
    assert store.job(str(job.pk)).status is JobStatus.STOPPED
    assert journal(world) == []
    world.wish()
    (again,) = store.reapply(ids).jobs
    wait_until(lambda: store.job(again).status is JobStatus.FINISHED, world)
    assert journal(world) == ids
    assert {delta.status for delta in store.deltas()} == {"applied"}
    assert worker.poll() is None


def test_a_failed_job_is_tried_again_when_its_cause_is_gone(world: World, store: PostgresJobStore) -> None:
    world.wish(misbehave="raise")
    job = world.push(2)
    ids = [delta.id for delta in store.deltas()]
    world.worker()
    wait_until(lambda: store.job(str(job.pk)).status is JobStatus.FAILED, world)
    assert journal(world) == []
    world.wish()
    assert store.retry([str(job.pk)]).deltas == tuple(ids)
    wait_until(lambda: store.job(str(job.pk)).status is JobStatus.FINISHED, world)
    assert journal(world) == ids


def test_every_edit_arrives_once_whatever_an_operator_does(world: World, store: PostgresJobStore) -> None:
    chance = random.Random(20260504)
    world.wish(seconds=0.1)
    for _ in range(2):
        world.worker()
    for _ in range(40):
        disturb(world, store, chance)
    settle(world, store)
    written = journal(world)
    assert len(written) == len(set(written)), "an edit was applied twice"
    assert set(written) == {delta.id for delta in store.deltas(limit=1000)}
    assert {delta.status for delta in store.deltas(limit=1000)} == {"applied"}


def disturb(world: World, store: PostgresJobStore, chance: random.Random) -> None:
    """Do one thing at random, as an operator in a hurry would."""
    action = chance.choice(["push", "cancel", "cancel", "retry", "reapply"])
    if action == "push":
        world.push(chance.randint(1, 3))
        return
    try:
        if action == "reapply":
            store.reapply([delta.id for delta in store.deltas(statuses=NOT_ARRIVED, limit=1000)])
        else:
            statuses = OPEN if action == "cancel" else FAILED
            jobs = [job.id for job in store.jobs(statuses=statuses, limit=chance.randint(1, 5))]
            store.cancel(jobs) if action == "cancel" else store.retry(jobs)
    except RefusedError:
        pass  # a worker held the rows for too long, or there was a deadlock: nothing was changed


def settle(world: World, store: PostgresJobStore) -> None:
    """Apply edits that have not arrived, and wait until nothing is left to do."""

    def nothing_left() -> bool:
        if store.jobs(statuses=OPEN):
            return False
        lost = [delta.id for delta in store.deltas(statuses=NOT_ARRIVED, limit=1000)]
        if lost:
            store.reapply(lost)
        return not lost

    world.wish()
    wait_until(nothing_left, world, seconds=120)

"""Many devices and many workers at once, at random: every delta is applied once, in the order of arrival.

Workers are threads that do what a worker does around its child process, including every kind of failure.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

SEED = int(os.environ.get("QFC_TEST_QUEUE_SEED", str(random.SystemRandom().randrange(10**6))))
PROJECTS, DEVICES, WORKERS = 3, 4, 5
PUSHES = 25


@pytest.fixture
def projects(node_database: Endpoint) -> Iterator[list[Any]]:
    from qfc_node.core import uploads
    from qfc_node.core.models import Job, Person, Project
    from qfc_node.storage.blobs import stage

    owner = Person.objects.create_user("alice", "alice@example.com", "pw")
    made = [Project.objects.create(name=f"survey {number}", owner=owner) for number in range(PROJECTS)]
    for project in made:
        staged = stage()
        staged.write(b"<qgis/>")
        uploads.store(project, "survey.qgs", staged, owner)
        staged.close()
    Job.objects.all().delete()
    yield made


class Crowd:
    """Threads, each with its own random numbers and connection, which run until the devices have sent everything."""

    def __init__(self, projects: list[Any]) -> None:
        self.projects = projects
        self.failures: list[BaseException] = []
        self.pushed: list[list[uuid.UUID]] = []
        self._threads: list[threading.Thread] = []

    def start(self, role: Callable[[random.Random], None]) -> threading.Thread:
        """Start a thread."""
        rng = random.Random(SEED + len(self._threads))

        def run() -> None:
            from django.db import connection

            try:
                role(rng)
            except BaseException as error:
                self.failures.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()
        return thread

    def push(self, rng: random.Random) -> None:
        """A device: send deltafiles, some of them twice."""
        from qfc_node.core import intake
        from qfc_node.core.deltafile import Deltafile, SentDelta
        from qfc_node.core.models import Project, ProjectRole

        client = uuid.uuid4()
        content = {"method": "create", "sourceLayerId": "a", "localLayerId": "a", "localPk": "1"}
        for _ in range(PUSHES):
            project = Project.objects.get(pk=rng.choice(self.projects).pk)
            sent = tuple(SentDelta(uuid.uuid4(), client, content) for _ in range(rng.randint(1, 4)))
            for _ in range(rng.choice([1, 1, 2])):
                intake.take(project, Deltafile(uuid.uuid4(), project.pk, sent), project.owner, ProjectRole.ADMIN)
            if rng.random() < 0.1:
                Project.objects.filter(pk=project.pk).update(overwrite_conflicts=rng.random() < 0.5)
            time.sleep(rng.uniform(0, 0.02))

    def work(self, rng: random.Random) -> None:
        """A worker: run until every job is done or held by another worker."""
        from qfc_node.core.models import Job
        from qfc_node.worker import leases
        from qfc_node.worker.registry import Registration

        registration = Registration()
        while self.is_pushing or Job.objects.filter(status__in=["pending", "queued", "started"]).exists():
            registration.ensure()
            leases.requeue_jobs_of_dead_workers(registration)
            if rng.random() < 0.05:
                Job.objects.filter(not_before__isnull=False).update(not_before=None)
            lease = leases.claim(registration)
            if lease is None:
                time.sleep(0.01)
            elif self._do(lease, rng):
                registration = Registration()

    def _do(self, lease: Any, rng: random.Random) -> bool:
        """End a job in some way; return whether the worker died."""
        from django.db import connection

        from qfc_node.worker import leases, results
        from qfc_node.worker.preparation import prepare
        from qfc_node.worker.work import Result

        end = rng.choice(["finish"] * 6 + ["postpone", "give_back", "die_early", "die_late"])
        with suppress(leases.LeaseLostError):
            if end == "die_early":
                connection.close()
                return True
            prepared = prepare(lease)
            time.sleep(rng.uniform(0, 0.01))
            outcomes = [{"delta_id": delta.id, "status": "applied", "feedback": {}} for delta in prepared.work.deltas]
            if end == "finish":
                results.finish(lease, prepared, Result("done", outcomes=tuple(outcomes)), "")
            elif end == "postpone":
                leases.postpone(lease, "at random")
            elif end == "give_back":
                leases.give_back(lease)
            else:
                connection.close()
                return True
        return False

    @property
    def is_pushing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads[:DEVICES])

    def run(self) -> None:
        """Run all devices and workers."""
        for _ in range(DEVICES):
            self.start(self.push)
        for _ in range(WORKERS):
            self.start(self.work)
        for thread in self._threads:
            thread.join(timeout=120)
        assert self.failures == []
        assert not any(thread.is_alive() for thread in self._threads)


def test_every_delta_is_applied_once_in_its_order_whatever_happens_around(projects: list[Any]) -> None:
    from qfc_node.core import intake
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    print(f"QFC_TEST_QUEUE_SEED={SEED}")
    crowd = Crowd(projects)
    crowd.run()
    for project in projects:  # no later job follows to take the deltas of jobs that died three times at the very end
        intake.apply_waiting(project, project.owner)
    crowd.work(random.Random(SEED))

    assert set(Delta.objects.values_list("last_status", flat=True)) == {"applied"}
    assert set(Job.objects.values_list("status", flat=True)) <= {"finished", "failed"}
    applied = ApplyJobDelta.objects.filter(status="applied")
    assert applied.count() == Delta.objects.count() == applied.values("delta").distinct().count()
    for project in projects:
        rows = applied.filter(delta__project=project).order_by("delta__created_at")
        ends = list(rows.values_list("apply_job__finished_at", flat=True))
        assert ends == sorted(ends), "earlier deltas are in earlier jobs"

"""A project with a queue and workers that misbehave on request, for tests of the worker."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from node import Node

TESTS = Path(__file__).parent


class World:
    """A user with a project whose file tells the misbehaving engine what to do."""

    def __init__(self, node: Node) -> None:
        from qfc_node.core.models import Person, Project

        self.node = node
        self.user = Person.objects.create_user("alice", "alice@example.com", "pw")
        self.project = Project.objects.create(name="survey", owner=self.user, project_filename="project.qgs")
        self.upload("journal.txt", b"")
        self.wish()

    def upload(self, name: str, content: bytes) -> None:
        from stored_files import put_file

        put_file(self.project, name, content, self.user)

    def wish(self, **wish: Any) -> None:
        self.upload("project.qgs", json.dumps(wish).encode())

    def job(self, model: str, **values: Any) -> Any:
        from qfc_node.core import models

        types = {"PackageJob": "package", "ProcessProjectfileJob": "process_projectfile", "ApplyJob": "delta_apply"}
        kind: Any = getattr(models, model)
        return kind.objects.create(project=self.project, created_by=self.user, type=types[model], **values)

    def push(self, count: int, job: Any = None) -> Any:
        from django.utils import timezone

        from qfc_node.core.models import ApplyJobDelta, Delta

        job = job or self.job("ApplyJob", overwrite_conflicts=True)
        for number in range(count):
            delta = Delta.objects.create(
                project=self.project,
                created_by=self.user,
                deltafile_id=uuid.uuid4(),
                client_id=uuid.uuid4(),
                content={"method": "create"},
                created_at=timezone.now() + timedelta(microseconds=number),
            )
            ApplyJobDelta.objects.create(apply_job=job, delta=delta)
        return job

    def read(self, name: str) -> bytes:
        from qfc_node.core.file_versions import read
        from qfc_node.core.models import File

        file = File.objects.get(project=self.project, name=name, file_type=1)
        assert file.latest_version is not None
        with read(file.latest_version) as stream:
            return stream.read()

    def read_package(self, name: str) -> bytes:
        from qfc_node.core.file_versions import read
        from qfc_node.core.models import FileVersion

        with read(FileVersion.objects.get(file__file_type=2, file__name=name)) as stream:
            return stream.read()

    def worker(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        return self.node.start_worker(*arguments, QFC_NODE_GIS_ENGINE="engines.JournalEngine", **environment)

    def kill_worker_during(self, job: Any) -> None:
        """Start a worker and kill it in the middle of this job, which must take long."""
        left = set(self._outputs(job))  # of workers that were killed before
        worker = self.worker()
        wait_until(lambda: any(b"misbehaving" in path.read_bytes() for path in set(self._outputs(job)) - left), self)
        worker.kill()
        worker.wait()

    def _outputs(self, job: Any) -> list[Path]:
        return list((self.node.folder / "jobs").glob(f"*/{job.pk}/output.log"))


def wait_until(condition: Callable[[], bool], world: World, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, world.node.log[-4000:]
        time.sleep(0.02)


def finished(job: Any, *statuses: str) -> Callable[[], bool]:
    def check() -> bool:
        job.refresh_from_db()
        return job.status in (statuses or ("finished", "failed", "stopped"))

    return check

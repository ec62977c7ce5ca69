"""Of two simultaneous writers to a project, the second waits for the first, sees its changes and decides by them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def project(node_database: Endpoint) -> Any:
    from api_world import person
    from qfc_node.core.models import Project

    del node_database
    return Project.objects.create(name="survey", owner=person("alice"))


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[list[Any]]:
    """Start a second writer when the block has done its work but is not yet over; yield its results."""
    from django.db import connection, transaction

    came: list[Any] = []

    def run() -> None:
        try:
            came.append(work())
        except Exception as error:
            came.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=run)
    with transaction.atomic():
        yield came
        second.start()
        time.sleep(0.5)
        assert came == [], "it has to wait"
    second.join()


def upload(project: Any, name: str) -> Any:
    from qfc_node.core import uploads
    from qfc_node.storage.blobs import stage

    staged = stage()
    staged.write(b"<qgis/>" if name.endswith(".qgs") else name.encode())
    try:
        return uploads.store(project, name, staged, project.owner)
    finally:
        staged.close()


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [("data", "data/a.csv", "UnsafeNameError"), ("one.qgs", "two.qgs", "SecondProjectFileError")],
)
def test_of_two_uploads_that_exclude_each_other_the_second_is_refused(
    project: Any, first: str, second: str, refusal: str
) -> None:
    from qfc_node.core.models import File

    with meanwhile(lambda: upload(project, second)) as came:
        upload(project, first)
    assert [type(error).__name__ for error in came] == [refusal]
    assert [file.name for file in File.objects.all()] == [first]


@pytest.mark.parametrize("request_job", ["request_package", "request_process_projectfile"])
def test_two_who_ask_for_the_same_job_get_the_same(project: Any, request_job: str) -> None:
    from qfc_node.core import jobs

    def ask() -> Any:
        return getattr(jobs, request_job)(project, project.owner)

    with meanwhile(ask) as came:
        made = ask()
    assert (made.is_new, came[0].is_new) == (True, False)
    assert came[0].job.pk == made.job.pk


def test_a_file_that_is_sent_twice_at_once_is_stored_once(project: Any) -> None:
    from qfc_node.core import intake
    from qfc_node.core.deltafile import Deltafile, SentDelta
    from qfc_node.core.models import ApplyJobDelta, Delta, ProjectRole

    content = {"method": "create", "sourceLayerId": "trees", "localLayerId": "trees", "localPk": "1"}
    file = Deltafile(uuid.uuid4(), project.pk, (SentDelta(uuid.uuid4(), uuid.uuid4(), content),))

    def send() -> Any:
        return intake.take(project, file, project.owner, ProjectRole.ADMIN)

    with meanwhile(send) as came:
        assert len(send()) == 1
    assert came == [[]]
    assert (Delta.objects.count(), ApplyJobDelta.objects.count()) == (1, 1)


def test_of_two_who_delete_a_file_one_has_deleted_it(project: Any) -> None:
    """The inner of two locks: deleting through the API already holds the project."""
    from qfc_node.core.file_versions import delete_file
    from qfc_node.core.models import Project

    upload(project, "notes.txt")
    with meanwhile(lambda: delete_file(project, "notes.txt")) as came:
        assert delete_file(project, "notes.txt")
    assert came == [False]
    assert Project.objects.get().file_storage_bytes == 0


def test_edits_that_two_have_applied_again_at_once_are_in_one_job(project: Any) -> None:
    from django.utils import timezone

    from qfc_node.core import intake
    from qfc_node.core.models import ApplyJobDelta, Delta

    Delta.objects.create(
        project=project,
        created_by=project.owner,
        deltafile_id=uuid.uuid4(),
        client_id=uuid.uuid4(),
        content={"method": "create"},
        created_at=timezone.now(),
        last_status="not_applied",
    )
    with meanwhile(lambda: intake.apply_waiting(project, project.owner)) as came:
        assert len(intake.apply_waiting(project, project.owner)) == 1
    assert came == [[]]
    assert ApplyJobDelta.objects.count() == 1

"""`status/` reports the real state; if the database or the store is down, it answers 503 with a reason, not a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

GOOD = {
    "database": "ok",
    "storages": {"default": "ok"},
    "queue": "ok",
    "geodb": "ok",
    "storage": "ok",
    "status_page_url": None,
    "incident_message": None,
    "incident_timestamp_utc": None,
    "maintenance_message": None,
    "maintenance_start_timestamp_utc": None,
    "maintenance_end_timestamp_utc": None,
}


@pytest.fixture
def speaker(node_database: Endpoint) -> Any:
    from api_world import Speaker, person

    del node_database
    return Speaker(person("alice"))


@pytest.fixture
def without_database(speaker: Any) -> Iterator[Any]:
    """Everything is set up, then the database stops."""
    from django.db import connection

    connection.close()
    port, connection.settings_dict["PORT"] = connection.settings_dict["PORT"], "1"
    host, connection.settings_dict["HOST"] = connection.settings_dict["HOST"], "127.0.0.1"
    yield speaker
    connection.settings_dict["PORT"], connection.settings_dict["HOST"] = port, host


def test_all_is_well(speaker: Any) -> None:
    from api_world import Speaker

    answer = Speaker().get("status")
    assert (answer.status_code, answer.json()) == (200, GOOD)
    del speaker


def test_a_missing_database_is_told_by_status_and_by_everything_else(without_database: Any) -> None:
    answer = without_database.get("status/")
    assert answer.status_code == 503
    told = answer.json()
    assert (told["database"], told["geodb"], told["storage"]) == ("error", "error", "ok")
    assert told["code"] == "status_not_ok"
    assert "database" in told["message"]
    for path in ("projects/", "auth/user/"):
        answer = without_database.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "status_not_ok")
        assert answer["Retry-After"]
    assert without_database.post("auth/login/", {"username": "a", "password": "b"}).status_code == 503


def test_a_broken_store_is_told_by_status_and_by_uploads(speaker: Any) -> None:
    from django.conf import settings

    from qfc_node.core.models import Project, User

    project = Project.objects.create(name="survey", owner=User.objects.get())
    (settings.DATA_DIR / "staging").write_text("a file where the folder has to be")
    answer = speaker.get("status/")
    assert (answer.status_code, answer.json()["storage"]) == (200, "error")
    assert "file store" in answer.json()["message"]
    assert answer.json()["storages"] == {"default": "error"}
    assert answer.json()["database"] == "ok"
    upload = speaker.send(f"files/{project.pk}/a.txt/", b"x")
    assert (upload.status_code, upload.json()["code"]) == (503, "status_not_ok")
    assert speaker.get("projects/").status_code == 200


def test_a_job_that_waits_while_no_worker_lives_is_told(speaker: Any) -> None:
    from django.db import connection
    from django.utils import timezone

    from qfc_node.core.models import Job, Project, User, Worker

    project = Project.objects.create(name="survey", owner=User.objects.get())
    job = Job.objects.create(project=project, created_by=project.owner, type="package")
    assert speaker.get("status/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # the trigger would move updated_at
        Job.objects.filter(pk=job.pk).update(updated_at=timezone.now() - timedelta(minutes=2))
        cursor.execute("set session_replication_role = origin")
    answer = speaker.get("status/")
    assert (answer.status_code, answer.json()["queue"]) == (200, "error")
    assert "no worker" in answer.json()["message"]
    Worker.objects.create(lock_key=1, host="here", pid=1, release="0")
    assert speaker.get("status/").json()["queue"] == "ok"


@pytest.mark.parametrize(
    ("waits_s", "silent_s", "put_off_s", "queue"),
    [
        (29, 60, None, "ok"),
        (31, 60, None, "error"),
        (31, 19, None, "ok"),
        (31, 21, None, "error"),
        (31, 60, 60, "ok"),
        (31, 60, -1, "error"),
    ],
)
def test_the_queue_is_down_when_a_job_waits_for_half_a_minute_for_workers_that_are_silent(
    speaker: Any, waits_s: int, silent_s: int, put_off_s: int | None, queue: str
) -> None:
    """A worker counts as alive for a lease, 20 s; a postponed job waits for its time, not for a worker."""
    from django.db import connection
    from django.utils import timezone

    from qfc_node.core.models import Job, Project, User, Worker

    now = timezone.now()
    project = Project.objects.create(name="survey", owner=User.objects.get())
    job = Job.objects.create(project=project, created_by=project.owner, type="package")
    not_before = None if put_off_s is None else now + timedelta(seconds=put_off_s)
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # the trigger would move updated_at
        Job.objects.filter(pk=job.pk).update(updated_at=now - timedelta(seconds=waits_s), not_before=not_before)
        cursor.execute("set session_replication_role = origin")
    heartbeat = now - timedelta(seconds=silent_s)
    Worker.objects.create(lock_key=1, host="here", pid=1, release="0", heartbeat_at=heartbeat)
    assert speaker.get("status/").json()["queue"] == queue


def test_the_document_of_the_api_is_served_without_the_internet(speaker: Any) -> None:
    for path in ("/swagger.yaml", "/swagger/", "/swagger", "/docs/", "/docs"):
        answer = speaker.client.get(path)
        assert answer.status_code == 200
        assert not re.search(rb"""(?:src|href)=["']https?:""", answer.content)
    assert speaker.client.get("/admin")["Location"] == "/admin/"
    assert b"/staticfiles/" in speaker.client.get("/swagger/").content


def test_each_request_is_a_line_in_the_log_without_secrets(speaker: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="qfc_node.requests")
    speaker.client.get("/api/v1/nothing/?token=s3cret")
    speaker.client.get("/accounts/password/reset/MQ/s3cret-link/")
    speaker.get("status/")
    lines = [record.getMessage() for record in caplog.records if record.name == "qfc_node.requests"]
    assert [line.rpartition(" in ")[0] for line in lines] == [
        "GET /api/v1/nothing/ → 404",
        "GET /accounts/password/reset/… → 200",
    ]

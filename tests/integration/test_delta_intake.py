"""Every delta is stored once and waits in exactly one job, whatever happens at the same time."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


class Field:
    """A project, and its owner as a device."""

    def __init__(self) -> None:
        from api_world import Speaker, person
        from qfc_node.core.models import ClientType, Project

        self.user = person("alice")
        self.project = Project.objects.create(name="survey", owner=self.user, project_filename="survey.qgs")
        self.device = Speaker(self.user, ClientType.QFIELD)

    def push(self, *deltas: dict[str, Any], **extra: Any) -> Any:
        from api_world import deltafile

        return self.device.push(self.project, deltafile(self.project, *deltas, **extra))

    def memberships(self) -> dict[str, list[str]]:
        """Return the deltas of every job, in the order of the jobs."""
        from qfc_node.core.models import ApplyJob

        jobs = ApplyJob.objects.order_by("created_at")
        return {
            str(job.pk): [str(row.delta_id) for row in job.job_deltas.order_by("delta__created_at")] for job in jobs
        }


def finish_jobs(**which: Any) -> None:
    """End jobs like a worker: all their deltas are applied, in one transaction."""
    from django.db import transaction

    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    with transaction.atomic():
        ended = Job.objects.filter(**which)
        parts = ApplyJobDelta.objects.filter(apply_job__in=ended.values("pk"))
        Delta.objects.filter(pk__in=parts.values("delta_id")).update(last_status="applied")
        parts.update(status="applied")
        ended.update(status="finished")


@pytest.fixture
def field(node_database: Endpoint) -> Field:
    del node_database
    return Field()


def test_a_file_becomes_rows_and_one_job(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import ApplyJob, Delta

    sent = [delta(), delta("patch"), delta("delete")]
    answer = field.push(*sent)
    assert (answer.status_code, answer.content) == (200, b"")
    rows = list(Delta.objects.order_by("created_at"))
    assert [row.content for row in rows] == sent
    assert {row.last_status for row in rows} == {"pending"}
    assert rows[0].new_geom == "Point (8 47)"
    job = ApplyJob.objects.get()
    assert (job.type, job.status, job.overwrite_conflicts, job.created_by_id) == (
        "delta_apply",
        "pending",
        True,
        field.user.pk,
    )
    assert field.memberships() == {str(job.pk): [item["uuid"] for item in sent]}


def test_a_character_that_cannot_be_stored_does_not_hold_up_other_edits(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import Delta

    bad = delta("patch", new={"attributes": {"name": "a\0b \ud83d"}, "geometry": "Point (1 2)\0"})
    assert field.push(delta(), bad).status_code == 200
    rows = list(Delta.objects.order_by("created_at"))
    assert [row.last_status for row in rows] == ["pending", "pending"]
    assert rows[1].content["new"] == {"attributes": {"name": "ab \ufffd"}, "geometry": "Point (1 2)"}


def test_sending_a_file_again_changes_nothing(field: Field) -> None:
    from api_world import delta, deltafile

    document = deltafile(field.project, delta(), delta("patch"))
    assert field.device.push(field.project, document).status_code == 200
    before = field.memberships()
    assert field.device.push(field.project, document).status_code == 200
    assert field.push(*document["deltas"], delta()).status_code == 200
    after = field.memberships()
    assert list(after) == list(before)
    assert sum(map(len, after.values())) == 3


def test_deltas_join_the_job_that_waits_but_none_that_was_taken_up(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import Job

    field.push(delta())
    field.push(delta())
    assert [len(ids) for ids in field.memberships().values()] == [2]
    for status in ("queued", "started", "finished"):
        finish_jobs(status__in=["queued", "started"])
        if status == "finished":
            finish_jobs(status="pending")
        else:
            Job.objects.filter(status="pending").update(status=status)
        field.push(delta())
    assert [len(ids) for ids in field.memberships().values()] == [2, 1, 1, 1]


def test_a_job_that_is_being_claimed_is_not_joined(field: Field) -> None:
    """A worker's claim holds the row of the job; deltas that arrive meanwhile do not wait for it."""
    import psycopg
    from django.conf import settings

    from api_world import delta

    field.push(delta())
    database = settings.DATABASES["default"]
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=_database_name(),
    ) as claim:
        claim.execute("select id from core_job where status = 'pending' for update skip locked")
        assert field.push(delta()).status_code == 200
    assert [len(ids) for ids in field.memberships().values()] == [1, 1]


def _database_name() -> str:
    from django.db import connection

    return str(connection.settings_dict["NAME"])


def test_a_job_of_another_conflict_rule_is_not_joined(field: Field) -> None:
    from api_world import delta

    field.push(delta())
    assert field.device.patch(f"projects/{field.project.pk}/", {"overwrite_conflicts": False}).status_code == 200
    field.push(delta())
    assert [len(ids) for ids in field.memberships().values()] == [1, 1]


def test_a_job_takes_no_more_than_the_limit(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from api_world import delta

    monkeypatch.setattr(settings, "APPLY_DELTAS_LIMIT", 4)
    field.push(*[delta() for _ in range(3)])
    field.push(*[delta() for _ in range(6)])
    assert [len(ids) for ids in field.memberships().values()] == [4, 4, 1]


def test_two_jobs_of_a_project_are_never_of_the_same_moment(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers pick up either of two such jobs, and the edits of the second could be applied first."""
    from django.conf import settings
    from django.utils import timezone

    from api_world import delta
    from qfc_node.core.models import ApplyJob

    now = timezone.now()
    monkeypatch.setattr(settings, "APPLY_DELTAS_LIMIT", 1)
    monkeypatch.setattr(timezone, "now", lambda: now)
    sent = [delta() for _ in range(3)]
    field.push(*sent)
    assert ApplyJob.objects.values("created_at").distinct().count() == 3
    assert list(field.memberships().values()) == [[item["uuid"]] for item in sent]


def test_a_job_that_is_full_to_the_last_place_is_not_joined(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from api_world import delta

    monkeypatch.setattr(settings, "APPLY_DELTAS_LIMIT", 4)
    for count in (4, 1):
        field.push(*[delta() for _ in range(count)])
    assert [len(ids) for ids in field.memberships().values()] == [4, 1]


def test_what_waits_is_taken_up_in_the_order_of_its_arrival(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from api_world import delta
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    monkeypatch.setattr(settings, "APPLY_DELTAS_LIMIT", 2)
    sent = [delta() for _ in range(5)]
    field.push(*sent)
    Job.objects.update(status="finished")
    ApplyJobDelta.objects.update(status="not_applied")
    Delta.objects.update(last_status="not_applied")
    Job.objects.all().delete()
    assert field.device.post(f"deltas/apply/{field.project.pk}/").status_code == 200
    ids = [item["uuid"] for item in sent]
    assert list(field.memberships().values()) == [ids[:2], ids[2:4], ids[4:]]


@pytest.mark.parametrize("status", ["started", "applied", "conflict", "error", "ignored", "unpermitted"])
def test_only_what_waits_is_taken_up_by_itself(field: Field, status: str) -> None:
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import Delta

    field.push(delta())
    finish_jobs()
    Delta.objects.update(last_status=status)
    assert intake.apply_waiting(field.project, field.user) == []


def test_what_was_applied_is_neither_ignored_nor_applied_again(field: Field) -> None:
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import Delta, DeltaStatus

    field.push(delta(), delta())
    finish_jobs()
    rows = list(Delta.objects.all())
    ids = [row.pk for row in rows]
    assert intake.reapply(field.project, ids, field.user) == []
    assert intake.ignore(field.project, ids) == 0
    for status in (DeltaStatus.IGNORED, DeltaStatus.PENDING):
        assert intake.set_status(field.project, rows[0].deltafile_id, status, field.user) == 0
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"applied"}


def test_what_is_in_a_job_that_runs_is_not_put_into_another_whatever_its_own_status_says(field: Field) -> None:
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    field.push(delta())
    Job.objects.update(status="started")
    ApplyJobDelta.objects.update(status="started")
    row = Delta.objects.get()
    assert row.last_status == "pending"
    assert intake.reapply(field.project, [row.pk], field.user) == []
    assert intake.ignore(field.project, [row.pk]) == 0


def test_deltas_of_another_project_are_left_alone(field: Field) -> None:
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import ApplyJobDelta, Delta, DeltaStatus, Job, Project

    field.push(delta())
    Job.objects.update(status="finished")
    ApplyJobDelta.objects.update(status="not_applied")
    Delta.objects.update(last_status="not_applied")
    other, row = Project.objects.create(name="other", owner=field.user), Delta.objects.get()
    assert intake.reapply(other, [row.pk], field.user) == []
    assert intake.apply_waiting(other, field.user) == []
    assert intake.ignore(other, [row.pk]) == 0
    for status in (DeltaStatus.IGNORED, DeltaStatus.PENDING):
        assert intake.set_status(other, row.deltafile_id, status, field.user) == 0
    assert Delta.objects.get().last_status == "not_applied"
    assert intake.set_status(field.project, row.deltafile_id, DeltaStatus.PENDING, field.user) == 1


def test_arrival_is_strictly_ordered_even_if_the_clock_is_not(field: Field) -> None:
    from django.utils import timezone

    from api_world import delta
    from qfc_node.core.models import Delta

    field.push(delta())
    ahead = timezone.now() + timedelta(hours=1)
    Delta.objects.update(created_at=ahead)
    field.push(delta(), delta())
    moments = list(Delta.objects.order_by("created_at").values_list("created_at", flat=True))
    assert moments[0] == ahead
    assert moments == sorted(set(moments))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"not json", "not JSON"),
        ({"a": 1}, "version"),
        ({"deltas": [{"uuid": "x"}]}, "method"),
        ({"project": str(uuid.UUID(int=7))}, "doesn't match URL parameter project id"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(field: Field, document: Any, complaint: str) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Delta, Job

    if isinstance(document, dict) and "a" not in document:
        good = deltafile(field.project, delta())
        document = {**good, **document, "deltas": [*good["deltas"], *document.get("deltas", [])]}
    answer = field.device.push(field.project, document)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_deltafile"
    assert complaint in answer.json()["message"]
    assert not Delta.objects.exists()
    assert not Job.objects.exists()


def test_a_delta_of_another_project_is_refused_and_not_lost_silently(field: Field) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Delta, Project

    other = Project.objects.create(name="other", owner=field.user, project_filename="other.qgs")
    sent = delta()
    assert field.push(sent).status_code == 200
    answer = field.device.push(other, deltafile(other, delta(), sent))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_deltafile")
    assert sent["uuid"] in answer.json()["message"]
    assert Delta.objects.count() == 1


def test_a_file_without_content_is_empty(field: Field) -> None:
    answer = field.device.client.post(f"/api/v1/deltas/{field.project.pk}/", {}, **field.device.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "empty_content")
    assert field.push().status_code == 200


def test_what_a_reporter_may_not_do_is_kept_as_unpermitted(field: Field) -> None:
    from api_world import Speaker, delta, deltafile, person
    from qfc_node.core.models import ProjectCollaborator

    bob = person("bob")
    ProjectCollaborator.objects.create(project=field.project, collaborator=bob, role="reporter")
    sent = [delta(), delta("patch"), delta("delete")]
    assert Speaker(bob).push(field.project, deltafile(field.project, *sent)).status_code == 200
    listed = Speaker(bob).get(f"deltas/{field.project.pk}/").json()
    assert [item["status"] for item in listed] == ["STATUS_PENDING", "STATUS_UNPERMITTED", "STATUS_UNPERMITTED"]
    assert "not permitted" in listed[1]["last_feedback"]["msg"]
    assert list(field.memberships().values()) == [[sent[0]["uuid"]]]


def test_field_data_is_never_refused_for_a_quota(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import Plan, Subscription

    Plan.objects.update(storage_mb=0)
    Subscription.objects.update(status="inactive_past_due")
    assert field.push(delta()).status_code == 200


def test_apply_takes_up_what_waits_and_is_in_no_job(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    field.push(delta(), delta(), delta())
    first, second, third = Delta.objects.order_by("created_at")
    Job.objects.update(status="finished")
    for row, status in ((first, "applied"), (second, "not_applied"), (third, "conflict")):
        ApplyJobDelta.objects.filter(delta=row).update(status=status)
        Delta.objects.filter(pk=row.pk).update(last_status=status)
    assert field.device.post(f"deltas/apply/{field.project.pk}/").status_code == 200
    assert list(field.memberships().values())[1:] == [[str(second.pk)]]
    assert field.device.post(f"deltas/apply/{field.project.pk}/").status_code == 200
    assert len(field.memberships()) == 2


def test_deltas_are_ignored_and_taken_up_again(field: Field) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Delta

    document = deltafile(field.project, delta(), delta())
    field.device.push(field.project, document)
    address = f"deltas/{field.project.pk}/{document['id']}/"
    assert field.device.patch(address, {"status": "ignored"}).json() == {"changed": 2}
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"ignored"}
    assert list(field.memberships().values()) == [[]]
    assert field.device.patch(address, {"status": "pending"}).json() == {"changed": 2}
    assert sum(map(len, field.memberships().values())) == 2
    assert field.device.patch(address, {"status": "applied"}).status_code == 400


def test_packages_that_wait_are_made_after_edits_that_are_applied_again(field: Field) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Job

    document = deltafile(field.project, delta(), delta())
    field.device.push(field.project, document)
    address = f"deltas/{field.project.pk}/{document['id']}/"
    assert field.device.patch(address, {"status": "ignored"}).json() == {"changed": 2}
    finish_jobs(status="pending")
    packages = [Job.objects.create(project=field.project, created_by=field.project.owner, type="package").pk]
    packages.append(Job.objects.create(project=field.project, created_by=field.project.owner, type="package").pk)
    assert field.device.patch(address, {"status": "pending"}).json() == {"changed": 2}
    waiting = list(Job.objects.filter(status="pending").order_by("created_at"))
    assert [job.type for job in waiting] == ["delta_apply", "package", "package"]
    assert [job.pk for job in waiting[1:]] == packages


def test_a_package_of_the_same_moment_is_made_after_the_edits_too(field: Field) -> None:
    """Of two jobs of one moment, workers pick up either."""
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import Delta, Job

    field.push(delta())
    finish_jobs(status="pending")
    Delta.objects.update(last_status="not_applied")
    field.push(delta())
    edits = Job.objects.get(status="pending")
    package = Job.objects.create(project=field.project, created_by=field.user, type="package")
    Job.objects.filter(pk=package.pk).update(created_at=edits.created_at)
    assert [job.pk for job in intake.apply_waiting(field.project, field.user)] == [edits.pk]
    assert Job.objects.get(pk=package.pk).created_at > edits.created_at


@pytest.mark.parametrize(
    ("status", "is_applied_again"),
    [
        ("pending", True),
        ("started", False),
        ("applied", False),
        ("conflict", True),
        ("not_applied", True),
        ("error", True),
        ("ignored", True),
        ("unpermitted", True),
    ],
)
def test_a_user_may_have_everything_applied_again_but_what_is_or_may_be_in_the_data(
    field: Field, status: str, is_applied_again: bool
) -> None:
    from api_world import delta
    from qfc_node.core import intake
    from qfc_node.core.models import Delta

    field.push(delta())
    finish_jobs(status="pending")
    Delta.objects.update(last_status=status)
    jobs = intake.reapply(field.project, Delta.objects.values_list("pk", flat=True), field.user)
    assert len(jobs) == int(is_applied_again)
    assert Delta.objects.get().last_status == ("pending" if is_applied_again else status)


def test_deltas_that_a_worker_holds_are_left_alone(field: Field) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Delta, Job

    document = deltafile(field.project, delta())
    field.device.push(field.project, document)
    Job.objects.update(status="started")
    address = f"deltas/{field.project.pk}/{document['id']}/"
    assert field.device.patch(address, {"status": "ignored"}).json() == {"changed": 0}
    assert Delta.objects.get().last_status == "pending"


def test_devices_at_once_and_a_worker_that_claims_leave_every_delta_in_one_job(field: Field) -> None:
    from django.db import connection

    from api_world import Speaker, delta, deltafile
    from qfc_node.core.models import ApplyJobDelta, Delta, Job

    done = threading.Event()
    speakers = [Speaker(field.user) for _ in range(6)]

    def push_many(speaker: Speaker) -> list[int]:
        try:
            documents = [deltafile(field.project, delta(), delta()) for _ in range(8)]
            return [speaker.push(field.project, document).status_code for document in documents]
        finally:
            connection.close()

    def claim_many() -> None:
        try:
            while not done.is_set():
                oldest = Job.objects.filter(status="pending").order_by("created_at").values("pk")[:1]
                Job.objects.filter(pk__in=oldest, status="pending").update(status="queued")
                finish_jobs(status="queued")
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as pool:
        claimer = pool.submit(claim_many)
        statuses = list(pool.map(push_many, speakers))
        done.set()
        claimer.result()
    assert statuses == [[200] * 8] * 6
    assert Delta.objects.count() == 96
    assert ApplyJobDelta.objects.count() == 96
    assert ApplyJobDelta.objects.values("delta").distinct().count() == 96


def test_the_feedback_is_told_as_text_too(field: Field) -> None:
    from api_world import delta
    from qfc_node.core.models import Delta

    field.push(delta())
    Delta.objects.update(last_status="applied", last_feedback={"msg": "done", "e_type": None})
    told = field.device.get(f"deltas/{field.project.pk}/").json()[0]
    assert told["status"] == "STATUS_APPLIED"
    assert told["output"] == "{'msg': 'done', 'e_type': None}"
    assert json.loads(json.dumps(told["last_feedback"])) == {"msg": "done", "e_type": None}


def test_a_large_file_is_stored_whole_or_not_at_all_and_listed_in_pieces(node_database: Endpoint) -> None:
    from api_world import Speaker, bytes_of, delta, deltafile, person
    from qfc_node.core.models import ApplyJobDelta, Delta, Project

    del node_database
    alice = person("alice")
    project = Project.objects.create(name="survey", owner=alice, project_filename="survey.qgs")
    speaker, note = Speaker(alice), {"attributes": {"note": "x" * 1000}}
    sent = [delta(new=note) for _ in range(1200)]
    broken = deltafile(project, *sent, {**sent[0], "method": "delete"})
    answer = speaker.push(project, broken)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_deltafile")
    answer = speaker.push(project, deltafile(project, *sent, delta(new={"attributes": {"a": "x" * (5 * 1024**2)}})))
    assert (answer.status_code, answer.json()["code"]) == (413, "invalid_deltafile")
    assert not Delta.objects.exists()
    assert speaker.push(project, deltafile(project, *sent)).status_code == 200
    assert speaker.push(project, deltafile(project, *sent)).status_code == 200
    assert ApplyJobDelta.objects.count() == 1200
    whole = speaker.get(f"deltas/{project.pk}/")
    listed = json.loads(bytes_of(whole))
    assert int(whole["Content-Length"]) > 1_000_000
    assert [one["id"] for one in listed] == [one["uuid"] for one in sent]
    assert [one["id"] for one in speaker.get(f"deltas/{project.pk}/?limit=30&offset=5").json()] == [
        one["uuid"] for one in sent[5:35]
    ]

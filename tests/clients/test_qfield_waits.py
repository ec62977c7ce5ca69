"""QField asks for a job or a deltafile each second until it gets an answer that ends the wait."""

from __future__ import annotations

from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def project(alice: Any) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name="survey", owner=alice, project_filename="survey.qgs")


@pytest.mark.parametrize(
    ("client_type", "told"),
    [
        ("qfield", "failed"),
        ("qfieldsync", "failed"),
        ("unknown", "failed"),
        ("sdk", "stopped"),
        ("cli", "stopped"),
        ("browser", "stopped"),
    ],
)
def test_a_stopped_job_ends_the_wait(alice: Any, project: Any, client_type: str, told: str) -> None:
    """QField goes on asking at `stopped`, and ends at `failed`; the SDK has a word for it."""
    from api_world import Speaker
    from qfc_node.core.models import Job

    speaker = Speaker(alice, client_type)
    job = speaker.post("jobs/", {"project_id": str(project.pk), "type": "package"}).json()
    assert job["status"] == "pending"
    Job.objects.filter(pk=job["id"]).update(status="stopped")

    assert speaker.get(f"jobs/{job['id']}/").json()["status"] == told
    (listed,) = speaker.get(f"jobs/?project_id={project.pk}").json()
    assert listed["status"] == told


def test_deltas_that_were_sent_again_are_found_under_the_new_deltafile(alice: Any, project: Any) -> None:
    """After a failed request, QField sends the same deltas in a new deltafile and asks for that one."""
    from api_world import Speaker, delta, deltafile
    from qfc_node.core.models import Delta

    speaker = Speaker(alice, "qfield")
    first, second = delta(), delta()
    sent = deltafile(project, first)
    again = deltafile(project, first, second)
    only_known = deltafile(project, first)
    for document in (sent, again, only_known, only_known):
        assert speaker.push(project, document).status_code == 200
    Delta.objects.update(last_status="applied")

    def answered(document: Any) -> list[tuple[str, str, str]]:
        rows = speaker.get(f"deltas/{project.pk}/{document['id']}/").json()
        return [(row["id"], row["deltafile_id"], row["status"]) for row in rows]

    assert answered(sent) == [(first["uuid"], sent["id"], "STATUS_APPLIED")]
    assert answered(again) == [(one["uuid"], again["id"], "STATUS_APPLIED") for one in (first, second)]
    assert answered(only_known) == [(first["uuid"], only_known["id"], "STATUS_APPLIED")]
    assert len(speaker.get(f"deltas/{project.pk}/").json()) == 2

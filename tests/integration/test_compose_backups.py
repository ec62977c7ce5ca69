"""Backups of a real deployment: made while people work, restored row by row and object by object, tried in a drill."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from compose_world import ADMIN, Deployment
from survey_world import Survey, a_survey, rows, uploads

pytestmark = pytest.mark.docker
#: The steps of a restore at which it is killed, by the line that announces them.
STEPS = ("Fill a new", "Stop API", "Back up the present", "Export the edits", "Replace the database")
KILLED = STEPS if os.environ.get("QFC_TEST_KILLS") == "all" else (STEPS[1], STEPS[4])


@pytest.fixture(scope="module")
def survey(deployed_here: Deployment) -> Iterator[Survey]:
    with a_survey(deployed_here) as made:
        yield made


def bucket(made: Deployment) -> Any:
    """Return the bucket of a deployment here."""
    env = made.env
    return boto3.resource(
        "s3",
        endpoint_url=f"http://127.0.0.1:{made.ports['MINIO_API_PORT']}",
        aws_access_key_id=env["STORAGE_ACCESS_KEY_ID"],
        aws_secret_access_key=env["STORAGE_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    ).Bucket(env["STORAGE_BUCKET_NAME"])


def objects(made: Deployment) -> dict[str, bytes]:
    return {one.key: one.get()["Body"].read() for one in bucket(made).objects.all()}


def test_a_destroyed_deployment_comes_back_row_by_row_and_object_by_object(survey: Survey) -> None:
    made = survey.made
    with uploads(survey) as during:
        backup = made.ok("db", "backup")
    assert (backup["verified"], backup["missing"], backup["key_created"]) == (True, [], True)
    assert during
    survey.await_quiet()
    again = made.ok("db", "backup")
    before, files, content = rows(made), survey.files(), objects(made)
    assert again["stored_bytes"] < backup["stored_bytes"] + 50_000 * (len(during) + 1)

    survey.http.delete(f"/api/v1/projects/{survey.id}/")
    bucket(made).objects.all().delete()
    refused = made.run("db", "restore")
    assert refused.code == 4
    assert "Replace the data of dep" in refused.err

    result = made.ok("db", "restore", "--to", again["backup"])
    assert (result["backup"], result["objects_added"]) == (again["backup"], again["objects"])
    assert rows(made) == before
    assert survey.files() == files
    assert objects(made) == content
    assert made.ok("db", "verify", again["backup"], "--full")["ok"]


def ensure_set(made: Deployment) -> None:
    """Make a set, unless an earlier test has made one."""
    if not made.ok("db", "list")["sets"]:
        made.ok("db", "backup")


def test_the_set_has_what_defines_the_deployment(survey: Survey) -> None:
    made = survey.made
    ensure_set(made)
    with made.wired() as ports:
        manifest = ports.backups.store.manifests()[-1]
        content = io.BytesIO()
        ports.backups.store.read(manifest.parts["secrets.tar"], content)
        from qfc.operations.backup.archives import files_of

        secrets = files_of(content.getvalue())
    assert secrets["deployment/.env"] == (made.place / ".env").read_bytes()
    assert secrets["deployment/docker-compose.yml"] == (made.place / "docker-compose.yml").read_bytes()
    assert secrets["secrets/SECRET_KEY"] == b"only-for-tests"
    assert b"server-key.pem" in secrets["nginx/nginx-certs.tar"]
    assert manifest.release == "v1"
    assert manifest.kind == "compose"


def test_edits_and_files_after_the_set_are_applied_again_each_once(survey: Survey) -> None:
    made = survey.made
    made.ok("db", "backup")
    edit = survey.push("after the set")
    survey.upload("later.jpg", b"later")
    survey.await_quiet()
    edited = survey.files()["points.gpkg"]
    result = made.ok("db", "restore")
    assert result["lost"]["edits"] == [{"project": survey.name, "user": ADMIN, "count": 1}]
    assert "later.jpg" not in survey.files()
    assert survey.files()["points.gpkg"] != edited
    for _ in range(2):
        again = made.ok("db", "reapply", result["edits_file"])
        assert (again["left"], again["edits"]) == ([], 1)
        survey.await_quiet()
    assert survey.files()["later.jpg"] == b"later"
    assert made.sql(f"select last_status from core_delta where id = '{edit}'") == "applied"


@pytest.mark.parametrize("step", KILLED)
def test_a_restore_that_is_killed_leaves_what_was_there(survey: Survey, step: str) -> None:
    made = survey.made
    ensure_set(made)
    survey.upload("newer.bin", os.urandom(100))
    survey.await_quiet()
    before, files = rows(made), survey.files()
    process = made.qfc.begin("--stack", "dep", "db", "restore", "--yes")
    assert process.stderr is not None
    for line in process.stderr:
        if step in line:
            time.sleep(0.5)
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    made.ok("up")
    assert rows(made) == before
    assert survey.files() == files
    assert made.sql("select count(*) from pg_database where datname like '%qfc%old' or datname like '%qfc%new'") == "0"


def test_a_drill_restores_beside_the_deployment_and_removes_everything(survey: Survey) -> None:
    made = survey.made
    ensure_set(made)
    before, content = rows(made), set(objects(made))
    drilled = made.ok("db", "drill")
    assert drilled["ok"], drilled
    assert drilled["restore_seconds"] > 0
    assert rows(made) == before
    assert set(objects(made)) == content
    assert made.sql("select count(*) from pg_database where datname like '%drill%'") == "0"
    findings = made.ok("doctor")["findings"]
    assert not [one for one in findings if one["id"].startswith("I05") and one["verdict"] != "ok"]


def test_a_deployment_on_a_server_is_backed_up_and_restored_over_ssh(deployed_there: Deployment) -> None:
    made = deployed_there
    with a_survey(made) as survey:
        backup = made.ok("db", "backup")
        before, files = rows(made), survey.files()
        survey.upload("newer.bin", b"newer")
        survey.await_quiet()
        result = made.ok("db", "restore", "--to", backup["backup"])
        assert rows(made) == before
        assert survey.files() == files
        again = made.ok("db", "reapply", result["edits_file"])
        assert (again["left"], again["files"]) == ([], 1)
        assert survey.files()["newer.bin"] == b"newer"
    # The node forgets the workers of the set's time within minutes; tests that share the deployment count workers.
    made.sql("delete from node_worker where heartbeat_at < now() - interval '20 seconds'")

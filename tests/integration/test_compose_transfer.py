"""Deployments move, to another host over SSH and to an embedded stack; killed, the old one goes on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose_world import Deployment, as_stack
from qfc_command import Qfc, fresh_qfc
from survey_world import Survey, a_survey, rows, uploads

pytestmark = pytest.mark.docker
OLD, THERE, NODE = "old", "there", "node"


@pytest.fixture(scope="module")
def survey(deployed_here: Deployment) -> Iterator[Survey]:
    with a_survey(deployed_here) as made:
        made.push("an edit")
        made.await_quiet()
        yield made


@pytest.fixture(scope="module")
def qfc(deployed_here: Deployment) -> Iterator[Qfc]:
    """`qfc` of an operator who has both deployments and an embedded stack."""
    with fresh_qfc() as made:
        made.ok("init", NODE, "--workers", "1")
        with (made.home / "config.toml").open("a") as file:
            file.write(settings(OLD, deployed_here))
        yield made


def settings(name: str, made: Deployment) -> str:
    lines = {"kind": "compose", "project_path": str(made.place), **made.engine.settings}
    return f"\n[stacks.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())


def test_a_move_that_is_killed_while_writes_are_blocked_is_undone(qfc: Qfc, survey: Survey) -> None:
    before = rows(survey.made)
    process = qfc.begin("--stack", OLD, "--yes", "transfer", "run", "--to", NODE)
    assert process.stderr is not None
    for line in process.stderr:
        if "Fill a new database" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert survey.http.post("/api/v1/projects/", json={"name": "x", "owner": "anna"}).status_code == 503
    assert survey.http.get("/api/v1/projects/").status_code == 200
    qfc.ok("--stack", OLD, "up")
    assert rows(survey.made) == before
    survey.upload("after.bin", b"after")
    survey.await_quiet()
    qfc.ok("--stack", NODE, "up")


def test_a_deployment_becomes_an_embedded_stack_while_people_upload(qfc: Qfc, survey: Survey) -> None:
    made = survey.made
    with uploads(survey) as during:
        qfc.ok("--stack", OLD, "transfer", "run", "--to", NODE, "--pre-copy")
    assert during
    survey.await_quiet()
    before, files = rows(made), survey.files()
    moved = qfc.ok("--stack", OLD, "--yes", "transfer", "run", "--to", NODE)
    assert [one["what"] for one in moved["checks"]] == ["rows", "objects", "synchronisation"]
    assert moved["missing"] == []
    report = Path(moved["report"]).read_text()
    assert "field.example.test" in report
    assert not any(word in report for word in ("s3cret", "only-for-tests"))
    assert survey.http.post("/api/v1/projects/", json={"name": "x", "owner": "anna"}).status_code == 503
    assert qfc("--stack", OLD, "up").code == 4
    assert qfc.ok("--stack", OLD, "transfer", "verify", "--to", NODE, "--full")["ok"]
    projects = qfc.ok("--stack", NODE, "projects", "list")["projects"]
    found = next(one for one in projects if one["id"] == survey.id)
    assert found["files"] == len(files)

    qfc.ok("--stack", OLD, "--yes", "transfer", "back")
    assert rows(made) == before
    assert survey.files() == files
    survey.upload("back.bin", b"back")
    survey.await_quiet()


def test_a_deployment_moves_to_another_host_over_ssh(qfc: Qfc, survey: Survey, deployed_there: Deployment) -> None:
    with (qfc.home / "config.toml").open("a") as file:
        file.write(settings(THERE, deployed_there))
    before, files = rows(survey.made), survey.files()
    began = time.monotonic()
    moved = qfc.ok("--stack", OLD, "--yes", "transfer", "run", "--to", THERE)
    assert moved["down_s"] < time.monotonic() - began
    assert moved["safety"]
    with as_stack(deployed_there) as stack, stack.database() as connection:
        for table, wanted in before.items():
            found = sorted(str(row[0]) for row in connection.execute(f"select t::text from {table} t"))  # type: ignore
            assert found == wanted, table
    with deployed_there.device() as http:
        for name, content in files.items():
            assert http.get(f"/api/v1/files/{survey.id}/{name}/").content == content
    assert qfc.ok("--stack", OLD, "transfer", "verify", "--to", THERE, "--full")["ok"]
    qfc.ok("--stack", OLD, "--yes", "transfer", "back")
    survey.upload("again.bin", b"again")
    survey.await_quiet()
    # The node forgets the workers of another server within minutes; tests that share the deployment count workers.
    deployed_there.sql("delete from node_worker where heartbeat_at < now() - interval '20 seconds'")

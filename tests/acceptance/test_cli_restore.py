"""A restore replaces everything or nothing, says before what goes, and what was newer can be applied again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from field_server import PASSWORD, FieldServer
from ports import free_port
from qfc.operations.proof import deltafile
from qfc_command import Qfc, fresh_qfc
from stack import DATABASE, USER

pytestmark = pytest.mark.slow
PROBE = Path(__file__).parents[2] / "src/qfc/probe_project"
#: The steps of a restore at which it is killed, by the line that announces them.
STEPS = ("Fill a new", "Stop API", "Back up the present", "Export the edits", "Replace the database")
KILLED = STEPS if os.environ.get("QFC_TEST_KILLS") == "all" else (STEPS[1], STEPS[4])


@pytest.fixture(scope="module")
def server(running: Qfc) -> Iterator[FieldServer]:
    made = FieldServer(running)
    for path in sorted(PROBE.iterdir()):
        made.upload(path.name, path.read_bytes())
    made.upload("photo.jpg", b"a photo")
    await_quiet(running)
    yield made
    made.http.close()


def await_quiet(qfc: Qfc, stack: str = "local") -> None:
    for _ in range(240):
        depth = qfc.ok("--stack", stack, "sync", "queue")["depth"]
        if not any(depth.values()):
            return
        time.sleep(0.5)
    raise AssertionError("jobs do not end")


def connect(qfc: Qfc, stack: str = "local") -> psycopg.Connection:
    password = (qfc.home / stack / "secrets/POSTGRES_PASSWORD").read_text().strip()
    return psycopg.connect(host=str(qfc.home / stack / "run/db"), user=USER, password=password, dbname=DATABASE)


def rows(qfc: Qfc, stack: str = "local") -> dict[str, list[str]]:
    """Return all rows of the tables that people care about."""
    tables = ("core_user", "core_project", "filestorage_file", "filestorage_fileversion", "core_delta", "core_job")
    with connect(qfc, stack) as connection:
        return {
            one: sorted(str(row[0]) for row in connection.execute(f"select t::text from {one} t"))  # type: ignore
            for one in tables
        }


def test_a_destroyed_server_comes_back_row_by_row_and_file_by_file(running: Qfc, server: FieldServer) -> None:
    before, files = rows(running), server.files()
    made = running.ok("db", "backup")
    server.delete("photo.jpg")
    server.http.delete(f"projects/{server.project}/")
    shutil.rmtree(running.home / "local/node/blobs")
    assert not rows(running)["core_project"]

    refused = running("db", "restore")
    assert refused.code == 4
    assert "Replace the data of local (1 user, 0 projects" in refused.err
    plan = running.ok("db", "restore", "--dry-run")
    assert (plan["restored"]["projects"], plan["dry_run"]) == (1, True)
    assert not rows(running)["core_project"]

    result = running.ok("db", "restore", "--to", made["backup"], "--yes")
    assert (result["backup"], result["objects_added"]) == (made["backup"], made["objects"])
    assert {name: found for name, found in rows(running).items() if name != "core_user"} == {
        name: found for name, found in before.items() if name != "core_user"
    }
    assert server.files() == files
    assert running.ok("db", "verify", result["safety"])["ok"]
    assert running.ok("status")["verdict"] == "ok"
    # Those that ran when the set was made are not listed: none is dead.
    assert {one["state"] for one in running.ok("workers", "list")["workers"]} <= {"idle", "busy"}


def test_edits_and_files_after_the_set_are_applied_again_each_once(running: Qfc, server: FieldServer) -> None:
    await_quiet(running)
    running.ok("db", "backup")
    edit = push(server, "after the set")
    server.upload("later.jpg", b"later")
    await_quiet(running)
    assert status_of(running, edit) == "applied"
    with_edit = server.files()["points.gpkg"]

    refused = running("db", "restore")
    assert "Newer than that: 1 edit by anna in anna/survey" in refused.err
    result = running.ok("db", "restore", "--yes")
    assert result["lost"] == {"edits": [{"project": "anna/survey", "user": "anna", "count": 1}], "files": 1}
    assert "later.jpg" not in server.files()
    assert server.files()["points.gpkg"] != with_edit

    for _ in range(2):
        again = running.ok("db", "reapply", result["edits_file"], "--yes")
        assert (again["left"], again["edits"] >= 1) == ([], True)
        await_quiet(running)
        assert status_of(running, edit) == "applied"
    assert server.files()["later.jpg"] == b"later"
    assert [one.split(",")[0] for one in rows(running)["core_delta"]].count(f"({edit}") == 1


def push(server: FieldServer, name: str) -> str:
    edit = deltafile(server.project, name)
    answer = server.http.post(f"deltas/{server.project}/", files={"file": json.dumps(edit).encode()})
    assert answer.status_code < 300, answer.text
    return str(edit["deltas"][0]["uuid"])


def status_of(qfc: Qfc, edit: str) -> Any:
    return qfc.ok("deltas", "show", edit)["status"]


def test_one_project_comes_back_and_the_others_stay(running: Qfc, server: FieldServer) -> None:
    """Its files, versions, edits, jobs and collaborators, also after somebody has deleted it."""
    other = FieldServer(running, user="bea")
    other.upload("notes.txt", b"before")
    answer = server.http.post(f"collaborators/{server.project}/", json={"collaborator": "bea", "role": "editor"})
    assert answer.status_code == 201, answer.text
    push(server, "in the set")
    await_quiet(running)
    made, files, before = running.ok("db", "backup")["backup"], server.files(), rows(running)
    other.upload("notes.txt", b"after")
    server.upload("points.gpkg", (PROBE / "points.gpkg").read_bytes())
    server.upload("after-the-set.jpg", b"later")
    await_quiet(running)

    plan = running("db", "restore", "--project", "anna/survey", "--to", made, "--dry-run")
    assert "in one transaction" in plan.out
    assert running("db", "restore", "--project", "anna/survey", "--to", made).code == 4
    result = running.ok("db", "restore", "--project", "anna/survey", "--to", made, "--yes")
    assert result["replaced"]["files"] == result["restored"]["files"] + 1
    assert server.files() == files
    assert other.files()["notes.txt"] == b"after"
    assert projects_of(rows(running), server.project) == projects_of(before, server.project)
    assert running.ok("db", "verify", result["safety"])["ok"]

    server.http.delete(f"projects/{server.project}/")
    again = running.ok("db", "restore", "--project", server.project, "--to", made, "--yes", "--no-safety-set")
    assert (again["replaced"], again["restored"]["collaborators"]) == (None, 1)
    assert server.files() == files
    assert projects_of(rows(running), server.project) == projects_of(before, server.project)
    push(server, "after the restore")
    await_quiet(running)
    other.http.close()


def projects_of(found: dict[str, list[str]], project: str) -> dict[str, list[str]]:
    """Return the rows that name a project; a project's own times of change are not compared."""
    return {name: [one for one in lines if project in one] for name, lines in found.items() if name != "core_project"}


def test_a_project_whose_people_are_gone_is_refused(running: Qfc, server: FieldServer) -> None:
    third = FieldServer(running, user="carl")
    made = running.ok("db", "backup")["backup"]
    with connect(running) as connection:
        connection.execute("update core_user set username = 'renamed' where username = 'carl'")
    running.ok("db", "restore", "--project", third.project, "--to", made, "--yes", "--no-safety-set")
    with connect(running) as connection:
        connection.execute("update core_user set username = 'gone', date_joined = now() where username = 'renamed'")
    refused = running("db", "restore", "--project", third.project, "--to", made, "--yes")
    assert refused.code == 4
    assert "accounts that do not exist any more: carl" in refused.err
    answer = running("users", "create", "carl", "--password-stdin", stdin=PASSWORD)
    assert answer.code == 0
    running.ok("db", "restore", "--project", "carl/survey", "--to", made, "--yes", "--no-safety-set")
    third.http.close()
    third.http = third.login()
    assert third.files() == {}
    third.http.close()


@pytest.mark.parametrize("step", KILLED)
def test_a_restore_that_is_killed_leaves_what_was_there(running: Qfc, server: FieldServer, step: str) -> None:
    await_quiet(running)
    running.ok("db", "backup")
    server.upload("newer.bin", os.urandom(100))
    await_quiet(running)
    before, files = rows(running), server.files()
    process = running.begin("db", "restore", "--yes")
    assert process.stderr is not None
    for line in process.stderr:
        if step in line:
            time.sleep(0.3)
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    running.ok("up")
    after = rows(running)
    assert {name: after[name] for name in ("core_project", "filestorage_fileversion", "core_delta")} == {
        name: before[name] for name in ("core_project", "filestorage_fileversion", "core_delta")
    }
    assert server.files() == files
    status = running.ok("status")
    assert (status["verdict"], status["reasons"]) == ("ok", [])


def test_a_restore_that_fails_brings_back_what_was_there(running: Qfc, server: FieldServer) -> None:
    """The last step is the start: with the settings of the set, the server does not start."""
    await_quiet(running)
    running.ok("db", "backup")
    server.upload("newest.bin", b"newest")
    await_quiet(running)
    environment = running.home / "local/node.env"
    environment.write_text("AXES_FAILURE_LIMIT=5\n")
    running.ok("db", "backup")
    newest = running.ok("db", "list")["sets"][0]["backup"]
    before = rows(running)
    environment.write_text("QFC_NODE_LEASE_S=nonsense\n")
    running.ok("db", "backup")
    broken = running.ok("db", "list")["sets"][0]["backup"]
    environment.write_text("AXES_FAILURE_LIMIT=5\n")
    answer = running("--json", "db", "restore", "--to", broken, "--yes")
    assert answer.code != 0
    assert answer.json["error"]["message"].startswith("Nothing was restored")
    assert environment.read_text() == "AXES_FAILURE_LIMIT=5\n"
    assert rows(running)["filestorage_fileversion"] == before["filestorage_fileversion"]
    assert running.ok("status")["verdict"] == "ok"
    assert running("--json", "db", "verify", newest).code == 0
    environment.unlink()


def test_a_new_machine_needs_the_place_and_the_key(running: Qfc, server: FieldServer, tmp_path: Path) -> None:
    await_quiet(running)
    made = running.ok("db", "backup")["backup"]
    files, before = server.files(), rows(running)
    sheet = tmp_path / "sheet.txt"
    running.ok("db", "keys", "--output", str(sheet))
    with fresh_qfc() as other:
        other.ok("init", "local", "--workers", "1", "--port", str(free_port()))
        other("db", "list")
        shutil.copytree(running.home / "backups", other.home / "backups")
        assert other("db", "restore", "--yes").code != 0
        other.ok("db", "keys", "--import", str(sheet))
        result = other.ok("db", "restore", "--to", made, "--yes")
        assert (result["replaced"], result["safety"]) == (None, None)
        assert rows(other)["filestorage_fileversion"] == before["filestorage_fileversion"]
        there = FieldServer.__new__(FieldServer)
        there.qfc, there.stack, there.user, there.project = other, "local", server.user, server.project
        there.http = there.login()
        assert there.files() == files
        there.http.close()

        other.ok("init", "copy", "--workers", "1", "--port", str(free_port()))
        environment = other.home / "copy/node.env"
        environment.parent.mkdir(exist_ok=True)
        environment.write_text("AXES_FAILURE_LIMIT=7\n")
        other.ok("--stack", "local", "db", "restore", "--to", made, "--into", "copy", "--yes")
        assert environment.read_text() == "AXES_FAILURE_LIMIT=7\n"
        assert rows(other, "copy")["filestorage_fileversion"] == before["filestorage_fileversion"]
        for stack in ("local", "copy"):
            other.ok("--stack", stack, "down", "--now")

"""A whole server moves to another stack while people work; whatever is killed, the old one goes on."""

from __future__ import annotations

import copy
import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from field_server import FieldServer
from qfc.operations.proof import deltafile
from qfc_command import Qfc
from stack import DATABASE, USER
from survey_world import uploads

pytestmark = pytest.mark.slow
PROBE = Path(__file__).parents[2] / "src/qfc/probe_project"
#: The steps of a move at which it is killed, by the line that announces them.
STEPS = ("Stop the workers", "Verify the set", "Replace the database", "Compare objects", "Start the new server")
KILLED = STEPS if os.environ.get("QFC_TEST_KILLS") == "all" else (STEPS[0], STEPS[4])
#: What people lose when a server is lost; accounts and sessions change with each login.
TABLES = ("core_project", "core_projectcollaborator", "core_secret", "core_person", "core_useraccount", "core_delta",
          "core_job", "core_applyjobdelta", "filestorage_file", "filestorage_fileversion")  # fmt: skip
NEW = "new"


@pytest.fixture(scope="module")
def server(running: Qfc) -> Iterator[FieldServer]:
    running.limit_s = 900  # a move starts a server, which takes its time on a busy machine
    running.ok("init", NEW, "--workers", "1")
    made = FieldServer(running)
    assert (
        running("users", "create", "boss", "--superuser", "--password-stdin", stdin="correct-horse-battery").code == 0
    )
    for path in sorted(PROBE.iterdir()):
        made.upload(path.name, path.read_bytes())
    made.upload("photo.jpg", b"a photo")
    made.upload("photo.jpg", b"the same photo, later")
    edit = deltafile(made.project, "an edit")
    answer = made.http.post(f"deltas/{made.project}/", files={"file": json.dumps(edit).encode()})
    assert answer.status_code < 300, answer.text
    await_quiet(running)
    yield made
    made.http.close()


def await_quiet(qfc: Qfc) -> None:
    for _ in range(240):
        if not any(qfc.ok("sync", "queue")["depth"].values()):
            return
        time.sleep(0.5)
    raise AssertionError("jobs do not end")


def rows(qfc: Qfc, stack: str = "local") -> dict[str, list[str]]:
    """Return all rows of the tables that people care about."""
    password = (qfc.home / stack / "secrets/POSTGRES_PASSWORD").read_text().strip()
    host = str(qfc.home / stack / "run/db")
    with psycopg.connect(host=host, user=USER, password=password, dbname=DATABASE) as connection:
        return {
            one: sorted(str(row[0]) for row in connection.execute(f"select t::text from {one} t"))  # type: ignore
            for one in TABLES
        }


def seen_at(server: FieldServer, stack: str) -> dict[str, bytes]:
    """Return the files as the same user sees them on another stack."""
    there = copy.copy(server)
    there.stack = stack
    there.http = there.login()
    with closing(there.http):
        return there.files()


def killed_at(qfc: Qfc, step: str, *arguments: str) -> None:
    process = qfc.begin(*arguments)
    assert process.stderr is not None
    for line in process.stderr:
        if step in line:
            time.sleep(0.3)
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_plan_and_a_question_come_first(running: Qfc, server: FieldServer) -> None:
    plan = running.ok("transfer", "run", "--to", NEW, "--dry-run")
    assert (plan["dry_run"], plan["moved"], plan["report"]) == (True, False, None)
    assert any("block writes" in step for step in plan["steps"])
    refused = running("transfer", "run", "--to", NEW)
    assert refused.code == 4
    assert "Move local (2 users, 1 project" in refused.err
    assert running("transfer", "run", "--to", "local").code == 2
    assert running.ok("status")["verdict"] == "ok"


@pytest.mark.parametrize("step", KILLED)
def test_a_move_that_is_killed_leaves_both_as_they_were(running: Qfc, server: FieldServer, step: str) -> None:
    before, files = rows(running), server.files()
    killed_at(running, step, "--yes", "transfer", "run", "--to", NEW)
    assert any("interrupted" in one for one in running("--json", "status").json["reasons"])
    running.ok("up")
    assert running.ok("status")["reasons"] == []
    assert {name: found for name, found in rows(running).items() if name != "core_person"} == {
        name: found for name, found in before.items() if name != "core_person"
    }
    assert server.files() == files
    server.upload("after.bin", os.urandom(100))
    await_quiet(running)
    running.ok("--stack", NEW, "up")
    assert rows(running, NEW)["core_project"] == []


def test_a_server_moves_while_people_work_and_can_take_over_again(running: Qfc, server: FieldServer) -> None:
    with uploads(server) as during:
        ahead = running.ok("transfer", "run", "--to", NEW, "--pre-copy")
    assert (ahead["moved"], bool(during)) == (False, True)
    await_quiet(running)
    before, files = rows(running), server.files()
    moved = running.ok("--yes", "transfer", "run", "--to", NEW)
    assert [one["what"] for one in moved["checks"]] == ["rows", "objects", "synchronisation"]
    assert moved["copies"][-1]["added"] == 0
    assert 0 < moved["down_s"] < moved["seconds"]
    assert rows(running, NEW) == before
    assert seen_at(server, NEW) == files

    refused = running("up")
    assert (refused.code, "moved this server to new" in refused.err) == (4, True)
    compared = running.ok("transfer", "verify", "--to", NEW, "--full")
    assert compared["ok"], compared["differences"]
    assert compared["bytes_read"] >= sum(map(len, files.values()))
    report = Path(moved["report"])
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    secret = (running.home / "local/secrets/SECRET_KEY").read_text().strip()
    assert secret not in report.read_text()
    assert (running.home / NEW / "secrets/SECRET_KEY").read_text().strip() == secret

    there = copy.copy(server)
    there.stack = NEW
    there.http = there.login()
    with closing(there.http):
        there.upload("photo.jpg", b"a photo of the new server")
    different = running("--json", "transfer", "verify", "--to", NEW)
    assert (different.code, different.json["ok"]) == (1, False)

    running.ok("--yes", "transfer", "back")
    assert server.files() == files
    assert running.ok("status")["reasons"] == []


def test_a_server_travels_in_a_folder(running: Qfc, server: FieldServer) -> None:
    place = running.home / "usb"
    running.ok("transfer", "export", str(place))
    server.upload("last.bin", os.urandom(1000))
    await_quiet(running)
    files = server.files()
    final = running.ok("--yes", "transfer", "export", str(place), "--final")
    assert (final["final"], final["missing"]) == (True, [])
    assert "--key FILE" in (place / "local/MOVE.md").read_text()
    sheet = running.home / "sheet.txt"
    sheet.write_text(running("db", "keys", "--sheet").out)

    refused = running("--stack", NEW, "--yes", "transfer", "import", str(place))
    assert (refused.code, "--key FILE" in refused.err) == (4, True)
    result = running.ok("--stack", NEW, "--yes", "transfer", "import", str(place), "--key", str(sheet))
    assert (result["backup"], result["source"]) == (final["backup"], "local")
    assert result["safety"]
    assert seen_at(server, NEW) == files
    assert running.ok("--stack", NEW, "transfer", "verify", str(place), "--key", str(sheet), "--full")["ok"]
    running.ok("--yes", "transfer", "back")

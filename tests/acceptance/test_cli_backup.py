"""Backups from the command line: made while people work, verified, found broken where they are, pruned after a yes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from field_server import FieldServer
from qfc_command import Qfc
from small_disk import small_disk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(running: Qfc) -> Iterator[FieldServer]:
    made = FieldServer(running)
    made.upload("first.bin", b"first")
    made.upload("gone.bin", b"gone")
    yield made
    made.http.close()


def place(qfc: Qfc) -> Path:
    return qfc.home / "backups/local"


def test_a_backup_is_planned_made_verified_and_listed(running: Qfc, server: FieldServer) -> None:
    assert running("db", "list").out.startswith("There is no backup in ")
    assert running("db", "verify").code == 1
    plan = running.ok("db", "backup", "--dry-run")
    assert (plan["dry_run"], plan["backup"], plan["key_created"], len(plan["steps"])) == (True, "", True, 3)
    assert not place(running).exists()

    made = running.ok("db", "backup")
    assert (made["verified"], made["objects"], made["object_bytes"], made["missing"]) == (True, 2, 9, [])
    assert made["key_created"]
    listed = running.ok("db", "list")["sets"]
    assert [(one["backup"], one["worth"]) for one in listed] == [(made["backup"], "verified")]
    verified = running.ok("db", "verify", "--full")
    assert (verified["backup"], verified["ok"], verified["problems"]) == (made["backup"], True, [])
    assert verified["sets"][0]["objects_read"] == 2
    assert [one["command"] for one in running.ok("audit")["entries"]].count("db backup") == 1


def test_a_second_backup_adds_only_what_is_new(running: Qfc, server: FieldServer) -> None:
    running.ok("db", "backup")
    server.upload("big.bin", os.urandom(300_000))
    made = running.ok("db", "backup")
    assert made["object_bytes"] > 300_000
    assert 300_000 < made["stored_bytes"] < 400_000
    assert running.ok("db", "backup")["stored_bytes"] < 100_000


def test_people_work_while_a_backup_runs(running: Qfc, server: FieldServer) -> None:
    """Every object of the set is whole, and what was there before it began is in it."""
    ended, uploaded = threading.Event(), [0]

    def work() -> None:
        while not ended.is_set():
            server.upload(f"photo{uploaded[0] % 7}.jpg", os.urandom(20_000))
            server.delete(f"photo{uploaded[0] % 7}.jpg")
            uploaded[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(2):
            made = running.ok("db", "backup")
            assert (made["verified"], made["missing"]) == (True, [])
    finally:
        ended.set()
        thread.join()
    assert uploaded[0] > 3


def test_two_backups_at_once_are_one(running: Qfc, server: FieldServer) -> None:
    """Whichever takes the lock first makes its set; the other is refused and says why."""
    before = len(running.ok("db", "list")["sets"])
    both = [running.begin("--json", "db", "backup") for _ in range(2)]
    answers = [json.loads(process.communicate()[0]) for process in both]
    codes = [process.returncode for process in both]
    refused = [answer for answer, code in zip(answers, codes, strict=True) if code]
    assert 0 in codes
    assert {code for code in codes if code} <= {4}
    assert [answer["error"]["code"] for answer in refused] == ["lock_held"] * len(refused)
    assert len(running.ok("db", "list")["sets"]) == before + 2 - len(refused)
    assert running.ok("db", "verify", "--all")["ok"]


@pytest.mark.parametrize("after_s", [0.6, 1.2])
def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(
    running: Qfc, server: FieldServer, after_s: float
) -> None:
    running.ok("db", "backup")
    before = {one["backup"]: one["worth"] for one in running.ok("db", "list")["sets"]}
    process = running.begin("db", "backup")
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    after = {one["backup"]: one["worth"] for one in running.ok("db", "list")["sets"]}
    assert before.items() <= after.items()
    assert running.ok("db", "backup")["verified"]
    assert not running("db", "verify", "--all").code or "unverified" in after.values()
    finished = {one.parent for one in (place(running) / "sets").glob("*/manifest.json")}
    assert {one for one in (place(running) / "sets").iterdir() if any(one.iterdir())} == finished


def test_a_full_place_is_said_and_leaves_no_set(running: Qfc, server: FieldServer) -> None:
    server.upload("huge.bin", os.urandom(3_000_000))
    with small_disk("2m") as disk:
        answer = running("--json", "db", "backup", QFC_BACKUP_FOLDER=str(disk))
        assert (answer.code, answer.json["error"]["hint"]) == (1, "Check free space and permissions.")
        assert not running("--json", "db", "list", QFC_BACKUP_FOLDER=str(disk)).json["sets"]
        assert running.ok("status")["verdict"] == "ok"
    server.delete("huge.bin")
    assert running.ok("db", "backup")["verified"]


def test_what_the_server_itself_has_lost_is_said_and_does_not_count(running: Qfc, server: FieldServer) -> None:
    content = os.urandom(1000)
    server.upload("lost.bin", content)
    name = sha256(content).hexdigest()
    blob = running.home / "local/node/blobs" / name[:2] / name
    blob.unlink()
    answer = running("--json", "db", "backup")
    assert answer.code == 5
    made = answer.json
    assert made["missing"] == [{"sha256": name, "why": "not in the store of the server", "name": ""}]
    assert not made["verified"]
    newest = running.ok("db", "list")["sets"][0]
    assert (newest["backup"], newest["worth"], newest["missing"]) == (made["backup"], "incomplete", 1)
    server.delete("lost.bin")
    assert running.ok("db", "backup")["verified"]


def test_a_broken_set_is_found_and_reported(running: Qfc, server: FieldServer) -> None:
    made = running.ok("db", "backup")["backup"]
    # Some objects may be of other sets alone.
    whole = {path: path.read_bytes() for path in (place(running) / "objects").rglob("*.age")}
    for path, content in whole.items():
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    answer = running("--json", "db", "verify", made, "--full")
    assert (answer.code, answer.json["ok"]) == (1, False)
    assert any(path.name in answer.json["problems"][0] for path in whole)
    assert running.ok("db", "list")["sets"][0]["worth"] == "damaged"
    for path, content in whole.items():
        path.write_bytes(content)
    assert running.ok("db", "verify", made, "--full")["ok"]


def test_the_dump_is_read_to_its_end(running: Qfc, server: FieldServer) -> None:
    made = running.ok("db", "backup")["backup"]
    path = place(running) / "sets" / made / "database.dump.zst.age"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    answer = running("--json", "db", "verify", made)
    assert answer.code == 1
    assert any("dump cannot be read to its end" in one for one in answer.json["problems"])
    path.write_bytes(whole)
    assert running.ok("db", "verify", made)["ok"]


def test_sets_are_removed_after_a_yes_and_never_the_last_verified_ones(running: Qfc, server: FieldServer) -> None:
    rules = ("--keep-last", "1", "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0")
    running.ok("db", "backup")
    newest = running.ok("db", "backup")["backup"]
    assert running("db", "prune", *rules).code == 4
    plan = running.ok("db", "prune", *rules, "--dry-run")
    assert plan["removed"]
    pruned = running.ok("db", "prune", *rules, "--yes")
    assert pruned["removed"] == plan["removed"]
    left = running.ok("db", "list")["sets"]
    assert left[0]["backup"] == newest
    assert [one["worth"] for one in left] == ["verified", "verified"]
    assert running.ok("db", "verify", "--all", "--full")["ok"]
    assert not running.ok("db", "prune", *rules, "--yes")["removed"]


def test_the_key_is_shown_written_for_paper_and_brought_back(running: Qfc, server: FieldServer, tmp_path: Path) -> None:
    running.ok("db", "backup")
    shown = running.ok("db", "keys")
    assert (shown["identity_here"], shown["created"], shown["sheet"]) == (True, False, None)
    sheet = tmp_path / "sheet.txt"
    assert running.ok("db", "keys", "--output", str(sheet))["sheet_file"] == str(sheet)
    assert oct(sheet.stat().st_mode & 0o777) == "0o600"
    assert "▄" in sheet.read_text()
    assert running("db", "keys", "--output", str(sheet)).code == 2

    identity = running.home / "local/backup/identity.txt"
    identity.unlink()
    assert not running.ok("db", "keys")["identity_here"]
    unread = running("db", "verify")
    assert unread.code == 1
    assert "not read" in unread.out
    assert "damaged" not in unread.out
    assert json.loads(running("--json", "db", "backup").out)["error"]["code"] == "refused"
    assert running.ok("db", "keys", "--import", str(sheet))["imported"]
    assert running.ok("db", "backup")["verified"]


def test_a_drill_restores_uses_and_removes_a_copy(running: Qfc, server: FieldServer) -> None:
    made = running.ok("db", "backup")["backup"]
    plan = running.ok("db", "drill", "--dry-run")
    assert (plan["backup"], plan["dry_run"]) == (made, True)
    result = running.ok("db", "drill")
    assert (result["backup"], result["ok"]) == (made, True)
    assert [one["name"] for one in result["assertions"] if one["ok"]][
        -1
    ] == "a project is uploaded, packaged and edited"
    assert not (running.home / ".drill-local").exists()
    assert not running.processes(".drill-local")
    assert running.ok("db", "list")["drill"]["ok"]
    assert running.ok("status")["verdict"] == "ok"


def test_a_backup_that_is_broken_on_purpose_fails_verification_drill_and_doctor(
    running: Qfc, server: FieldServer
) -> None:
    made = running.ok("db", "backup")["backup"]
    assert not backup_findings(running)
    path = place(running) / "sets" / made / "secrets.tar.zst.age"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert running("db", "verify").code == 1
    drilled = running("--json", "db", "drill")
    assert (drilled.code, drilled.json["ok"]) == (1, False)
    assert not (running.home / ".drill-local").exists()
    assert backup_findings(running) == {"I05-damaged", "I05-drill"}
    path.write_bytes(whole)
    assert running.ok("db", "verify", "--full")["ok"]
    assert backup_findings(running) == {"I05-drill"}


def backup_findings(qfc: Qfc) -> set[str]:
    findings = qfc("--json", "doctor", "--no-proof").json["findings"]
    return {one["id"] for one in findings if one["id"].startswith("I05")}


def test_doctor_makes_the_backup_that_is_missing(running: Qfc, server: FieldServer) -> None:
    for path in (place(running) / "sets").iterdir():
        for one in path.iterdir():
            one.unlink()
    born = time.time() - 7 * 86400
    os.utime(running.home / "local/secrets/SECRET_KEY", (born, born))
    assert backup_findings(running) == {"I05"}
    fixed = running("--json", "doctor", "--no-proof", "--fix", "--yes").json["findings"]
    assert [one["result"] for one in fixed if one["id"] == "I05"] == ["fixed"]
    assert running.ok("db", "list")["sets"][0]["worth"] == "verified"

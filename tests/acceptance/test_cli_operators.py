"""Two operators on one stack: the lock and the audit log."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import psutil
import pytest

from qfc_command import Qfc

pytestmark = pytest.mark.slow


def hold_lock(qfc: Qfc, *, pid: int, started: float) -> None:
    """Write the lock file that another operator's process would have written."""
    holder = {
        "user": "anna",
        "host": socket.gethostname(),
        "pid": pid,
        "process_started": started,
        "since": "2026-01-02T03:04:05+00:00",
        "reason": "workers scale 4",
    }
    (qfc.home / "local").mkdir(mode=0o755, exist_ok=True)
    (qfc.home / "local/lock.json").write_text(json.dumps(holder))


def hold_lock_alive(qfc: Qfc) -> None:
    hold_lock(qfc, pid=os.getpid(), started=psutil.Process().create_time())


def test_the_second_operator_is_refused_with_who_what_and_since_when(running: Qfc) -> None:
    hold_lock_alive(running)
    answer = running("--json", "down")
    assert answer.code == 4
    error = answer.json["error"]
    assert error["code"] == "lock_held"
    for part in ("anna@", f"pid {os.getpid()}", "2026-01-02 03:04:05 UTC", "workers scale 4"):
        assert part in error["message"]
    assert "--wait" in error["hint"]
    assert running.ok("status")["verdict"] == "ok"
    (running.home / "local/lock.json").unlink()


def test_who_only_looks_is_not_held_up(running: Qfc) -> None:
    hold_lock_alive(running)
    assert running.ok("status")["verdict"] == "ok"
    assert running.ok("health")["verdict"] == "ok"
    (running.home / "local/lock.json").unlink()


def test_waiting_gets_the_lock_when_it_becomes_free(running: Qfc) -> None:
    hold_lock_alive(running)
    waiting = running.begin("--json", "--wait", "60", "workers", "scale", "2")
    time.sleep(1)
    assert waiting.poll() is None
    (running.home / "local/lock.json").unlink()
    out, err = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, err
    assert json.loads(out)["wanted"] == 2


def test_the_lock_of_a_dead_operator_is_taken_over(running: Qfc) -> None:
    hold_lock(running, pid=os.getpid(), started=1.0)
    assert running.ok("workers", "scale", "2")["wanted"] == 2
    assert not (running.home / "local/lock.json").exists()


def test_of_two_starts_at_once_one_is_refused_and_the_stack_is_well(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "1")
    both = [qfc.begin("--json", "up") for _ in range(2)]
    codes = []
    for process in both:
        process.communicate(timeout=240)
        codes.append(process.returncode)
    assert 0 in codes
    assert set(codes) <= {0, 4}
    assert qfc.ok("status")["verdict"] == "ok"


def test_two_starts_at_once_can_wait_for_each_other(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "1")
    both = [qfc.begin("--json", "up", "--wait", "200") for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, out + err


def test_an_operator_who_is_killed_half_way_leaves_nothing_in_the_way(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "1")
    first = qfc.begin("up")
    lock = qfc.home / "local/lock.json"
    while not lock.exists():
        assert first.poll() is None
        time.sleep(0.01)
    time.sleep(1)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    assert qfc.ok("up")["verdict"] == "ok"


def test_an_operator_who_is_terminated_frees_the_lock_and_is_audited(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "1")
    first = qfc.begin("up")
    lock = qfc.home / "local/lock.json"
    # The first step: between the creation of the lock and it, a signal leaves the lock of a dead process.
    assert first.stderr is not None
    assert first.stderr.readline()
    assert lock.exists()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)
    assert first.returncode == 1
    assert not lock.exists()
    assert qfc.ok("audit")["entries"][0]["result"] == "interrupted"


def test_every_change_leaves_a_line_and_no_look_does(running: Qfc) -> None:
    before = len(running.ok("audit", "--lines", "1000")["entries"])
    running.ok("status")
    running.ok("stacks")
    running.ok("workers", "scale", "2", "--dry-run")
    running.ok("workers", "scale", "2")
    entries = running.ok("audit", "--lines", "1000")["entries"]
    assert len(entries) == before + 1
    newest = entries[0]
    assert set(newest) == {"time", "who", "command", "target", "result", "seconds", "change"}
    assert (newest["command"], newest["target"]) == ("workers scale", "2")
    assert "@" in newest["who"]
    assert (running.home / "local/audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_password_given_on_standard_input_is_in_no_log(running: Qfc) -> None:
    secret = "correct-horse-battery-9"
    answer = running("--json", "users", "create", "carla", "--password-stdin", stdin=secret)
    assert answer.code == 0, answer.out + answer.err
    assert secret not in answer.out + answer.err
    for path in (running.home / "local").rglob("*.jsonl"):
        assert secret not in path.read_text()
    for path in (running.home / "local/log").iterdir():
        assert secret not in path.read_text(errors="replace")


def test_a_worker_that_is_still_stopping_is_waited_for_and_started_again(running: Qfc) -> None:
    """An operator drains and is killed while a worker is still busy; the next one starts the stack."""
    pid = running.pid("worker_wrapper-1")
    os.kill(pid, signal.SIGSTOP)
    drain = running.begin("workers", "drain")
    while running("--json", "status").json["services"][2]["running"] == 2:
        time.sleep(0.1)
    drain.send_signal(signal.SIGKILL)
    drain.communicate(timeout=60)
    starting = running.begin("--json", "up")
    time.sleep(1)
    os.kill(pid, signal.SIGCONT)
    out, err = starting.communicate(timeout=120)
    assert starting.returncode == 0, out + err
    assert running.ok("status")["services"][2]["running"] == 2
    assert running.pid("worker_wrapper-1") != pid


def test_one_command_protects_what_can_be_protected_and_takes_it_back(running: Qfc) -> None:
    """This machine may have neither systemd nor cron: the parts that need them are tested with twins."""
    place = running.home / "my backups"
    words = ("protect", "--without", "schedule", "--without", "monitor")
    refused = running("--json", *words)
    assert (refused.code, "--backups PLACE" in refused.out) == (4, True)
    config = (running.home / "config.toml").read_text()
    done = running.ok(*words, "--backups", str(place))
    states = {one["name"]: one["state"] for one in done["parts"]}
    assert states == {"backups": "protected", "limits": "protected", "schedule": "left out", "monitor": "left out",
                      "logs": "protected"}  # fmt: skip
    assert running.ok("ratelimit", "status")["all_per_minute"] == 10
    assert running.ok("protect")["changed"] is False
    assert running("protect", "--status").code == 0
    (running.home / "config.toml").write_text(config)
    assert running("protect", "--status").code == 1
    assert running.ok("protect")["changed"] is True, "the place is that of the last time"
    assert str(place) in (running.home / "config.toml").read_text()
    (stays,) = running.ok("protect", "--undo")["stays"]
    assert "the key of the backups stays" in stays
    assert (running.home / "config.toml").read_text() == config
    assert running.ok("ratelimit", "status")["enabled"] is False
    assert running("protect", "--status").code == 1

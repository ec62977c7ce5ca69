"""Reading commands: health and logs of a running stack, also when a part is missing."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from qfc_command import Qfc

pytestmark = pytest.mark.slow


def test_health_names_every_leg(running: Qfc) -> None:
    report = running.ok("health")
    assert (report["stack"], report["verdict"]) == ("local", "ok")
    checks = {check["name"]: check for check in report["checks"]}
    assert list(checks) == ["db", "app", "worker_wrapper", "api", "database", "storage", "queue", "latency"]
    for check in checks.values():
        assert set(check) == {"name", "verdict", "latency_ms", "detail"}
        assert check["verdict"] == "ok"
    assert checks["api"]["latency_ms"] > 0


def test_verbose_shows_response_times(running: Qfc) -> None:
    answer = running("health", "--verbose")
    assert answer.code == 0
    assert " ms" in answer.out
    assert "GET http://127.0.0.1" in answer.err


def test_verbose_names_what_holds_the_jobs(running: Qfc) -> None:
    """Every Linux can limit a process; which other layers there are depends on the machine."""
    report = running("--json", "--verbose", "health").json
    detail = next(check["detail"] for check in report["checks"] if check["name"] == "box")
    assert "privileges" in detail
    assert "limits" in detail


@pytest.mark.parametrize(
    ("path", "code", "verdict"),
    [("/api/v1/status/", 0, "ok"), ("api/v1/status", 0, "ok"), ("/api/v1/nowhere/", 1, "degraded")],
)
def test_one_endpoint_can_be_probed(running: Qfc, path: str, code: int, verdict: str) -> None:
    answer = running("--json", "health", "--endpoint", path)
    assert (answer.code, answer.json["verdict"]) == (code, verdict)


def test_a_leg_that_is_down_is_found_and_told(running: Qfc) -> None:
    database = running.pid("db")
    os.kill(database, signal.SIGSTOP)
    try:
        answer = running("--json", "health")
        assert answer.code == 1
        verdicts = {check["name"]: check["verdict"] for check in answer.json["checks"]}
        assert verdicts["database"] == "down"
        assert answer.json["verdict"] == "down"
    finally:
        os.kill(database, signal.SIGCONT)
    assert running.ok("health")["verdict"] == "ok"


def test_logs_are_merged_in_the_order_of_time(running: Qfc) -> None:
    lines = running.ok("logs", "--lines", "500")["lines"]
    assert {"db", "app", "supervisor"} <= {line["service"] for line in lines}
    times = [datetime.fromisoformat(line["time"]) for line in lines if line["time"]]
    # Threads of one service write into its log up to some milliseconds after they took the time.
    assert all(before - after < timedelta(seconds=1) for before, after in pairwise(times))


def test_logs_of_one_service_and_so_many_lines(running: Qfc) -> None:
    lines = running.ok("logs", "--service", "db", "--lines", "2")["lines"]
    assert [line["service"] for line in lines] == ["db", "db"]


def test_logs_can_be_searched(running: Qfc) -> None:
    lines = running.ok("logs", "--grep", "ready to accept connections")["lines"]
    assert lines
    assert all("ready to accept connections" in line["text"] for line in lines)
    assert running.ok("logs", "--grep", "no such line anywhere")["lines"] == []


def test_logs_since_leave_out_what_is_older(running: Qfc) -> None:
    time.sleep(1.1)
    assert running.ok("logs", "--since", "1s", "--service", "supervisor")["lines"] == []
    assert running.ok("logs", "--since", "1h", "--service", "supervisor")["lines"] != []


def test_a_wrong_expression_is_wrong_usage(running: Qfc) -> None:
    answer = running("--json", "logs", "--grep", "(")
    assert answer.code == 2
    assert "regular expression" in answer.json["error"]["message"]


def test_logs_follow_what_is_written_until_interrupted(running: Qfc) -> None:
    following = running.begin("--json", "logs", "--follow", "--lines", "1", "--service", "supervisor")
    assert following.stdout is not None
    json.loads(following.stdout.readline())
    running.ok("workers", "scale", "3")
    texts: list[str] = []
    while not any("spawned: 'worker_wrapper-3'" in text for text in texts):
        texts.append(json.loads(following.stdout.readline())["text"])
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=30)
    assert following.returncode == 0
    running.ok("workers", "scale", "2")


def test_people_get_a_table_and_machines_a_document(running: Qfc) -> None:
    human = running("status")
    assert human.code == 0
    for word in ("SERVICE", "worker_wrapper-1", "Queue", "Disk", "http://127.0.0.1:"):
        assert word in human.out
    assert "\033[" not in human.out
    assert running("status", "--quiet").out == "ok\n"

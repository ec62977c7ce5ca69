"""The monitor alone heals a running stack, and touches nothing that is well; the times are printed as a table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from compose_world import ADMIN
from stack import NAME, Stack

#: From fault to healed, in seconds: the promise, and what a busy machine of tests may take.
PROMISED = {"database-stopped": 30, "application-stopped": 30, "worker-killed-job-queued": 90, "worker-missing": 90}
BUSY = 3.0


@dataclass
class Watched:
    """A stack with a monitor, and what that has said."""

    stack: Stack
    process: subprocess.Popen[str]
    log: Path
    told: Path
    times: dict[str, float] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        return [line.partition(": ")[2] for line in self.log.read_text().splitlines()[1:]]

    def await_that(self, what: Callable[[], bool], limit_s: float) -> float:
        """Wait until something holds; return after how many seconds."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < limit_s, f"{self.log.read_text()}"
            time.sleep(0.2)
        return time.monotonic() - began

    def is_well(self) -> bool:
        return self.stack.qfc("status", check=False)["verdict"] == "ok"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("monitor")
    told, log, program = folder / "told", folder / "log", folder / "page-me"
    program.write_text(f'#!/bin/sh\n{{ echo "# $QFC_TITLE"; cat; echo; }} >>{told}\n')
    program.chmod(0o700)
    told.touch()
    with patient_stack() as stack:
        stack.qfc("users", "create", ADMIN, "--superuser", "--generate")
        environment = {**stack.environment, "QFC_NOTIFY_COMMAND": str(program), "PYTHONUNBUFFERED": "1"}
        with log.open("w") as output:
            argv = [sys.executable, "-m", "qfc", "monitor", "run"]
            process = subprocess.Popen(argv, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True)
        found = Watched(stack, process, log, told)
        try:
            found.await_that(lambda: "Did nothing, because all is well." in found.sentences, 60)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        print("\n".join(f"| `{name}` | {seconds:.0f} s |" for name, seconds in found.times.items()))


@contextmanager
def patient_stack() -> Iterator[Stack]:
    """Run a stack; on a busy machine its API may answer late at first, which is not what these tests are about."""
    with tempfile.TemporaryDirectory(prefix="qfc-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        stack = Stack(Path(name))
        stack.qfc("init", NAME, "--kind", "embedded", "--workers", "2", "--port", str(stack.port))
        try:
            for _ in range(10):
                if stack.qfc("up", check=False)["verdict"] == "ok":
                    break
            yield stack
        finally:
            stack.qfc("down", "--now", check=False)


def test_a_killed_worker_is_the_supervisors_business(watched: Watched) -> None:
    before = len(watched.sentences)
    for pid in watched.stack.pids("worker_wrapper")[:1]:
        os.kill(pid, signal.SIGKILL)
    seconds = watched.await_that(lambda: len(watched.stack.pids("worker_wrapper")) == 2, 5 * BUSY)
    watched.times["one worker process killed"] = seconds
    time.sleep(12)
    assert not any("Repairs" in one for one in watched.sentences[before:])


@pytest.mark.parametrize("fault", PROMISED)
def test_a_fault_is_healed_by_the_monitor_alone(watched: Watched, fault: str) -> None:
    before = len(watched.sentences)
    watched.stack.qfc("lab", "break", fault)
    began = time.monotonic()
    watched.await_that(
        lambda: any(one.endswith(": done.") for one in watched.sentences[before:]), PROMISED[fault] * BUSY
    )
    watched.times[fault] = time.monotonic() - began
    watched.await_that(watched.is_well, 60)
    assert watched.times[fault] <= PROMISED[fault] * BUSY
    watched.stack.qfc("lab", "mend")
    commands = [one["command"] for one in watched.stack.qfc("audit")["entries"]]
    assert "monitor repair" in commands
    # Its limits are for nights, not for tests that break everything in a minute.
    watched.stack.qfc("monitor", "resume")


def test_what_only_a_person_can_repair_is_told_with_its_cause(watched: Watched) -> None:
    watched.stack.qfc("lab", "break", "storage-away")
    try:
        watched.await_that(lambda: "NEW A17 " in watched.told.read_text(), 150 * BUSY)
    finally:
        watched.stack.qfc("lab", "mend")
    assert "the file store cannot be used" in watched.told.read_text()
    watched.times["storage back → well"] = watched.await_that(watched.is_well, 30 * BUSY)
    (alert, *_) = watched.stack.qfc("alerts", "list", check=False)["alerts"] or [{"id": "A17"}]
    assert alert["id"] in ("A17", "A11", "D11")


def test_an_operator_at_work_is_not_disturbed(watched: Watched) -> None:
    before = len(watched.sentences)
    watched.stack.qfc("services", "restart", "--all")
    watched.stack.qfc("workers", "scale", "3")
    watched.stack.qfc("workers", "scale", "2")
    time.sleep(15)
    assert not any("Repairs" in one for one in watched.sentences[before:])


def test_a_stack_that_was_stopped_on_purpose_stays_stopped(watched: Watched) -> None:
    watched.stack.qfc("down")
    watched.await_that(lambda: "stopped the stack at" in watched.sentences[-1], 30 * BUSY)
    watched.stack.qfc("up")
    watched.await_that(lambda: watched.sentences[-1] == "Did nothing, because all is well.", 60 * BUSY)


def test_what_it_did_can_be_read_and_decided_again(watched: Watched, tmp_path: Path) -> None:
    status = watched.stack.qfc("monitor", "status", check=False)
    assert status["watcher"] and status["looked_at"]
    incidents = watched.stack.qfc("monitor", "incidents")["incidents"]
    assert {"A11", "A17"} <= {one["alert"] for one in incidents}
    argv = [sys.executable, "-m", "qfc", "monitor"]
    recorded = subprocess.run([*argv, "log", "--looks", "500"], env=watched.stack.environment, capture_output=True)
    night = tmp_path / "night.jsonl"
    night.write_bytes(recorded.stdout)
    steps = watched.stack.qfc("monitor", "replay", str(night))["steps"]
    assert any(one["action"] == "A11" for one in steps)


def test_a_second_monitor_waits_and_says_who_acts(watched: Watched) -> None:
    argv = [sys.executable, "-m", "qfc", "monitor", "run"]
    second = subprocess.Popen(argv, env=watched.stack.environment, stderr=subprocess.PIPE, text=True)
    try:
        assert second.stderr is not None
        second.stderr.readline()
        line = second.stderr.readline()
        assert "Another monitor acts for the stack: root@" in line or "Another monitor acts" in line
        assert str(watched.process.pid) in line
    finally:
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=60)


def test_it_is_small(watched: Watched) -> None:
    assert psutil.Process(watched.process.pid).memory_info().rss < 90 * 1024 * 1024


def test_a_monitor_that_was_killed_is_missed(watched: Watched) -> None:
    watched.process.kill()
    watched.process.wait(10)
    # Its last look is a moment ago: only who asks for its process knows.
    status = watched.stack.qfc("monitor", "status", check=False)
    assert (status["verdict"], status["watcher"]) == ("unknown", None)
    assert "stopped" in status["finding"]["evidence"]

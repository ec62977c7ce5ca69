"""The monitor on a real deployment: it heals alone what an engine's client can cause, and leaves operators alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from compose_world import Deployment

pytestmark = pytest.mark.docker
CALM = "Did nothing, because all is well."
#: What a fault may take: the promise is 20 s on a machine that does nothing else, and CI's does much.
HEALED_S = 240


@dataclass
class Watched:
    """A deployment with a monitor, and what that has said."""

    made: Deployment
    log: Path

    @property
    def sentences(self) -> list[str]:
        return [line.partition(": ")[2] for line in self.log.read_text().splitlines()[1:]]

    def await_that(self, what: Callable[[], bool]) -> None:
        until = time.monotonic() + HEALED_S
        while not what():
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.2)

    def await_repair(self, after: int) -> None:
        self.await_that(lambda: any(one.endswith(": done.") for one in self.sentences[after:]))


@pytest.fixture(scope="module")
def watched(deployed_here: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    log = tmp_path_factory.mktemp("monitor") / "log"
    environment = {**deployed_here.qfc.environment, "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output:
        argv = [sys.executable, "-m", "qfc", "--stack", "dep", "monitor", "run"]
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=subprocess.STDOUT)
    found = Watched(deployed_here, log)
    try:
        found.await_that(lambda: CALM in found.sentences)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def test_a_worker_whose_container_was_removed_comes_back(watched: Watched) -> None:
    before = len(watched.sentences)
    watched.made.engine.docker("rm", "-f", watched.made.containers("worker_wrapper")[-1])
    watched.await_repair(before)
    assert len(watched.made.containers("worker_wrapper", all=False)) == 2


def test_an_operator_who_restarts_and_scales_is_not_disturbed(watched: Watched) -> None:
    before = len(watched.sentences)
    watched.made.ok("services", "restart", "--service", "memcached")
    assert watched.made.ok("maintenance", "run", "restart-workers")["result"] == "done"
    watched.await_that(lambda: any("an operation has just ended" in one for one in watched.sentences[before:]))
    watched.await_that(lambda: watched.sentences[-1] == CALM)
    assert not any("Repairs" in one for one in watched.sentences[before:])


def test_a_database_that_was_stopped_is_started_and_explains_the_rest(watched: Watched) -> None:
    before = len(watched.sentences)
    watched.made.engine.docker("stop", "-t", "2", watched.made.container("db"))
    watched.await_repair(before)
    repairs = [one.split()[1] for one in watched.sentences[before:] if one.startswith("Repairs")]
    assert repairs == ["A11:"]
    watched.await_that(lambda: watched.made.run("status").code == 0)

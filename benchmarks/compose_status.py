"""What `qfc status` costs on a deployment of 15 containers, beside `docker compose ps` of the same run.

    benchmarks/run compose_status [--runs 15] [--round-trip MILLISECONDS]

Both run in turn, so that other load on the machine affects both. Then the same on a distant server: every byte is
delayed on its way, and the baseline is `ssh server docker compose ps`, which logs in as the suite does. The extra cost
of the distance is the difference of the differences, in round trips. Needs a Docker engine and root; `.ci/containers`
prepares a machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ssh_round_trips import Relay

from compose_world import Deployment, ensure_node_image, running_deployment
from engines_of_docker import require_engine
from qfc.drivers.hosts.ssh import arguments
from qfc_command import Qfc
from ssh_server import SshServer, running

#: With everything else 15 containers.
WORKERS = 8


@dataclass(frozen=True)
class Distant:
    """A distant server: a qfc that is configured for it, and the command to reach it by hand."""

    qfc: Qfc
    by_hand: Sequence[str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--round-trip", type=float, default=100, help="milliseconds")
    chosen = parser.parse_args()
    engine = require_engine()
    ensure_node_image(engine)
    with tempfile.TemporaryDirectory(prefix="qfc-bench-", dir="/tmp") as name:
        folder = Path(name)
        with running_deployment(engine, folder / "dep", folder / "home", workers=WORKERS) as made:
            print(f"{len(made.engine.docker('ps', '-aq').split())} containers, {chosen.runs} runs each, medians")
            here = _in_turn(made, chosen.runs)
            with _distant(made, folder, chosen.round_trip / 1000) as server:
                _over_ssh(made, server, here, chosen.runs, chosen.round_trip / 1000)


def _in_turn(made: Deployment, runs: int) -> float:
    """Print both commands on this machine; return by how many seconds `qfc status` is slower."""

    def compose() -> None:
        subprocess.run(["docker", "compose", "ps", "--all"], cwd=made.place, check=True, capture_output=True)

    baseline, status = _medians(runs, compose, lambda: _status(made.qfc))
    _show("docker compose ps", baseline, baseline)
    _show("qfc status (target: at most 2)", status, baseline)
    return status - baseline


def _over_ssh(made: Deployment, server: Distant, slower_here_s: float, runs: int, round_trip_s: float) -> None:
    def compose() -> None:
        words = f"cd {made.place} && docker compose ps --all"
        subprocess.run([*server.by_hand, words], check=True, capture_output=True)

    baseline, status = _medians(runs, compose, lambda: _status(server.qfc))
    _show("ssh server docker compose ps", baseline, baseline)
    _show("qfc status over SSH", status, baseline)
    more = (status - baseline - slower_here_s) / round_trip_s
    print(f"round trips of {round_trip_s * 1000:.0f} ms more than by hand: {more:.1f} (target: 1)")


def _status(qfc: Qfc) -> None:
    answer = qfc("--stack", "dep", "status")
    assert answer.code in (0, 1), answer.err


@contextmanager
def _distant(made: Deployment, folder: Path, round_trip_s: float) -> Iterator[Distant]:
    """Yield a qfc for which the deployment is on a distant server."""
    with running(SshServer(folder / "ssh", login_shell="/bin/sh")) as server:
        relay = Relay(server.port, round_trip_s / 2)
        known = server.folder / "known_hosts"
        known.write_text(known.read_text().replace(str(server.port), str(relay.port)))
        settings = {"kind": "compose", "project_path": str(made.place), "host": server.address,
                    "ssh_port": relay.port, "ssh_config": str(server.folder / "client")}  # fmt: skip
        home = folder / "home-distant"
        home.mkdir()
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
        (home / "config.toml").write_text(f"[stacks.dep]\n{lines}\n")
        qfc = Qfc(home)
        _status(qfc)  # fills the caches that calls share
        yield Distant(qfc, arguments.try_login(server.settings(port=relay.port))[:-1])


def _medians(runs: int, *actions: Callable[[], None]) -> list[float]:
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for action, seconds in zip(actions, taken, strict=True):
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
    return [statistics.median(seconds) for seconds in taken]


def _show(what: str, seconds: float, baseline: float) -> None:
    print(f"{what:40} {seconds * 1000:7.0f} ms   {seconds / baseline:5.1f} × docker compose ps")


if __name__ == "__main__":
    sys.exit(main())

"""What the monitor costs at rest: processor and memory for several stacks, and the size of a month of history.

    benchmarks/run monitor [--stacks 3] [--seconds 600]

Starts as many embedded stacks, then one monitor for all of them, and measures that process with its children.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from qfc.drivers.monitoring.history import FILE, SqliteHistory
from qfc.operations.monitor.observe import CHEAP
from qfc.stack.findings import clear
from qfc.stack.monitor import Decision, Look, State

#: The targets: percent of one core, and megabytes, for three stacks; megabytes for thirty days of history.
CORE_PERCENT, MEMORY_MB, HISTORY_MB = 1.0, 80.0, 50.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--short", action="store_true", help="One stack, one minute.")
    options = parser.parse_args()
    stacks, seconds = (1, 60) if options.short else (options.stacks, options.seconds)
    percent, megabytes = at_rest(stacks, seconds)
    print(
        f"{stacks} stacks at rest: {percent:.2f} % of a core (target {CORE_PERCENT}), {megabytes:.0f} MB "
        f"(target {MEMORY_MB:.0f})"
    )
    print(f"30 days of history: {month_of_history():.1f} MB (target {HISTORY_MB:.0f})")


def at_rest(number: int, seconds: int) -> tuple[float, float]:
    """Return percent of a core and megabytes of a monitor."""
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="qfc-", dir="/tmp")))
        home.chmod(0o755)
        environment = {**os.environ, "QFC_HOME": str(home), "QFC_CONFIG": str(home / "config.toml")}
        for one in range(number):
            qfc(environment, "init", f"s{one}", "--kind", "embedded", "--workers", "1", "--port", "0")
            cleanup.callback(qfc, environment, "--stack", f"s{one}", "down", "--now")
            qfc(environment, "--stack", f"s{one}", "up")
        process = subprocess.Popen([sys.executable, "-m", "qfc", "monitor", "run"], env=environment)
        cleanup.callback(process.wait, 60)
        cleanup.callback(process.send_signal, signal.SIGTERM)
        return measured(psutil.Process(process.pid), seconds)


def qfc(environment: dict[str, str], *words: str) -> None:
    """Run a command of the suite."""
    argv = [sys.executable, "-m", "qfc", "--yes", "--json", *words]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if done.returncode and "degraded" not in done.stdout:  # On a busy machine the API answers late at first.
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")


def measured(process: psutil.Process, seconds: int) -> tuple[float, float]:
    """Return the share of a core after the start, and the largest memory."""
    time.sleep(30)
    before, memory = spent(process), 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(5)
        memory = max(memory, process.memory_info().rss / 1e6)
    return 100 * (spent(process) - before) / seconds, memory


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def month_of_history() -> float:
    """Return the megabytes of thirty days at one look every ten seconds, of which one in a hundred found something."""
    with tempfile.TemporaryDirectory() as name:
        history = SqliteHistory(Path(name))
        at = datetime(2026, 1, 1, tzinfo=UTC)
        findings = tuple(clear(id) for id in CHEAP)
        for day in range(30):
            with history._changing() as database:  # pyright: ignore[reportPrivateUsage]
                text = json.dumps(
                    {"at": at.isoformat(), "findings": [{"id": one.id, "verdict": "ok"} for one in findings]}
                )
                database.executemany(
                    "insert into looks values (?, ?, ?)",
                    [(at.timestamp() + 10 * one, one % 100 != 0, text) for one in range(8640)],
                )
            at += timedelta(days=1)
            history.keep(Look(at), Decision(State(), (f"Day {day}.",)))
            history.prune(at)
        history.close()
        return (Path(name) / FILE).stat().st_size / 1e6


if __name__ == "__main__":
    main()

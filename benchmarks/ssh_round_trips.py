"""How many round trips a command over SSH costs.

Starts an sshd on the loopback, behind a relay that delays every byte as a distant line would, and runs `true`:

    benchmarks/run ssh_round_trips [MILLISECONDS OF A ROUND TRIP]

The baseline of the same run is one round trip over the same relay, measured with one byte. `ssh by hand` is what a
script without a kept connection pays; `kept connection` is what ControlMaster alone pays (opening a session is a round
trip, starting a command in it another); `qfc` opens the next session ahead.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from qfc.drivers.hosts.ssh import SshHost, arguments
from qfc.drivers.hosts.ssh.connection import Connection
from ssh_server import IS_ROOT, SshServer, running

RUNS = 10
#: Pause between two commands, in seconds, as people and the suite make one.
PAUSE_S = 0.05


class Relay:
    """Passes connections on to a port, each byte `delay_s` later."""

    def __init__(self, target: int, delay_s: float) -> None:
        self._target, self._delay_s = target, delay_s
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._door.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, sink in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
                threading.Thread(target=self._receive, args=(source, late), daemon=True).start()
                threading.Thread(target=self._send, args=(late, sink), daemon=True).start()

    def _receive(self, source: socket.socket, late: SimpleQueue[tuple[float, bytes]]) -> None:
        content = b"-"
        while content:
            try:
                content = source.recv(1 << 16)
            except OSError:
                content = b""
            late.put((time.perf_counter() + self._delay_s, content))

    def _send(self, late: SimpleQueue[tuple[float, bytes]], sink: socket.socket) -> None:
        content = b"-"
        while content:
            due, content = late.get()
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                sink.sendall(content) if content else sink.shutdown(socket.SHUT_WR)
            except OSError:
                return


def main() -> None:
    """Measure and print."""
    round_trip_s = float(sys.argv[1] if len(sys.argv) > 1 else "100") / 1000
    # If possible a login shell that reads no start-up files, because these would be measured too.
    shell = "/bin/sh" if IS_ROOT else ""
    with _folder() as folder, running(SshServer(Path(folder), login_shell=shell)) as server:
        relay = Relay(server.port, round_trip_s / 2)
        known = (server.folder / "known_hosts").read_text().replace(str(server.port), str(relay.port))
        (server.folder / "known_hosts").write_text(known)
        settings = server.settings(port=relay.port)
        baseline = _round_trip(round_trip_s)
        print(f"baseline: one round trip takes {baseline * 1000:.0f} ms")

        by_hand = arguments.try_login(settings)
        _show("ssh by hand", _median(lambda: subprocess.run(by_hand, check=True), 5), baseline)
        connection = Connection(settings)
        kept = [*arguments.session(settings, connection.open())[:-1], "true"]
        _show("kept connection", _median(lambda: subprocess.run(kept, check=True)), baseline)
        connection.close()

        host = SshHost(settings)
        started = time.perf_counter()
        host.run(["true"])
        _show("qfc, first command", time.perf_counter() - started, baseline)
        _show("qfc, next ones", _median(lambda: host.run(["true"])), baseline)
        _show("qfc, next ones without a pause", _median(lambda: host.run(["true"]), pause_s=0), baseline)
        host.close()


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="qfc-bench-", dir="/tmp")


def _round_trip(seconds: float) -> float:
    """Send a byte through a relay of its own to an echo server."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        relay = Relay(door.getsockname()[1], seconds / 2)
        with socket.create_connection(("127.0.0.1", relay.port)) as near, door.accept()[0] as far:
            threading.Thread(target=lambda: far.sendall(far.recv(1)), daemon=True).start()
            started = time.perf_counter()
            near.sendall(b"-")
            near.recv(1)
            return time.perf_counter() - started


def _median(action: Callable[[], object], runs: int = RUNS, pause_s: float = PAUSE_S) -> float:
    taken: list[float] = []
    for _ in range(runs):
        time.sleep(pause_s)
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _show(what: str, seconds: float, baseline: float) -> None:
    print(f"{what:32} {seconds * 1000:7.0f} ms   {seconds / baseline:5.1f} round trips")


if __name__ == "__main__":
    main()

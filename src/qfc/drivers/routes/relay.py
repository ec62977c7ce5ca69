"""A Unix socket on this machine that connects to a server which only a container can reach.

Each connection is one `docker exec` on the host, with the bytes on its standard input and output.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread

from ...errors import QfcError
from ...stack.ports import Machine, Process

#: The name of the socket that PostgreSQL's clients look for in a folder.
SOCKET = ".s.PGSQL.5432"
PORT = 5432
_CHUNK = 1 << 16
# Uses whatever the container has: Python, netcat or bash.
_SCRIPT = """
if command -v python3 >/dev/null; then exec python3 -c "$3" "$1" "$2"; fi
if command -v nc >/dev/null; then exec nc "$1" "$2"; fi
exec bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit; cat <&3 & cat >&3; wait' bash "$1" "$2"
"""
_PYTHON = """
import os, socket, sys, threading
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
peer.settimeout(None)
def send():
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while True:
    data = peer.recv(65536)
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
"""


class Relay:
    """Listens on a socket in a folder that only we can access, until it is closed."""

    def __init__(self, machine: Machine, container: str, address: str, port: int) -> None:
        self._machine = machine
        self._argv = [
            "docker",
            "exec",
            "--interactive",
            container,
            "sh",
            "-c",
            _SCRIPT,
            "sh",
            address,
            str(port),
            _PYTHON,
        ]
        self.folder = Path(tempfile.mkdtemp(prefix="qfc-", dir="/tmp"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / SOCKET))
        self._listener.listen()
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Pass bytes on in both directions, until either side ends."""
        with client, suppress(OSError, QfcError, ValueError), self._machine.start(self._argv) as process:
            Thread(target=_send, args=(client, process), daemon=True).start()
            while data := process.stdout.read1(_CHUNK):
                client.sendall(data)


def _send(client: socket.socket, process: Process) -> None:
    with suppress(OSError, ValueError):
        while data := client.recv(_CHUNK):
            process.stdin.write(data)
            process.stdin.flush()
    with suppress(OSError, ValueError):
        process.stdin.close()

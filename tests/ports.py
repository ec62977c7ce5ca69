"""Ports of this machine for the tests' servers; several test runs may request some at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
from pathlib import Path

#: Below the ports that the kernel uses for outgoing connections (net.ipv4.ip_local_port_range).
FIRST_PORT, PORTS = 20_000, 12_000


def free_port() -> int:
    """Return a free port of loopback that no other test of this machine uses.

    No outgoing connection can take it before its server does, because the kernel uses other ports for those.
    """
    while True:
        # Only even ones: repairs of the suite give a service the port after a taken one, and need it free.
        port = FIRST_PORT + 2 * _next_number() % PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def _next_number() -> int:
    """Return the next number for all processes of this account."""
    path = Path(tempfile.gettempdir()) / f"qfc-test-ports-{os.getuid()}"
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
    return number

"""Ports of this machine for servers of the tests; several test runs may ask for some at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
from pathlib import Path

#: Below the ports that the kernel gives to connections (net.ipv4.ip_local_port_range).
FIRST_PORT, PORTS = 20_000, 12_000


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that no other test of this machine was given.

    No connection takes one before its server does: the kernel gives away others.
    """
    while True:
        port = FIRST_PORT + _next_number() % PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def _next_number() -> int:
    """Count on for all processes of this account."""
    path = Path(tempfile.gettempdir()) / f"qfc-test-ports-{os.getuid()}"
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
    return number

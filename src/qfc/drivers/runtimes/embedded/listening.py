"""Finds the listener on a port: the answer of another server must not be mistaken for ours."""

from __future__ import annotations

import contextlib
import socket

import psutil


class PortTakenError(Exception):
    """Another program took the port between our choice and our start. Never leaves the runtime."""


def listens(pid: int | None, port: int) -> bool:
    """Return whether a process itself listens on a TCP port."""
    with contextlib.suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections("tcp") if pid else []
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections)
    return False


def is_answered(bind: str, port: int) -> bool:
    """Return whether any program accepts connections there. Trying to bind would take the port from our own API."""
    try:
        socket.create_connection((bind, port), timeout=1).close()
    except OSError:
        return False
    return True

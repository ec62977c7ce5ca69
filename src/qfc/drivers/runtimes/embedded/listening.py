"""Finds the listener on a port: the answer of another server must not be mistaken for ours."""

from __future__ import annotations

import contextlib
import socket
from contextlib import closing

import psutil

from .layout import MARK

#: What `bind` says for all addresses of the machine.
EVERYWHERE = frozenset({"0.0.0.0", "::"})
LOOPBACK = "127.0.0.1"
#: An address that is on no network, and any port: it makes the system choose our own address.
ELSEWHERE = ("192.0.2.1", 9)


class PortTakenError(Exception):
    """Another program took the port between our choice and our start. Never leaves the runtime."""


def lan_address() -> str:
    """Return the address of this machine in its network, 127.0.0.1 without one. No packet is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])


def user_of(port: int) -> str:
    """Return who listens on a port, as far as this account may know."""
    for process in psutil.process_iter():
        if listens(process.pid, port):
            with contextlib.suppress(psutil.Error):
                folder = process.environ().get(MARK)
                stack = f"the stack in {folder}: " if folder else ""
                return f"{stack}{process.name()}, pid {process.pid}"
    return "a program of another user"


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

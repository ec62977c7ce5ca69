"""What others hear of the monitor itself: systemd, and an address whose silence is an alarm."""

from __future__ import annotations

import os
import socket
import urllib.request
from contextlib import suppress
from http.client import HTTPException

#: Seconds for the request, and between two.
PING_S, EVERY_S = 10.0, 60.0


def tell_systemd(*lines: str) -> None:
    """Tell systemd something, if it started us: READY=1, WATCHDOG=1, STATUS=…; it never fails."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto("\n".join(lines).encode(), name)


def ping(url: str) -> bool:
    """Request the address that expects us; return whether it answered."""
    if not url.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(url, timeout=PING_S) as answer:  # nosec B310 -- http and https alone
            return answer.status < 400
    except (OSError, ValueError, HTTPException):
        return False

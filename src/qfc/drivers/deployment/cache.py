"""A deployment's memcached."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from ...errors import UnreachableError
from ..docker.containers import Container
from ..routes.address import places
from ..routes.forwards import Forwards

SERVICE, PORT = "memcached", 11211
ANSWER_S = 3.0


def latency_ms(containers: Sequence[Container], forwards: Forwards) -> float | None:
    """Ask for the version; return the latency in milliseconds, None without containers. Raises UnreachableError."""
    if not containers:
        return None
    for place in places(SERVICE, PORT, containers):
        here = forwards.to(place)
        began = time.perf_counter()
        try:
            with socket.create_connection((here.address, here.port), ANSWER_S) as connection:
                connection.sendall(b"version\r\n")
                if connection.recv(64).startswith(b"VERSION"):
                    return round((time.perf_counter() - began) * 1000, 1)
        except OSError:
            continue
    raise UnreachableError("memcached does not answer.", hint="Type: qfc services restart --service memcached")

"""A network between a client and the node that cuts connections when it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

CHUNK = 64 * 1024


class BadNetwork:
    """Forwards connections to a port of loopback. `cuts` has one number for each of the next connections that is cut.

    A connection is cut after so many bytes of the answer: with 0 the request arrives, and the answer never does.
    """

    def __init__(self, target: int) -> None:
        self.cuts: list[int] = []
        #: Bytes of answers that arrived, in all.
        self.delivered = 0
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                left = self.cuts.pop(0) if self.cuts else None
                threading.Thread(target=self._forward, args=(client, left), daemon=True).start()

    def _forward(self, client: socket.socket, left: int | None) -> None:
        server = socket.create_connection(("127.0.0.1", self._target))
        threading.Thread(target=_pump, args=(client, server), daemon=True).start()
        with client, server, suppress(OSError):
            while data := server.recv(CHUNK):
                data = data if left is None else data[:left]
                client.sendall(data)
                self.delivered += len(data)
                left = None if left is None else left - len(data)
                if left == 0:
                    break
            # `close` alone would wait for the thread that still reads.
            client.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)


@contextmanager
def bad_network(target: int) -> Generator[BadNetwork]:
    """Run a network in front of a port."""
    network = BadNetwork(target)
    yield network
    network.close()

"""A network between a client and the node that cuts, delays and repeats requests when it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

CHUNK = 64 * 1024


class BadNetwork:
    """Forwards connections to a port of loopback. `cuts` is about the next connections, one by one.

    A connection is cut after so many bytes of the answer: with 0 the request arrives, and the answer never does; with
    None it is not cut.
    `repeats` of the next requests arrive a second time, after their answer; each request is `delay_s` late.
    """

    def __init__(self, target: int) -> None:
        self.cuts: list[int | None] = []
        self.repeats, self.delay_s = 0, 0.0
        #: Bytes of answers and of requests that arrived, and requests that arrived twice, in all.
        self.delivered, self.sent, self.repeated = 0, 0, 0
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
                is_repeated = self.repeats > 0
                self.repeats -= is_repeated
                threading.Thread(target=self._forward, args=(client, left, is_repeated), daemon=True).start()

    def _forward(self, client: socket.socket, left: int | None, is_repeated: bool) -> None:
        time.sleep(self.delay_s)
        server = socket.create_connection(("127.0.0.1", self._target))
        request = bytearray() if is_repeated else None
        threading.Thread(target=self._pump, args=(client, server, request), daemon=True).start()
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
        if request:
            self._repeat(bytes(request))

    def _pump(self, source: socket.socket, target: socket.socket, record: bytearray | None) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                target.sendall(data)
                self.sent += len(data)
                if record is not None:
                    record += data
            # Else the server would wait for the next request of a client that has gone.
            target.shutdown(socket.SHUT_WR)

    def _repeat(self, request: bytes) -> None:
        """Send a request once more; nobody reads the answer."""
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            server.sendall(request)
            server.recv(CHUNK)
        self.repeated += 1


@contextmanager
def bad_network(target: int) -> Generator[BadNetwork]:
    """Run a network in front of a port."""
    network = BadNetwork(target)
    yield network
    network.close()

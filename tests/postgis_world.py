"""Addresses of layers in a database for tests, and a way to it that loses the answer to a commit."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from qfc.drivers.postgres_server import Endpoint
from qfc_node.gis.database_rules import DatabaseRules

_PIECE = 65536
HOST = "127.0.0.1"


#: The rules of jobs in tests: the server is on loopback, which an operator has to allow.
LOOPBACK = DatabaseRules(allowed=(HOST,))


def reach(remote: Endpoint, port: int | None = None) -> str:
    """The connection, as QGIS writes it."""
    parameters = f"dbname='{remote.database}' host='{HOST}' port='{port or remote.port}' user='{remote.user}'"
    return f"{parameters} password='{remote.password}'"


class ForgetfulRoute:
    """A port before the server's own. It cuts the first connection that commits, before the answer arrives."""

    def __init__(self, remote: Endpoint) -> None:
        self._target = f"{remote.host}/.s.PGSQL.{remote.port}"
        self._listener = socket.socket()
        self._listener.bind((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0

    def __enter__(self) -> Self:
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
                threading.Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(_PIECE):
                is_commit = b"COMMIT" in piece and not self.cuts
                if is_commit:
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            while piece := server.recv(_PIECE):
                with suppress(OSError):
                    client.sendall(piece)

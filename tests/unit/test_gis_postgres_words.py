"""What messages say of a database that refuses: never the words of whatever answers at an address."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from postgis_world import LOOPBACK
from qfc_node.gis.deltas.editing import RefusedError
from qfc_node.gis.deltas.editors.postgres_connection import connect, said


def told(port: int, folder: Path) -> str:
    parameters = {"host": "127.0.0.1", "port": str(port), "dbname": "d", "user": "u"}
    with pytest.raises(RefusedError) as caught:
        connect(parameters, LOOPBACK, folder)
    return f"{caught.value} {caught.value.provider_errors}"


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-CANARY\r\n", b"HTTP/1.1 200 CANARY\r\n", b"", b"NE" + b"\0\0\0\x20SFATAL\0"]
)
def test_what_listens_there_is_not_told(answer: bytes, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_answer, args=(listener, answer), daemon=True).start()
        assert told(listener.getsockname()[1], tmp_path) == told(_closed_port(), tmp_path)


def test_other_errors_name_only_their_kind() -> None:
    assert said(psycopg.OperationalError("could not open /srv/data/base: CANARY")) == "the connection was lost"


def _answer(listener: socket.socket, answer: bytes) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError):
                client.recv(1024)
                client.sendall(answer)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

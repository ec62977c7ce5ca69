"""What no project may reach: files beside a job's folder, and listeners on loopback; each would give itself away."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from gis_samples import trees

#: In every canary of text; and the grey of every canary with pixels.
WORD, GREY = "CANARY-5f0c", 0xB7
#: Width and height of pictures; overviews are smaller than what they stand for.
SIZE = 1000


class Canaries:
    """A folder of files, a TCP listener that answers HTTP, and a Unix socket where PostgreSQL's would be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        _make_files(folder)
        self.before = self._states()
        self.connections: list[str] = []
        self._listeners = [self._on_loopback(), self._in_folder()]
        self.port: int = self._listeners[0].getsockname()[1]

    def __enter__(self) -> Self:
        for listener in self._listeners:
            listener.listen()
            threading.Thread(target=self._answer, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def url(self, name: str) -> str:
        """The address of a file at the listener."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def path(self, name: str) -> str:
        """The path of a canary file."""
        return str(self.folder / name)

    def changed(self) -> list[str]:
        """The files that are not as they were."""
        now = self._states()
        return sorted(name for name in {*now, *self.before} if now.get(name) != self.before.get(name))

    def _states(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}

    def _on_loopback(self) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        return listener

    def _in_folder(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / ".s.PGSQL.5432"))
        return listener

    def _answer(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, contextlib.suppress(OSError):
                    self.connections.append(str(listener.getsockname()))
                    client.settimeout(2)
                    client.recv(4096)
                    body = f"name,secret\n{WORD},1\n".encode()
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: text/csv\r\n\r\n"
                    client.sendall(head.encode() + body)


def _make_files(folder: Path) -> None:
    (folder / "secret.txt").write_text(f"root:x:0:0:{WORD}:/root:/bin/sh\n" * 20)
    (folder / "secret.csv").write_text(f"fid,name,secret\n1,{WORD},1\n2,{WORD},2\n")
    (folder / "secret.qml").write_text(f"<qgis>{WORD}</qgis>")
    (folder / "secret.svg").write_text(f"<svg>{WORD}</svg>")
    (folder / "raw.bin").write_bytes(bytes([GREY]) * SIZE * SIZE)
    feature = {"type": "Feature", "properties": {"fid": 1, "name": WORD}, "geometry": None}
    (folder / "secret.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    trees(folder / "secret.gpkg")
    with closing(sqlite3.connect(folder / "secret.gpkg")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE trees SET name = ?", (WORD,))
        connection.commit()
    Image.new("L", (SIZE, SIZE), GREY).save(folder / "secret.tif")

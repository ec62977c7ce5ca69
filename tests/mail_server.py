"""A server for e-mail on loopback that keeps what it gets."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Accepts every message; `messages` has their text."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[str] = []

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Speak as much SMTP as a client needs."""
        self._say("220 ready")
        for line in self.rfile:
            word = line.decode().strip().upper()
            if word == "DATA":
                self._say("354 go on")
                self._take_message()
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take_message(self) -> None:
        lines: list[str] = []
        for line in self.rfile:
            if line.rstrip() == b".":
                break
            lines.append(line.decode())
        server: Any = self.server
        server.messages.append("".join(lines))
        self._say("250 kept")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Generator[MailServer]:
    """Run a server."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()

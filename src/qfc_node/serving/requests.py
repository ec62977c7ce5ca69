"""Requests while they arrive: refused early where they cannot succeed, spooled to the disk where they are large."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (waitress has no types)
from __future__ import annotations

import json
from time import monotonic
from typing import Any

from ..storage.outgoing import RESERVE_BYTES, free_bytes
from .library import Error, ErrorTask, HTTPRequestParser, WSGITask

#: Without a token or a session nothing larger is accepted: forms and logins are far smaller.
ANONYMOUS_BYTES = 1024 * 1024
#: Bodies are as large as that only if they are spooled.
SPOOLED_BYTES = 1024 * 1024
#: The room on the disk is looked at each time so much has arrived.
LOOK_BYTES = 4 * 1024 * 1024


class RefusedError(Error):
    """A refusal before a view sees the request, in the form of the API's own errors."""

    def __init__(self, code: int, reason: str, name: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.name = code, reason, name

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body."""
        del ident
        headers = [("Content-Type", "application/json")]
        if self.code == 401:
            headers.append(("WWW-Authenticate", "Token"))
        if self.code == 503:
            headers.append(("Retry-After", "5"))
        body = json.dumps({"code": self.name, "message": str(self.body)})
        return f"{self.code} {self.reason}", headers, body.encode()


def no_room() -> RefusedError:
    """Return the refusal of a body that the disk cannot take now; clients try again."""
    return RefusedError(503, "Service Unavailable", "status_not_ok", "The server is not available: its disk is full")


class Request(HTTPRequestParser):
    """One request as it arrives."""

    error: Any

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.started = monotonic()
        self.headers_done: float | None = None
        #: When so much of the body has arrived, the room on the disk is looked at again.
        self.looks_at = LOOK_BYTES

    def received(self, data: bytes) -> int:
        """Take in bytes; return how many belonged to this request."""
        try:
            consumed: int = super().received(data)
        except OSError:
            self._end(no_room())
            return len(data)
        if self.headers_finished and self.headers_done is None:
            self.headers_done = monotonic()
            self._check_body()
        elif self.body_bytes_received and self.error is None:
            self._check_progress()
        self._in_our_form()
        return consumed

    def _check_body(self) -> None:
        if self.error is not None or self.body_rcv is None:
            return
        if self.content_length > ANONYMOUS_BYTES and not self._is_known():
            self._end(RefusedError(401, "Unauthorized", "not_authenticated", "Not authenticated"))
        elif self.content_length > SPOOLED_BYTES and not _has_room(self.content_length):
            self._end(no_room())

    def _check_progress(self) -> None:
        """Check what has arrived: nobody says how long a chunked body becomes, and others fill the disk meanwhile."""
        if self.body_bytes_received > ANONYMOUS_BYTES and not self._is_known():
            self._end(RefusedError(401, "Unauthorized", "not_authenticated", "Not authenticated"))
        elif self.body_bytes_received >= self.looks_at:
            self.looks_at = self.body_bytes_received + LOOK_BYTES
            if not _has_room(0):
                self._end(no_room())

    def _is_known(self) -> bool:
        return bool(self.headers.get("AUTHORIZATION") or "sessionid=" in self.headers.get("COOKIE", ""))

    def _end(self, refusal: RefusedError) -> None:
        self.error = refusal
        self.completed = True
        self.expect_continue = False  # else the client would be asked for the body all the same

    def _in_our_form(self) -> None:
        """Translate a refusal of the parser."""
        error = self.error
        if error is None or isinstance(error, RefusedError):
            return
        name = "api_error" if error.code == 413 else "validation_error"
        self._end(RefusedError(error.code, error.reason, name, f"{error.reason}: {error.body}"))


def _has_room(size: int) -> bool:
    return free_bytes() > size + RESERVE_BYTES


class Answer(WSGITask):
    """The answer of the application; the last one of a connection while the server stops."""

    def start(self) -> None:
        """Begin; a server that stops keeps no connection."""
        super().start()
        if self.channel.server.is_stopping:
            self.set_close_on_finish()


class RefusalAnswer(ErrorTask):
    """The answer to a request that was refused while it arrived; the rest of it may still be on its way."""

    def execute(self) -> None:
        """Answer; the connection then waits for the client to have read it."""
        self.channel.has_refused = True
        super().execute()

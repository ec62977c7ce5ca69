"""Requests while they arrive: refused early where they cannot succeed, spooled to the disk where they are large."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (waitress has no types)
from __future__ import annotations

from time import monotonic
from typing import Any

from ..storage.outgoing import RESERVE_BYTES, free_bytes
from .callers import has_credentials
from .library import ErrorTask, HTTPRequestParser, WSGITask
from .refusals import RefusedError, not_authenticated, not_available

#: Larger bodies go to the disk, and are only taken from somebody: forms and logins are far smaller.
BODY_IN_MEMORY = 64 * 1024
#: The room on the disk is looked at before a body as large as that.
LARGE_BYTES = 1024 * 1024
#: The room on the disk is looked at each time so much has arrived.
LOOK_BYTES = 4 * 1024 * 1024


class Request(HTTPRequestParser):
    """One request as it arrives."""

    error: Any

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.started = monotonic()
        self.headers_done: float | None = None
        #: When so much of the body has arrived, the room on the disk is looked at again.
        self.looks_at = LOOK_BYTES
        #: Whether nothing more of the body is read until its sender is known.
        self.is_held = False
        self._asks_first = False

    def received(self, data: bytes) -> int:
        """Take in bytes; return how many belonged to this request."""
        try:
            consumed: int = super().received(data)
        except OSError:
            self._end(_no_room())
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
        if self.chunked or self.content_length >= BODY_IN_MEMORY:
            self._check_sender()
        if self.error is None and self.content_length > LARGE_BYTES and not _has_room(self.content_length):
            self._end(_no_room())

    def _check_sender(self) -> None:
        """Stop before the body until somebody is known to send it; a chunked one of nobody may still be small."""
        if has_credentials(self.headers):
            self.is_held, self.expect_continue, self._asks_first = True, False, self.expect_continue
        elif not self.chunked:
            self._end(not_authenticated())

    def go_on(self) -> None:
        """Take the body: its sender is known. The client kept nobody waiting so far."""
        self.headers_done = monotonic()
        self.is_held, self.expect_continue = False, self._asks_first

    def refuse(self, refusal: RefusedError) -> None:
        """Take no body."""
        self.is_held = False
        self._end(refusal)

    def _check_progress(self) -> None:
        """Check what has arrived: nobody says how long a chunked body becomes, and others fill the disk meanwhile."""
        if self.body_bytes_received >= BODY_IN_MEMORY and not has_credentials(self.headers):
            self._end(not_authenticated())
        elif self.body_bytes_received >= self.looks_at:
            self.looks_at = self.body_bytes_received + LOOK_BYTES
            if not _has_room(0):
                self._end(_no_room())

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


def _no_room() -> RefusedError:
    return not_available("its disk is full")


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

"""Takes the messages of all stacks from their outboxes to people: one at most a minute, again until it arrives."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Event

from ..errors import QfcError
from ..stack.monitor import Message
from ..stack.monitor.messages import joined
from ..stack.ports import Ports
from ..stack.ports.monitoring import Letter, Post
from ..stack.redaction import without_secrets
from .watcher import Watcher

log = logging.getLogger("qfc.monitor")
#: Seconds between two turns, whatever there is to send, and between two looks into the outboxes.
APART_S, LOOK_S = 60.0, 15.0


class Sender:
    """Sends in a thread of its own: a route that hangs delays no look and no repair."""

    def __init__(self, watchers: Sequence[Watcher], routes: Sequence[Post], news: Event) -> None:
        self._watchers, self._routes, self._news = watchers, routes, news
        self._sent_s = float("-inf")
        self.failed = ""

    def run(self, stop: Event) -> None:
        """Send until somebody says stop."""
        while not stop.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            with suppress(QfcError):
                self.turn()

    def turn(self) -> bool:
        """Send what is due by every route, if the last time is long enough ago; return whether there was anything."""
        clock = self._watchers[0].ports.clock
        if clock.monotonic() - self._sent_s < APART_S:
            return False
        unsaved = [watcher.unsaved.pop(0) for watcher in self._watchers for _ in range(len(watcher.unsaved))]
        any_sent = [self._send_by(route, unsaved) for route in self._routes]
        if any(any_sent):
            self._sent_s = clock.monotonic()
        return any(any_sent)

    def _send_by(self, route: Post, unsaved: Sequence[Message]) -> bool:
        """Send what is due by one route as one message."""
        due = [(watcher.ports, self._due(watcher.ports, route)) for watcher in self._watchers]
        messages = [*unsaved, *(letter.message for _, letters in due for letter in letters)]
        if not messages:
            return False
        error = self._sent(route, joined(messages))
        for ports, letters in due:
            if letters:
                self._note(ports, letters, route, error)
        return True

    def _sent(self, route: Post, message: Message) -> str | None:
        """Send a message; return why it could not be sent."""
        try:
            route.send(message, {"host": socket.gethostname()})
        except QfcError as error:
            self.failed = f"{route.name}: {without_secrets(error.message)}"
            log.warning("%s", self.failed)
            return self.failed
        self.failed = ""
        return None

    @staticmethod
    def _due(ports: Ports, route: Post) -> tuple[Letter, ...]:
        with suppress(QfcError):
            history = ports.monitoring.history()
            try:
                return history.letters(route.name, ports.clock.now())
            finally:
                history.close()
        return ()

    @staticmethod
    def _note(ports: Ports, letters: Sequence[Letter], route: Post, error: str | None) -> None:
        with suppress(QfcError):
            history = ports.monitoring.history()
            try:
                history.sent(letters, route.name, ports.clock.now(), error=error)
            finally:
                history.close()

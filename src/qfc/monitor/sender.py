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
        self._clock = watchers[0].ports.clock
        self._sent_s = float("-inf")
        self.turned_s = self._clock.monotonic()
        self.failed = ""

    def run(self, stop: Event) -> None:
        """Send until somebody says stop. A turn that fails is none, as others see from `turned_s`."""
        while not stop.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            try:
                self.turn()
            except Exception:
                log.exception("a turn of the sender failed")
            else:
                self.turned_s = self._clock.monotonic()

    def turn(self) -> bool:
        """Send what is due by every route, if the last time is long enough ago; return whether there was anything."""
        if self._clock.monotonic() - self._sent_s < APART_S:
            return False
        unsaved = [watcher.unsaved.pop(0) for watcher in self._watchers for _ in range(len(watcher.unsaved))]
        any_sent = [self._tried(route, unsaved) for route in self._routes]
        if any(any_sent):
            self._sent_s = self._clock.monotonic()
        return any(any_sent)

    def _tried(self, route: Post, unsaved: Sequence[Message]) -> bool:
        """Send what is due by one route; whatever fails there, the others have their turn."""
        try:
            return self._send_by(route, unsaved)
        except Exception as error:
            self.failed = f"{route.name}: a bug of the monitor, {type(error).__name__}"
            log.exception("%s: sending failed", route.name)
            return True
        finally:
            self.turned_s = self._clock.monotonic()

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
        except Exception as error:  # noqa: BLE001 - its text and its traceback may hold the address, and so a token
            self.failed = f"{route.name}: a bug of the monitor, {type(error).__name__}"
            log.error("%s", self.failed)  # noqa: TRY400
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

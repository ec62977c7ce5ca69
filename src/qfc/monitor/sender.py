"""Takes the messages of all stacks from their outboxes to people: one at most a minute, again until it arrives."""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
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
#: Messages without an outbox that are kept for a route; the oldest are dropped.
MOST_UNSAVED = 100


class Sender:
    """Sends in a thread of its own: a route that hangs delays no look and no repair."""

    def __init__(self, watchers: Sequence[Watcher], routes: Sequence[Post], news: Event) -> None:
        self._watchers, self._routes, self._news = watchers, routes, news
        self._clock = watchers[0].ports.clock
        self._unsaved: dict[str, tuple[Message, ...]] = {}
        self._delivered: set[tuple[str, str, int, datetime]] = set()
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
        self._collect()
        any_sent = [self._tried(route) for route in self._routes]
        if any(any_sent):
            self._sent_s = self._clock.monotonic()
        return any(any_sent)

    def _collect(self) -> None:
        """Take over what the watchers could not store: each route keeps it until it has sent it."""
        new = [watcher.unsaved.pop(0) for watcher in self._watchers for _ in range(len(watcher.unsaved))]
        for name in {route.name for route in self._routes}:
            self._unsaved[name] = (*self._unsaved.get(name, ()), *new)[-MOST_UNSAVED:]

    def _tried(self, route: Post) -> bool:
        """Send what is due by one route; whatever fails there, the others have their turn."""
        try:
            return self._send_by(route)
        except Exception as error:
            self.failed = f"{route.name}: a bug of the monitor, {type(error).__name__}"
            log.exception("%s: sending failed", route.name)
            return True
        finally:
            self.turned_s = self._clock.monotonic()

    def _send_by(self, route: Post) -> bool:
        """Send what is due by one route as one message."""
        due = [(watcher.ports, self._due(watcher.ports, route)) for watcher in self._watchers]
        messages = [*self._unsaved[route.name], *(letter.message for _, letters in due for letter in letters)]
        if not messages:
            return False
        error = self._sent(route, joined(messages))
        if error is None:
            self._unsaved[route.name] = ()
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

    def _due(self, ports: Ports, route: Post) -> tuple[Letter, ...]:
        """Return what is to be sent by a route; what was sent and could not be marked so is only marked."""
        letters: tuple[Letter, ...] = ()
        with _survived(ports), closing(ports.monitoring.history()) as history:
            letters = history.letters(route.name, ports.clock.now())
        delivered = tuple(one for one in letters if _key(ports, route, one) in self._delivered)
        if delivered:
            self._note(ports, delivered, route, None)
        return tuple(one for one in letters if one not in delivered)

    def _note(self, ports: Ports, letters: Sequence[Letter], route: Post, error: str | None) -> None:
        """Store that letters were sent, or why not. Those that were sent are remembered until that is stored."""
        keys = {_key(ports, route, one) for one in letters}
        if error is None:
            self._delivered |= keys
        with _survived(ports), closing(ports.monitoring.history()) as history:
            history.sent(letters, route.name, ports.clock.now(), error=error)
            self._delivered -= keys


@contextmanager
def _survived(ports: Ports) -> Generator[None]:
    """Go on without a history that cannot be used: other stacks have messages too. Its watcher tells of it."""
    try:
        yield
    except QfcError as error:
        log.info("%s: %s", ports.name, error.message)
    except Exception:
        log.exception("%s: the history failed", ports.name)


def _key(ports: Ports, route: Post, letter: Letter) -> tuple[str, str, int, datetime]:
    """Return what tells letters apart, also where a new history counts from one again."""
    return ports.name, route.name, letter.id, letter.at

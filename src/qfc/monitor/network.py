"""The monitor's own network: when every other host is gone at once, that is one fault, and none of these hosts'."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from threading import Lock

from ..stack.findings import Severity, problem
from ..stack.monitor import Alert, Message
from ..stack.monitor.messages import News, text

ID = "own-network"
#: The name of the machine on which the monitor runs: no network is between them.
HERE = "local"
#: One host that is gone proves nothing about this machine.
FEWEST = 2
#: Seconds until people are told: a network has its hiccups.
PATIENCE_S = 60.0


class Network:
    """What the watchers know of the hosts that are not this machine. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gone: dict[str, bool] = {}
        self._since_s: float | None = None
        self._told: Alert | None = None

    def note(self, host: str, *, is_gone: bool) -> None:
        """Note whether a host is silent. One that answers is not gone, though nothing may work on it."""
        if host != HERE:
            with self._lock:
                self._gone[host] = is_gone

    def explains(self, host: str) -> bool:
        """Return whether this machine's network is why nothing can be seen of a host."""
        return host != HERE and self.is_gone

    @property
    def is_gone(self) -> bool:
        """Whether none of several hosts can be reached."""
        with self._lock:
            return len(self._gone) >= FEWEST and all(self._gone.values())

    def news(self, here: str, now_s: float, now: datetime) -> Message | None:
        """Return a message for people if the network has been gone for long enough, or is back; each is told once."""
        if not self.is_gone:
            told, self._told, self._since_s = self._told, None, None
            return None if told is None else text(here, [News("resolved", replace(told, closed=now), now_s)])
        self._since_s = now_s if self._since_s is None else self._since_s
        if self._told is not None or now_s - self._since_s < PATIENCE_S:
            return None
        sentence = f"None of {len(self._gone)} hosts can be reached from {here}: {', '.join(sorted(self._gone))}."
        found = replace(
            problem(ID, Severity.CRITICAL, sentence),
            title="The monitor's own network is gone",
            fix="Check the network of this machine; its stacks here are still watched, those elsewhere are not",
        )
        self._told = Alert(ID, found, now, now_s)
        return text(here, [News("raised", self._told, now_s)])

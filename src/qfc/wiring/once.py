"""Ports that are made when they are first asked for, and closed together. Safe for threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

Port = TypeVar("Port")


class Once:
    """Makes each thing once; closes what can be closed, the last one made first."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def __call__(self, name: str, make: Callable[[], Port]) -> Port:
        """Return the thing made earlier, or make it."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def close(self) -> None:
        """Close all of them; they are made anew when they are asked for again."""
        for thing in reversed(list(self._made.values())):
            if hasattr(thing, "close"):
                thing.close()
        self._made.clear()

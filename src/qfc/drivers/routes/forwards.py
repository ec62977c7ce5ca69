"""Forwarded ports of a stack's host: opened on first use, kept until the stack is closed."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from ...stack.ports import Machine
from .address import Place


class Forwards:
    """Forwards ports to places that a host reaches. If the host is this machine, they are reached directly."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._open = ExitStack()
        self._known: dict[Place, Place] = {}
        self._lock = threading.Lock()

    def to(self, place: Place) -> Place:
        """Return where this machine reaches a place. Raises UnreachableError when the host cannot be reached."""
        with self._lock:
            if place not in self._known:
                here = self._open.enter_context(self._machine.forward(place.address, place.port))
                self._known[place] = Place(*here)
            return self._known[place]

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            self._known.clear()
            self._open.close()

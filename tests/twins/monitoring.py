"""The twin of what a monitor leaves with a stack; its history is SQLite in a folder of its own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qfc.drivers.monitoring.history import SqliteHistory
from qfc.stack.monitor import Orders
from qfc.stack.ports import Clock, Lock
from qfc.stack.ports.monitoring import Beat, History, Monitoring


class MemoryMonitoring(Monitoring):
    """What a monitor leaves, as long as the object lasts."""

    def __init__(self, clock: Clock, watch: Callable[[], Lock]) -> None:
        self._clock, self._watch = clock, watch
        self._orders, self._beat = Orders(), None
        self._folder: Path | None = None

    _beat: Beat | None
    #: What a monitor wants to be called when something has ended.
    wake: Callable[[], None] | None = None

    @property
    def watch(self) -> Lock:
        return self._watch()

    def follow(self, wake: Callable[[], None]) -> bool:
        self.wake = wake
        return False

    def history(self) -> History:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="qfc-twin-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        return SqliteHistory(self._folder)

    def orders(self) -> Orders:
        return self._orders

    def order(self, orders: Orders) -> None:
        self._orders = orders

    def beat(self) -> Beat | None:
        return self._beat

    def note(self, beat: Beat) -> None:
        self._beat = beat

    def touch(self) -> None:
        if self._beat is not None:
            self._beat = replace(self._beat, looked_at=self._clock.now())

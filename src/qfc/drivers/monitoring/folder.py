"""What a monitor leaves in our own folder for a stack: its trace, its orders, its history."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import QfcError
from ...files import keep_file
from ...stack.ports.monitoring import Monitoring

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...stack.monitor import Orders
    from ...stack.ports import Lock
    from ...stack.ports.monitoring import Beat, History
    from ..docker.events import EngineEvents

    Events = Callable[[Callable[[], None]], EngineEvents]

BEAT, ORDERS = "monitor.json", "monitor-orders.json"


class FolderMonitoring(Monitoring):
    """What a monitor leaves in `folder`; `watch` is where the stack is.

    `qfc status` reads the trace: what only others need is imported where they need it.
    """

    def __init__(self, folder: Path, watch: Callable[[], Lock], events: Events | None = None) -> None:
        """`events` opens the stream of what has ended; without it, nothing reports that."""
        self._folder, self._watch, self._events = folder, watch, events
        self._followed: EngineEvents | None = None

    @property
    def watch(self) -> Lock:
        return self._watch()

    def follow(self, wake: Callable[[], None]) -> bool:
        if self._events is not None and self._followed is None:
            self._followed = self._events(wake)
        return self._followed is not None

    def close(self) -> None:
        """End the stream of what has ended."""
        if self._followed is not None:
            self._followed.close()

    def history(self) -> History:
        from .history import SqliteHistory

        return SqliteHistory(self._folder)

    def orders(self) -> Orders:
        from ...stack.monitor import Orders
        from ...stack.monitor.codec import restored

        path = self._folder / ORDERS
        try:
            return restored(Orders, json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Orders()
        except (OSError, ValueError) as error:
            raise QfcError(f"{path} cannot be read.", hint=f"Check the file, or remove it: rm {path}") from error

    def order(self, orders: Orders) -> None:
        from ...stack.monitor.codec import document

        self._keep(ORDERS, document(orders))

    def beat(self) -> Beat | None:
        path = self._folder / BEAT
        if not path.exists():
            return None
        from ...stack.monitor.codec import restored
        from ...stack.ports.monitoring import Beat

        with suppress(OSError, ValueError):
            beat = restored(Beat, json.loads(path.read_text(encoding="utf-8")))
            return replace(beat, looked_at=datetime.fromtimestamp(path.stat().st_mtime, UTC))
        return None

    def note(self, beat: Beat) -> None:
        from ...stack.monitor.codec import document

        self._keep(BEAT, document(beat))

    def touch(self) -> None:
        with suppress(OSError):
            os.utime(self._folder / BEAT)

    def _keep(self, name: str, value: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        keep_file(self._folder / name, f"{json.dumps(value, indent=1)}\n".encode(), mode=0o600)

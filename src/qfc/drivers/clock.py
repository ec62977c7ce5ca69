"""The system's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ..stack.ports import Clock


class SystemClock(Clock):
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

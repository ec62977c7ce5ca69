"""The twin of limits on synchronisations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from qfc.stack.ports import RateLimiter
from qfc.stack.rate_limits import RateLimits, RefusedSyncs


@dataclass
class MemoryRateLimits(RateLimiter):
    """Limits that are kept and not applied. `recreated`: as after a new container of nginx."""

    limits: RateLimits = field(default_factory=RateLimits)
    refuses: str | None = None
    recreated: bool = False
    counted: list[RefusedSyncs] = field(default_factory=list[RefusedSyncs])

    def refusal(self) -> str | None:
        return self.refuses

    def wanted(self) -> RateLimits:
        return self.limits

    def in_force(self) -> bool:
        return self.limits.is_empty or not self.recreated

    def apply(self, limits: RateLimits) -> None:
        """Keep the limits, loaded."""
        self.limits, self.recreated = limits, False

    def refused(self, since: datetime) -> tuple[RefusedSyncs, ...]:
        """Return what was counted since then."""
        return tuple(one for one in self.counted if one.last_at is None or one.last_at >= since)

    def passes(self) -> Mapping[str, str]:
        """Return a header while something is limited."""
        return {} if self.limits.is_empty else {"X-Qfc-Probe": "memory"}

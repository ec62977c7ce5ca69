"""Limits on how often projects are synchronised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..rate_limits import RateLimits, RefusedSyncs


class RateLimiter(Protocol):
    """Refuses requests that would create jobs beyond the operator's limits, with 429 and `Retry-After`."""

    def refusal(self) -> str | None:
        """Return why nothing can be limited here; None where it can."""
        ...

    def wanted(self) -> RateLimits:
        """Return the limits that were set, also those that have ended."""
        ...

    def in_force(self) -> bool:
        """Return whether the limits that were set are applied."""
        ...

    def apply(self, limits: RateLimits) -> None:
        """Replace all limits; empty ones leave no trace. Raises QfcError, and then the earlier ones hold."""
        ...

    def refused(self, since: datetime) -> tuple[RefusedSyncs, ...]:
        """Return what was refused since a time, by project, most first."""
        ...

    def passes(self) -> Mapping[str, str]:
        """Return headers with which the operator's own requests are exempt."""
        ...

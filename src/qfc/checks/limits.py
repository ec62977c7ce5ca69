"""Limits of the operator that are set and not applied."""

from __future__ import annotations

from ..errors import NotFoundError
from ..stack.ports import RateLimiter
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence


class LimitsNotLoaded(DeploymentCheck):
    """nginx's container was created again, and lacks the line that includes the limits."""

    id = "rate-limits"
    title = "The limits on synchronisations are not applied"
    severity = Severity.WARNING
    fix = "Load them again: qfc doctor --fix; or end them: qfc ratelimit disable"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the limits that were set with what nginx includes."""
        limiter = seen.ports.rate_limits
        reason = limiter.refusal()
        if reason is not None:
            return f"Limits are set, but nothing can be limited: {reason}." if _are_set(limiter) else None
        if limiter.in_force():
            return None
        return "The limits are in the deployment's folder, and nginx does not include them."

    def repair(self, seen: Evidence) -> None:
        """Apply the limits again; nginx tests them first."""
        limiter = seen.ports.rate_limits
        limiter.apply(limiter.wanted())


def _are_set(limiter: RateLimiter) -> bool:
    """Return whether limits are left in a folder that nginx no longer includes."""
    try:
        return not limiter.wanted().is_empty
    except NotFoundError:
        return False


LIMITS: tuple[Check, ...] = (LimitsNotLoaded(),)

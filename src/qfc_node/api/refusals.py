"""Turn refusals of a quota into errors that clients know."""

from __future__ import annotations

from ..core.quota import Refusal
from .errors import ApiError, InactiveSubscriptionError, OverQuotaError, PlanInsufficientError

ERRORS: dict[Refusal, type[ApiError]] = {
    Refusal.INACTIVE: InactiveSubscriptionError,
    Refusal.OVER_QUOTA: OverQuotaError,
    Refusal.PLAN: PlanInsufficientError,
}


def refuse(refusal: Refusal | None) -> None:
    """Raise the error for a refusal; do nothing without one."""
    if refusal is not None:
        raise ERRORS[refusal]

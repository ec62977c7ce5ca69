"""What rows tell of users and their plans."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ...model.conditions import PlacesTaken, PlanChange, PlanLimits


class AccountConditions(Protocol):
    """Users, organizations and plans. None: this server does not keep that, so nobody knows."""

    def superusers(self) -> int:
        """Count the people who may do everything and may log in."""
        ...

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return the names of people who may not log in for a while, for too many wrong passwords."""
        ...

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Return what plans allow."""
        ...

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Return organizations and private projects that are full by the plan of their account."""
        ...

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Let a plan allow more, to all accounts that have it or get it. Raises NotFoundError."""
        ...

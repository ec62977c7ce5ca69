"""Problems of users and their plans, as rows show them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model.conditions import PlacesTaken, PlanChange, PlanLimits


class AccountConditions(Protocol):
    """Users, organizations and plans. None: this server does not store that, so the answer is unknown."""

    def superusers(self) -> int:
        """Count the superusers who can log in."""
        ...

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        """Return the names of users who cannot log in for a while after too many wrong passwords."""
        ...

    def failed_from(self, since: datetime) -> tuple[str, ...] | None:
        """Return the addresses of wrong logins, each once; None where nothing is stored."""
        ...

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        """Return the limits of all plans."""
        ...

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        """Return organizations and private projects that have reached a limit of their account's plan."""
        ...

    def change_plan(self, code: str, change: PlanChange) -> None:
        """Make a plan allow more, for all accounts that have it now or later. Raises NotFoundError."""
        ...

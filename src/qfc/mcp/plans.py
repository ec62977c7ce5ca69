"""Changes that were shown to an agent and may be made, for a while, as long as the state is the one that was seen."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..errors import RefusedError

#: How long a plan can be applied.
LIFETIME_S = 600.0
#: Agents that only plan do not fill the memory.
MOST_PLANS = 200
#: Ends of keys whose values change although nothing has: ages, times, free space.
RESTLESS = ("_s", "_ms", "_at", "_bytes", "_percent", "seconds", "pid")


class StateMovedError(RefusedError):
    """The state is another one than when the plan was shown."""

    code = "state_moved"


class UnknownPlanError(RefusedError):
    """The plan does not exist, or no longer, or is one of other arguments."""

    code = "unknown_plan"


@dataclass(frozen=True)
class Plan:
    """A change that was shown. `seen` is the fingerprint of what it would do."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    seen: str
    until: float


class PlanBook:
    """The plans of one server. `clock` returns seconds; only differences count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._plans: dict[str, Plan] = {}

    def add(self, tool: str, arguments: Mapping[str, Any], answer: object) -> Plan:
        """Note what a call would do."""
        self._forget()
        plan = Plan(secrets.token_urlsafe(12), tool, dict(arguments), fingerprint(answer), self._clock() + LIFETIME_S)
        self._plans[plan.id] = plan
        return plan

    def take(self, plan_id: str, tool: str, arguments: Mapping[str, Any]) -> Plan:
        """Return a plan, which then cannot be applied again. Arguments that are given must be the plan's.

        Raises UnknownPlanError.
        """
        self._forget()
        plan = self._plans.get(plan_id)
        if plan is None or plan.tool != tool:
            raise UnknownPlanError(
                "There is no such plan.", hint="Plans last ten minutes, for one call. Plan again, without plan_id."
            )
        if arguments and dict(arguments) != dict(plan.arguments):
            raise UnknownPlanError("The plan was made for other arguments.", hint="Plan again, without plan_id.")
        del self._plans[plan_id]
        return plan

    def _forget(self) -> None:
        now = self._clock()
        for plan in [one for one in self._plans.values() if one.until <= now]:
            del self._plans[plan.id]
        while len(self._plans) >= MOST_PLANS:
            del self._plans[next(iter(self._plans))]


def check(plan: Plan, answer: object) -> None:
    """Raise StateMovedError if a change would do something else now than was shown."""
    if fingerprint(answer) != plan.seen:
        raise StateMovedError(
            "The state has changed since the plan was shown; nothing was changed.", hint="Plan again, without plan_id."
        )


def fingerprint(answer: object) -> str:
    """Return a hash of what a change would do, without what is restless in it."""
    return hashlib.sha256(json.dumps(_still(answer), sort_keys=True).encode()).hexdigest()


def _still(value: object) -> object:
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {key: _still(item) for key, item in items if not key.endswith(RESTLESS)}
    if isinstance(value, list):
        return [_still(item) for item in cast("list[object]", value)]
    return value

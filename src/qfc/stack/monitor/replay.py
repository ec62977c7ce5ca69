"""What would have been decided about a recorded history of looks, perhaps within other limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..findings import Result
from .decide import acted, decide
from .model import NOBODY, Decision, Limits, Look, Orders, State


def replayed(
    stack: str, looks: Iterable[Look], limits: Limits, *, orders: Orders = NOBODY
) -> Iterator[tuple[Look, Decision]]:
    """Decide about each look in turn. A repair counts as done at once; whether it helped, the next looks say."""
    state = State()
    for look in looks:
        decision = decide(stack, state, look, orders, limits)
        state = decision.state
        if decision.action is not None:
            state = acted(state, decision.action.id, "Would have been tried.", look.at)
        yield look, replace(decision, state=state)


def is_quiet(look: Look) -> bool:
    """Return whether a look found nothing out of the ordinary: such looks may be thinned."""
    found = any(one.result is not Result.CLEAR for one in look.findings)
    return not found and look.operation is None and not (look.unseen or look.stopped or look.interrupted)

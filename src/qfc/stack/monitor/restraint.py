"""Why a repair is not done: a pause, a lock, an explanation, back-off, the loop breaker."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from .alone import ALONE
from .causes import cause_of
from .model import ALL, Action, Limits, Look, Orders, State, Track

QUARTER_S, HOUR_S, TEN_MINUTES_S = 900.0, 3600.0, 600.0


def hindrance(state: State, look: Look, orders: Orders, limits: Limits) -> str | None:
    """Return why nothing at all may be repaired now; None if it may."""
    if look.is_cut_off:
        return "the monitor's own network is gone"
    if look.unseen is not None:
        return f"nothing can be seen: {look.unseen.rstrip('.')}"
    if look.stopped is not None:
        return look.stopped
    if (pause := orders.paused(look.at)) is not None:
        return f"the monitor is {str(pause).rstrip('.')}"
    if look.operation is not None:
        return str(look.operation)
    if look.interrupted is not None:
        return f"{look.interrupted} was interrupted and has to be finished or undone first"
    if state.now_s < state.settled_s:
        return "an operation has just ended"
    if not limits.heals:
        return "the configuration says that nothing is repaired"
    return None


def is_quiet(look: Look, orders: Orders) -> bool:
    """Return whether what is seen now proves nothing: services may be down on purpose."""
    disturbed = look.operation is not None and look.operation.disturbs
    return disturbed or look.stopped is not None or orders.paused(look.at) is not None


def planned(
    state: State, found: Mapping[str, Track], seen: Container[str], limits: Limits
) -> tuple[State, Action | None, tuple[str, ...]]:
    """Return the repair to do now, if any, and why others are not done. What fails too often is given up.

    `found` are the problems as they were last seen, confirmed or not; repaired is only what this look has `seen`.
    """
    notes: list[str] = []
    for id in (one for one in ALONE if one in found and one in seen and found[one].is_confirmed):
        state, refusal = _refused(state, id, found, limits)
        if refusal is None:
            action = Action(id, f"Repairs {id}: {ALONE[id]}. {found[id].finding.evidence}")
            return state, action, (action.sentence, *notes)
        notes.append(f"Did nothing about {id}, because {refusal}.")
    return state, None, tuple(notes)


def _refused(state: State, id: str, found: Mapping[str, Track], limits: Limits) -> tuple[State, str | None]:
    cause = cause_of(id, found)
    if cause is not None:
        return state, f"{cause} explains it"
    if id in state.given_up or ALL in state.given_up:
        return state, "its repairs were given up; type: qfc monitor resume"
    left = waits_s(state, id, limits)
    if left > 0:
        return state, f"it was repaired a moment ago; the next try is in {left:.0f} s"
    broken = _broken(state, id, limits)
    if broken is None:
        return state, None
    name, sentence = broken
    return replace(state, given_up={**state.given_up, name: sentence}), "its repairs do not last: they are given up"


def waits_s(state: State, id: str, limits: Limits) -> float:
    """Return the seconds until a problem may be repaired again."""
    count, last = 0, state.forgiven.get(id, float("-inf"))
    for one in state.tries:
        if one.id == id and one.at_s > state.forgiven.get(id, float("-inf")):
            count = count + 1 if one.at_s - last < limits.healthy_s else 1
            last = one.at_s
    if not count or state.now_s - last >= limits.healthy_s:
        return 0.0
    return last + min(limits.wait_s * 2 ** (count - 1), limits.longest_wait_s) - state.now_s


def _broken(state: State, id: str, limits: Limits) -> tuple[str, str] | None:
    """Return what is given up, and the sentence about it, if one more repair would be too many."""

    def count(within_s: float, only: str | None) -> int:
        return sum(state.now_s - one.at_s < within_s for one in state.tries if only in (None, one.id))

    for number, within_s, words in (
        (limits.per_quarter, QUARTER_S, "15 minutes"),
        (limits.per_hour, HOUR_S, "an hour"),
    ):
        if count(within_s, id) >= number:
            return id, f"{number} repairs of {id} within {words} did not last."
    if count(TEN_MINUTES_S, None) >= limits.for_all:
        return ALL, f"{limits.for_all} repairs within 10 minutes did not make the stack well."
    return None

"""One look → one decision. Each leaves a sentence with its reason, also when nothing is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..findings import Result
from .alerts import tried, turned
from .alone import ALONE
from .causes import effects_of
from .model import Decision, Limits, Look, Orders, State, Track, Try
from .own import own_findings, with_restarts
from .restraint import HOUR_S, hindrance, is_quiet, planned, waits_s
from .tracks import is_doubtful, tracked, without_doubts

#: Seconds after a repair in which its success is watched closely.
WATCHED_S = 60.0


def decide(stack: str, state: State, look: Look, orders: Orders, limits: Limits) -> Decision:
    """Return what follows from a look: what to repair, what to tell, when to look again."""
    state = _aged(state, look, orders)
    state = _observed(state, look, orders, limits)
    found = {id: one for id, one in state.tracks.items() if one.is_found}
    why = hindrance(state, look, orders, limits)
    if why is None:
        seen = {one.id for one in look.findings if one.result is Result.FOUND}
        state, action, notes = planned(state, found, seen, limits)
    else:
        action, notes = None, (f"Did nothing, because {why}.",)
    turn = turned(stack, state, look, orders, limits)
    notes = notes or (_calm(found),)
    also = tuple(sorted(id for id, one in turn.state.tracks.items() if _is_open(turn.state, id, one)))
    return Decision(
        turn.state, notes, action, turn.message, turn.opened, turn.closed, _next_s(turn.state, limits), also
    )


def acted(state: State, id: str, sentence: str, at: datetime) -> State:
    """Return the state after a repair was tried, with its result in one sentence."""
    tries = (*(one for one in state.tries if state.now_s - one.at_s < HOUR_S), Try(id, state.now_s))
    return tried(replace(state, tries=tries), id, f"{at:%H:%M:%S} {sentence}")


def _aged(state: State, look: Look, orders: Orders) -> State:
    """Return the state at the time of the look; what somebody armed again is as if never given up."""
    state = with_restarts(replace(state, now_s=state.now_s + max(0.0, look.elapsed_s)), look)
    tries = tuple(one for one in state.tries if state.now_s - one.at_s < HOUR_S)
    if orders.armed_at == state.armed_at:
        return replace(state, tries=tries)
    return replace(state, tries=(), given_up={}, armed_at=orders.armed_at)


def _observed(state: State, look: Look, orders: Orders, limits: Limits) -> State:
    """Return the state with what was seen, unless that proves nothing."""
    if look.stopped is not None:
        return replace(state, tracks={}, settled_s=state.now_s + limits.settle_s)
    own = own_findings(state, look, limits)
    if is_quiet(look, orders):
        kept = replace(state, tracks=without_doubts(state), settled_s=state.now_s + limits.settle_s)
        return replace(kept, tracks=tracked(kept, replace(look, is_deep=False), own, limits))
    if state.now_s < state.settled_s or look.unseen is not None:
        return replace(state, tracks=tracked(state, replace(look, is_deep=False), own, limits))
    tracks = tracked(state, look, (*look.findings, *own), limits)
    return replace(state, tracks=tracks, forgiven=_forgiven(state, tracks))


def _forgiven(state: State, tracks: dict[str, Track]) -> dict[str, float]:
    """Return when back-off began again: what a problem depends on has recovered."""
    recovered = [id for id, one in state.tracks.items() if one.is_found and not (id in tracks and tracks[id].is_found)]
    new = {effect: state.now_s for cause in recovered for effect in effects_of(cause)}
    return {id: at for id, at in {**state.forgiven, **new}.items() if state.now_s - at < HOUR_S}


def _calm(found: dict[str, Track]) -> str:
    """Return the sentence of a look after which nothing was to be repaired."""
    confirmed = sorted(id for id, one in found.items() if one.is_confirmed)
    doubtful = sorted(id for id, one in found.items() if not one.is_confirmed)
    if doubtful:
        return f"Did nothing, because {', '.join(doubtful)} is not confirmed yet."
    if confirmed:
        others = [id for id in confirmed if id not in ALONE]
        if others:
            return f"Did nothing, because a person has to repair {', '.join(others)}."
        return f"Did nothing, because {', '.join(confirmed)} could not be examined again."
    return "Did nothing, because all is well."


def _is_open(state: State, id: str, track: Track) -> bool:
    """Return whether the next look may change what is known of a problem: it is asked again, though it is slow.

    A repair may have ended others too, and so may the end of a cause.
    """
    forgiven = state.now_s - state.forgiven.get(id, float("-inf")) < WATCHED_S
    return is_doubtful(track) or id in ALONE or forgiven or _is_fresh(state)


def _is_fresh(state: State) -> bool:
    return any(state.now_s - one.at_s < WATCHED_S for one in state.tries)


def _next_s(state: State, limits: Limits) -> float:
    """Return when to look again: soon while something is in doubt or a repair is fresh, also when one may be tried."""
    doubtful = any(is_doubtful(one) for one in state.tracks.values())
    if doubtful or _is_fresh(state) or state.now_s < state.settled_s:
        return limits.hurry_s
    waits = [left for id in state.tracks if (left := waits_s(state, id, limits)) > 0]
    return min([limits.look_s, *(max(left, limits.hurry_s) for left in waits)])

"""Problems that only who looks again and again can see. They are findings like those of checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ..findings import Finding, Severity, clear, problem
from .model import Limits, Look, State, Try

UNSEEN, CRASH_LOOP, INTERRUPTED = "unseen", "crash-loop", "interrupted"
GAVE_UP, LONG_OPERATION, HISTORY, FAILING = "gave-up", "long-operation", "history", "failing"
#: Seconds in which restarts are counted.
LOOP_S = 600.0


def own_findings(state: State, look: Look, limits: Limits) -> tuple[Finding, ...]:
    """Return the findings of the monitor itself; where nothing could be seen, that alone."""
    if look.is_cut_off:
        return (_gave_up(state),)
    if look.unseen is not None:
        return (_unseen(look), _gave_up(state))
    return (_unseen(look), _gave_up(state), _crash_loop(state, limits), _interrupted(look), _long(look, limits))


def with_restarts(state: State, look: Look) -> State:
    """Return the state with the unrequested restarts since the last look, each service counted once a look."""
    now = state.now_s
    new = tuple(
        Try(name, now)
        for name, count in look.restarts.items()
        for _ in range(max(0, count - state.restarts.get(name, count)))
    )
    kept = tuple(one for one in (*state.restarted, *new) if now - one.at_s < LOOP_S)
    return replace(state, restarted=kept[-100:], restarts={**state.restarts, **look.restarts})


def _unseen(look: Look) -> Finding:
    if look.unseen is None:
        return clear(UNSEEN)
    found = problem(UNSEEN, Severity.CRITICAL, f"Nothing can be seen of the stack: {look.unseen}")
    return replace(found, title="The stack cannot be seen", fix="Check the network and the host; then: qfc status")


def _gave_up(state: State) -> Finding:
    if not state.given_up:
        return clear(GAVE_UP)
    found = problem(GAVE_UP, Severity.CRITICAL, " ".join(state.given_up.values()))
    return replace(found, title="Repairs were given up", fix="Remove the cause; then: qfc monitor resume")


def _crash_loop(state: State, limits: Limits) -> Finding:
    counts = {one.id: sum(other.id == one.id for other in state.restarted) for one in state.restarted}
    loops = [f"{name} {count} times" for name, count in sorted(counts.items()) if count >= limits.crash_loop]
    if not loops:
        return clear(CRASH_LOOP)
    found = problem(CRASH_LOOP, Severity.CRITICAL, f"Restarted in the last 10 minutes: {', '.join(loops)}.")
    return replace(found, title="A service keeps crashing", fix="Read its log: qfc logs --service NAME")


def _interrupted(look: Look) -> Finding:
    if look.interrupted is None or look.operation is not None:
        return clear(INTERRUPTED)
    sentence = f"{look.interrupted} was interrupted; nothing is repaired before somebody finishes or undoes it."
    found = problem(INTERRUPTED, Severity.CRITICAL, sentence)
    return replace(found, title="An operation was interrupted", fix=f"Run it again: qfc {look.interrupted}")


def _long(look: Look, limits: Limits) -> Finding:
    if look.operation is None or _age(look.operation.since, look.at) <= timedelta(seconds=limits.long_operation_s):
        return clear(LONG_OPERATION)
    hours = _age(look.operation.since, look.at).total_seconds() / 3600
    found = problem(LONG_OPERATION, Severity.WARNING, f"{look.operation}, for {hours:.0f} hours.")
    return replace(found, title="An operation takes very long", fix="Ask its operator; see: qfc audit")


def _age(since: datetime, now: datetime) -> timedelta:
    return max(now - since, timedelta(0))

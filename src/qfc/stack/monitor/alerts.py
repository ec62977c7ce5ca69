"""Alerts: opened by confirmed problems, told in groups, repeated rarely, told once when they flap."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..findings import Severity
from .causes import cause_of
from .messages import News, text
from .model import Alert, Limits, Look, Message, Orders, State, Track, Try

#: How much each severity matters; alerts below that of the limits are not opened.
WEIGHT = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


@dataclass(frozen=True)
class Turn:
    """What changed: the new state, the alerts that were opened and closed, a message if one is due."""

    state: State
    opened: tuple[Alert, ...] = ()
    closed: tuple[Alert, ...] = ()
    message: Message | None = None


def turned(stack: str, state: State, look: Look, orders: Orders, limits: Limits) -> Turn:
    """Open, change and close alerts by what is confirmed; compose a message if it is time."""
    confirmed = {id: one for id, one in state.tracks.items() if one.is_confirmed}
    opened = tuple(_opened(one, state, look) for one in _new(confirmed, state, limits))
    withdrawn = tuple(_closed(one, state, look) for one in _explained(confirmed, state))
    over = (one for id, one in state.alerts.items() if one.closed is None and id not in confirmed)
    closed = tuple(_closed(one, state, look) for one in over)
    kept = {id: _renewed(one, confirmed) for id, one in state.alerts.items()}
    alerts = {**kept, **{one.id: one for one in (*opened, *closed)}}
    for one in withdrawn:
        del alerts[one.id]
    state = _with_flips(replace(state, alerts=alerts), tuple(one.id for one in (*opened, *closed)), limits)
    state, message = _told(stack, state, look, orders, limits)
    return Turn(state, opened, (*closed, *withdrawn), message)


def tried(state: State, id: str, sentence: str) -> State:
    """Return the state with the result of a repair."""
    alert = state.alerts.get(id)
    if alert is None:
        return state
    return replace(state, alerts={**state.alerts, id: replace(alert, tried=(*alert.tried, sentence)[-10:])})


def _new(confirmed: Mapping[str, Track], state: State, limits: Limits) -> tuple[Track, ...]:
    """Return the problems that become alerts: serious enough, not explained, not alerts yet."""
    return tuple(
        one
        for id, one in confirmed.items()
        if (id not in state.alerts or state.alerts[id].closed is not None)
        and WEIGHT[one.finding.severity] >= max(WEIGHT[limits.severity], 1)
        and cause_of(id, confirmed) is None
    )


def _opened(track: Track, state: State, look: Look) -> Alert:
    """Return a new alert; it continues one whose end nobody has been told of."""
    before = state.alerts.get(track.finding.id)
    if before is not None:
        return replace(before, finding=track.finding, closed=None, closed_s=None)
    return Alert(track.finding.id, track.finding, min(track.since, look.at), state.now_s)


def _explained(confirmed: Mapping[str, Track], state: State) -> tuple[Alert, ...]:
    """Return the alerts that nobody was told of, and that something else explains by now."""
    untold = (one for id, one in state.alerts.items() if one.told_s is None and one.closed is None and id in confirmed)
    return tuple(one for one in untold if cause_of(one.id, confirmed) is not None)


def _closed(alert: Alert, state: State, look: Look) -> Alert:
    return replace(alert, closed=max(look.at, alert.opened), closed_s=state.now_s)


def _renewed(alert: Alert, confirmed: Mapping[str, Track]) -> Alert:
    track = confirmed.get(alert.id)
    return replace(alert, finding=track.finding) if track is not None and track.is_found else alert


def _with_flips(state: State, changed: Collection[str], limits: Limits) -> State:
    new = (Try(id, state.now_s) for id in changed)
    flips = tuple(one for one in (*state.flips, *new) if state.now_s - one.at_s < limits.flap_s)
    state = replace(state, flips=flips)
    return replace(state, flapping=tuple(id for id in state.flapping if id in _flapping(state, limits)))


def _told(stack: str, state: State, look: Look, orders: Orders, limits: Limits) -> tuple[State, Message | None]:
    """Tell what is new, if it has waited for its group and the last message is long enough ago."""
    state = _without_secret_ends(state, look, orders)
    news = _news(state, look, orders, limits)
    due = any(one.is_due(state.now_s, limits.group_s) for one in news)
    early = state.message_s is not None and state.now_s - state.message_s < limits.message_s
    if not due or early or orders.paused(look.at) is not None:
        return state, None
    told = {one.alert.id: replace(one.alert, told_s=state.now_s) for one in news}
    over = {one.alert.id for one in news if one.kind == "resolved"}
    alerts = {id: one for id, one in {**state.alerts, **told}.items() if id not in over}
    flapping = (*state.flapping, *(one.alert.id for one in news if one.kind == "flapping"))
    return replace(state, alerts=alerts, message_s=state.now_s, flapping=flapping), text(stack, news)


def _without_secret_ends(state: State, look: Look, orders: Orders) -> State:
    """Forget alerts that ended, and that nobody was told of because they were silenced."""
    kept = {
        id: one
        for id, one in state.alerts.items()
        if one.closed is None or one.told_s is not None or orders.silence(id, look.at) is None
    }
    return replace(state, alerts=kept)


def _flapping(state: State, limits: Limits) -> tuple[str, ...]:
    counts = {one.id: sum(other.id == one.id for other in state.flips) for one in state.flips}
    return tuple(id for id, count in counts.items() if count > limits.flips)


def _news(state: State, look: Look, orders: Orders, limits: Limits) -> tuple[News, ...]:
    """Return what there is to tell, also what is not due yet."""
    flapping = _flapping(state, limits)
    news: list[News] = []
    for alert in state.alerts.values():
        if orders.silence(alert.id, look.at) is not None:
            continue
        if alert.id in flapping:
            if alert.id not in state.flapping:
                news.append(News("flapping", alert, state.now_s - limits.group_s))
        elif alert.closed_s is not None:
            news.append(News("resolved", alert, alert.closed_s))
        elif alert.told_s is None:
            track = state.tracks.get(alert.id)
            news.append(News("raised", alert, alert.opened_s, track is not None and track.is_found))
        elif state.now_s - alert.told_s >= limits.repeat_s and not orders.acknowledgement(alert.id, alert.opened):
            news.append(News("still", alert, alert.told_s))
    return tuple(news)

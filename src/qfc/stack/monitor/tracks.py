"""From single looks to confirmed problems: N in a row or N of M confirm one, several clear looks end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..findings import Finding, Result
from ..model import Verdict
from .model import Limits, Look, State, Track
from .own import UNSEEN

#: Looks in a row that confirm these: what restarts by itself gets the time for it, a network its hiccups.
PATIENCE: Mapping[str, int] = {UNSEEN: 5, "A17": 3, "A11-other": 3, "D11-few": 3, "D12": 3, "D12-away": 3}


def tracked(state: State, look: Look, findings: Iterable[Finding], limits: Limits) -> dict[str, Track]:
    """Return what is known of each problem after a look. What could not be examined stays as it was."""
    tracks = dict(state.tracks)
    seen = {one.id: one for one in findings}
    for id, finding in seen.items():
        if _counts(finding):
            tracks[id] = _found(tracks.get(id), finding, state.now_s, look, limits)
        elif id in tracks and finding.result is Result.CLEAR:
            tracks[id] = _cleared(tracks[id], state.now_s, limits)
    if look.is_deep and look.unseen is None:
        for id in tracks.keys() - seen.keys():
            tracks[id] = _cleared(tracks[id], state.now_s, limits)  # No check asks for it any more.
    return {id: one for id, one in tracks.items() if any(one.recent)}


def without_doubts(state: State) -> dict[str, Track]:
    """Return only what was confirmed: looks before and after an operation do not add up."""
    return {id: one for id, one in state.tracks.items() if one.is_confirmed}


def is_doubtful(track: Track) -> bool:
    """Return whether the next look may change what is thought of a problem."""
    return track.is_found is not track.is_confirmed


def _counts(finding: Finding) -> bool:
    return finding.result in (Result.FOUND, Result.FAILED) and finding.verdict in (Verdict.DOWN, Verdict.DEGRADED)


def _found(before: Track | None, finding: Finding, now_s: float, look: Look, limits: Limits) -> Track:
    track = before or Track(finding, look.at, now_s)
    recent = (*track.recent, True)[-max(limits.of, _patience(finding.id, limits)) :]
    confirmed = track.is_confirmed or _is_enough(finding.id, recent, limits)
    return replace(track, finding=finding, recent=recent, is_confirmed=confirmed, clear_since_s=None)


def _is_enough(id: str, recent: tuple[bool, ...], limits: Limits) -> bool:
    needed = _patience(id, limits)
    in_row = len(recent) >= needed and all(recent[-needed:])
    return in_row or sum(recent[-limits.of :]) >= max(limits.some, min(needed, limits.of))


def _patience(id: str, limits: Limits) -> int:
    return PATIENCE.get(id, limits.in_row)


def _cleared(track: Track, now_s: float, limits: Limits) -> Track:
    since = now_s if track.clear_since_s is None else track.clear_since_s
    recent = (*track.recent, False)[-max(limits.of, len(track.recent)) :]
    row = recent[-limits.clear_in_row :]
    over = len(row) == limits.clear_in_row and not any(row) and now_s - since >= limits.clear_s
    if track.is_confirmed and over:
        return replace(track, recent=(), is_confirmed=False)
    if track.is_confirmed and not any(recent):
        recent = (True, *recent[1:])  # Still confirmed: it has not been clear for long enough.
    return replace(track, recent=recent, clear_since_s=since)

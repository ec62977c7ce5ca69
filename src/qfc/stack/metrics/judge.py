"""Good, warning or bad: measurements by the operator's thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .sample import Sample


class Grade(StrEnum):
    """How good a value is; unknown if there was nothing to measure."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Thresholds:
    """From which values on something is no longer good, and bad. Durations are medians, rates per cent."""

    queue_warning: int = 5
    queue_bad: int = 10
    queue_bad_minutes: int = 30
    success_warning: int = 90
    success_bad: int = 80
    duration_warning_s: int = 120
    duration_bad_s: int = 240


@dataclass(frozen=True)
class Judged:
    """One value with its grade, and why in one sentence."""

    name: str
    grade: Grade
    sentence: str


def judge(now: Sample, history: Sequence[Sample], limits: Thresholds) -> tuple[Judged, ...]:
    """Judge the present measurement; `history` are earlier ones, the oldest first."""
    return (_queue(now, history, limits), _success(now, limits), _duration(now, limits))


def _queue(now: Sample, history: Sequence[Sample], limits: Thresholds) -> Judged:
    """A long queue is bad only if it lasts: every look of that time has to show it."""
    if now.queue < limits.queue_warning:
        return Judged("queue", Grade.GOOD, f"{now.queue} jobs wait, fewer than {limits.queue_warning}.")
    if now.queue <= limits.queue_bad:
        return Judged("queue", Grade.WARNING, f"{now.queue} jobs wait; {limits.queue_warning} or more are many.")
    if _lasts(now, history, limits):
        lasting = f"for {limits.queue_bad_minutes} minutes"
        return Judged("queue", Grade.BAD, f"More than {limits.queue_bad} jobs have waited {lasting}, now {now.queue}.")
    return Judged(
        "queue", Grade.WARNING, f"{now.queue} jobs wait; more than {limits.queue_bad} are too many if it lasts."
    )


def _lasts(now: Sample, history: Sequence[Sample], limits: Thresholds) -> bool:
    begin = now.at - timedelta(minutes=limits.queue_bad_minutes)
    before = [one for one in history if one.at <= begin]
    looks = [*before[-1:], *(one for one in history if begin < one.at <= now.at)]
    is_watched = bool(before) and before[-1].at >= begin - timedelta(minutes=limits.queue_bad_minutes)
    return is_watched and all(one.queue > limits.queue_bad for one in looks)


def _success(now: Sample, limits: Thresholds) -> Judged:
    if now.success_rate is None:
        return Judged("success", Grade.UNKNOWN, "No job has ended in the last hour.")
    percent = now.success_rate * 100
    sentence = f"{percent:.0f} % of the jobs of the last hour succeeded."
    if percent > limits.success_warning:
        return Judged("success", Grade.GOOD, sentence)
    return Judged("success", Grade.WARNING if percent > limits.success_bad else Grade.BAD, sentence)


def _duration(now: Sample, limits: Thresholds) -> Judged:
    if now.run_p50_s is None:
        return Judged("duration", Grade.UNKNOWN, "No job has finished in the last hour.")
    sentence = f"Half of the jobs of the last hour took {now.run_p50_s:.0f} s or less."
    if now.run_p50_s < limits.duration_warning_s:
        return Judged("duration", Grade.GOOD, sentence)
    return Judged("duration", Grade.WARNING if now.run_p50_s < limits.duration_bad_s else Grade.BAD, sentence)

"""How far predictions can be trusted: the last day, predicted from the days before, beside what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .history import DAY_S, History, PastJob, quantile
from .resampling import as_load
from .simulation import waits
from .takeover import Pickup, pickup

#: A prediction that is off by less than either of these can be trusted.
TRUSTED_SHARE, TRUSTED_S = 0.25, 2.0
#: Fewer jobs on the last day, or before it, prove nothing.
FEWEST_JOBS = 30
#: Draws of the service times, and fewer of them where so many jobs have been simulated: chance is small then.
ROUNDS, FEWEST_ROUNDS, MOST_SIMULATED = 21, 5, 100_000


@dataclass(frozen=True)
class Backtest:
    """p95 of the wait on the last day in seconds, predicted and observed. `error` is relative to what was observed.

    `trusted` is None, with the reason in `why`, where it could not be tried.
    """

    predicted_p95_s: float | None
    observed_p95_s: float | None
    error: float | None
    trusted: bool | None
    why: str


def backtest(history: History, workers: int, *, poll_s: float = 0.0) -> Backtest:
    """Predict the last day: its arrivals, with service times of the days before, and today's number of workers."""
    cut = history.end_s - min(DAY_S, history.seconds / 2)
    before, last = history.between(history.begin_s, cut), history.between(cut, history.end_s)
    if min(len(before.jobs), len(last.jobs)) < FEWEST_JOBS:
        return Backtest(None, None, None, None, f"Fewer than {FEWEST_JOBS} jobs on the last day, or before it.")
    observed = quantile(sorted(job.wait_s for job in last.jobs), 0.95)
    rounds = min(max(MOST_SIMULATED // len(last.jobs), FEWEST_ROUNDS), ROUNDS)
    return _judged(sorted(predicted_p95s(before, last, workers, poll_s, rounds)), observed, workers)


def _judged(rounds: Sequence[float], observed: float, workers: int) -> Backtest:
    """Compare: a day's p95 is that of a few slow jobs, so what the rounds themselves differ by is no error."""
    predicted = quantile(rounds, 0.5)
    off = abs(predicted - observed)
    error = off / observed if observed > 0 else None
    by_chance = rounds[0] <= observed <= rounds[-1]
    trusted = by_chance or off <= TRUSTED_S or off <= TRUSTED_SHARE * observed
    why = "" if trusted else (
        f"The last day's waits are not explained by its jobs and {workers} workers: "
        + ("jobs waited longer than they should have. Workers were stopped, busy elsewhere, or fewer than now."
           if predicted < observed else "there were more workers than now, or jobs were faster than usual.")
    )  # fmt: skip
    return Backtest(predicted, observed, error, trusted, why)


def predicted_p95s(before: History, last: History, workers: int, poll_s: float, rounds: int) -> list[float]:
    """Return p95 of the wait of the jobs of `last`, in seconds, with service times drawn from `before`, each round."""
    known, habit = _services(before), pickup(before, poll_s)
    return [_predicted_p95(known, last, workers, habit, Random(seed)) for seed in range(rounds)]


def _predicted_p95(
    known: dict[tuple[str, str], list[float]], last: History, workers: int, habit: Pickup, random: Random
) -> float:
    jobs = [(job.created_s - last.begin_s, random.choice(_like(known, job)), job.project) for job in last.jobs]
    load, _ = as_load(jobs, last.seconds)
    return quantile(sorted(waits(load, workers, poll_s=habit.poll_s, takeover_s=habit.takeover_s)), 0.95)


def _services(history: History) -> dict[tuple[str, str], list[float]]:
    """Return service times by project and type, by type alone (project ""), and of all jobs (both "")."""
    known: dict[tuple[str, str], list[float]] = {}
    for job in history.jobs:
        for key in ((job.project, job.type), ("", job.type), ("", "")):
            known.setdefault(key, []).append(job.service_s)
    return known


def _like(known: dict[tuple[str, str], list[float]], job: PastJob) -> list[float]:
    """Return the service times of the jobs that are most like one."""
    return known.get((job.project, job.type)) or known.get(("", job.type)) or known[("", "")]

"""How fast the work grows, as far as a few weeks can show it."""

from __future__ import annotations

from math import sqrt

from .history import History

#: A shorter history shows no trend: a week is not like the next.
SHORTEST_DAYS = 14.0
#: A difference between both halves that is less than so many standard deviations of a count is chance.
SIGNIFICANT = 2.0
#: Weeks of doubling do not go on for months.
MOST_GROWTH = 10.0


def growth_per_day(history: History) -> float | None:
    """Return the factor by which the work grows in a day: 1 where it does not, None where that is not known.

    The jobs of both halves of the period are counted, and taken as Poisson distributed.
    """
    if history.days < SHORTEST_DAYS or not history.jobs:
        return None
    middle = history.begin_s + history.seconds / 2
    before = sum(job.created_s < middle for job in history.jobs)
    after = len(history.jobs) - before
    if not before or abs(after - before) < SIGNIFICANT * sqrt(before + after):
        return 1.0
    return (after / before) ** (2 / history.days)


def growth_in(per_day: float, days: float) -> float:
    """Return the factor after some days, at most tenfold."""
    return min(per_day**days, MOST_GROWTH)

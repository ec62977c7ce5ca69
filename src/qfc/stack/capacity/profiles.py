"""How often people in the field synchronise: light, moderate and heavy use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """A way to work. A person synchronises every `every_s` seconds on average, at moments independent of others."""

    name: str
    every_s: float


LIGHT = Profile("light", 3600.0)
MODERATE = Profile("moderate", 1200.0)
HEAVY = Profile("heavy", 300.0)
PROFILES = {profile.name: profile for profile in (LIGHT, MODERATE, HEAVY)}


def shares(people: int, projects: int) -> tuple[int, ...]:
    """Return how many people work on each project, the largest first: in proportion 1, 1/2, 1/3, … (Zipf).

    Every project has at least one person; there are no more projects than people.
    """
    number = max(min(people, projects), 1)
    weights = [1 / (rank + 1) for rank in range(number)]
    exact = [1 + (people - number) * weight / sum(weights) for weight in weights]
    given = [int(share) for share in exact]
    by_rest = sorted(range(number), key=lambda rank: given[rank] - exact[rank])
    for rank in by_rest[: people - sum(given)]:
        given[rank] += 1
    return tuple(given)

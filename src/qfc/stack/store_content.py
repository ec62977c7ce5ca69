"""Whose deleted files a store still holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from .model import StoreContent

#: How many projects are listed.
MOST = 10
GONE, OTHERS = "deleted project {}", "other projects"


def most_deleted(
    contents: Iterable[StoreContent], names: Callable[[Sequence[str]], Mapping[str, str]]
) -> list[tuple[str, int]]:
    """Return the projects with the most bytes of deleted files, the largest first, and the sum of all others."""
    sums: Counter[str] = Counter()
    for content in contents:
        sums.update({one.project_id: one.deleted for one in content.projects if one.deleted})
    first = sums.most_common(MOST)
    known = names([id for id, _ in first])
    listed = [(known.get(id) or GONE.format(id[:8]), size) for id, size in first]
    rest = sum(sums.values()) - sum(size for _, size in first)
    return [*listed, (OTHERS, rest)] if rest else listed

"""How far long work has come: what is being done, how many parts are done, how many there are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Progress = Callable[[str, int, int], None]
Item = TypeVar("Item")


def no_progress(what: str, done: int, total: int) -> None:
    """Report nothing."""


def counted(items: Sequence[Item], what: str, progress: Progress) -> Iterator[Item]:
    """Yield the items; report each when the next one is asked for."""
    for number, item in enumerate(items, start=1):
        yield item
        progress(what, number, len(items))

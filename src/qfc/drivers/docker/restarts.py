"""The number of automatic restarts of containers, and of kills for lack of memory.

The engine counts restarts too, but resets the count when somebody restarts the container by hand; and kills inside a
container only count until it ends. So the counts are remembered on this machine, by the container's name; a recreated
container starts at 0. Other events between two snapshots are missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..local_cache import keep
from .containers import Container


@dataclass(frozen=True)
class Past:
    """The record of a container: totals, and the engine's own figures in the last snapshot."""

    id: str = ""
    started_at: str = ""
    restarts: int = 0
    oom_kills: int = 0
    counted_restarts: int = 0
    counted_kills: int = 0


def remembered(past: Past, container: Container, kills: int | None) -> Past:
    """Return the record after another snapshot. `kills` is the kernel's count for the present run."""
    began = container.started_at.isoformat() if container.started_at else ""
    killed = max(kills or 0, int(container.oom_killed))
    if past.id != container.id:
        return Past(container.id, began, container.restart_count, killed, container.restart_count, killed)
    # Within one run the count only grows; a smaller one means that the kernel no longer reports it.
    counted = past.counted_kills if began == past.started_at else 0
    killed = max(killed, counted)
    return Past(
        container.id,
        began,
        past.restarts + _since(past.counted_restarts, container.restart_count),
        past.oom_kills + killed - counted,
        container.restart_count,
        killed,
    )


def _since(before: int, now: int) -> int:
    """Return the growth of a counter; one that is smaller than before was reset."""
    return now - before if now >= before else now


class RestartHistory:
    """The file with the records."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, seen: Iterable[tuple[Container, int | None]]) -> Mapping[str, Past]:
        """Record containers with the kernel's count of kills; return the record of each by its name."""
        before = self._read()
        after = {one.name: remembered(before.get(one.name, Past()), one, kills) for one, kills in seen}
        if after != before:
            keep(self._path, json.dumps({name: asdict(one) for name, one in after.items()}))
        return after

    def _read(self) -> dict[str, Past]:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            document: dict[str, dict[str, Any]] = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: Past(**values) for name, values in document.items()}
        return {}

"""How often containers were started again by themselves, and killed for lack of memory.

The engine counts restarts too, but forgets them when somebody restarts the container once by hand; and kills inside a
container only count until it ends. So what was seen is remembered here, on this machine, by the container's name; a
container that is made anew begins anew. What happened and ended between two looks beyond that is not seen.
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
    """What is known of a container: totals, and the engine's own figures when it was last looked at."""

    id: str = ""
    started_at: str = ""
    restarts: int = 0
    oom_kills: int = 0
    counted_restarts: int = 0
    counted_kills: int = 0


def remembered(past: Past, container: Container, kills: int | None) -> Past:
    """Return what is known after another look. `kills` is the kernel's count for the present run."""
    began = container.started_at.isoformat() if container.started_at else ""
    killed = max(kills or 0, int(container.oom_killed))
    if past.id != container.id:
        return Past(container.id, began, container.restart_count, killed, container.restart_count, killed)
    # Within one run the count only grows; where it is less, the kernel no longer tells.
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
    """Return how much a counter grew; one that is smaller than before began anew."""
    return now - before if now >= before else now


class RestartHistory:
    """The file in which it is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, seen: Iterable[tuple[Container, int | None]]) -> Mapping[str, Past]:
        """Take note of containers with the kernel's count of kills; return what is known of each by its name."""
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

"""Apply an edit exactly once to a source that cannot take part in the job's transaction.

Files become visible together with the outcomes of the deltas. An external database commits before; if the worker dies
in between, another one gets the same deltas again. So the database remembers them, in the transaction of the edits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from .applying import Applied

_BEFORE = "It was applied by an earlier job, which was interrupted before it could report that."


@runtime_checkable
class Remembering(Protocol):
    """A Store that remembers applied deltas."""

    @property
    def forgets(self) -> str:
        """Why it cannot remember deltas, so that they may be applied twice; empty if it can."""
        ...

    def claim(self, delta_id: str) -> str | None:
        """Remember the delta. If it was remembered before, return the key of its feature, else None."""
        ...

    def note_key(self, delta_id: str, key: str) -> None:
        """Remember the key of the feature, too."""
        ...

    def edit(self) -> AbstractContextManager[None]:
        """Return a context that undoes everything in it, the claim included, if it fails."""
        ...


def apply_once(store: object, delta_id: str, apply: Callable[[], Applied]) -> Applied:
    """Apply an edit unless the store remembers it. Raises what `apply` raises, and RefusedError."""
    if not isinstance(store, Remembering):
        return apply()
    with store.edit():
        known = store.claim(delta_id)
        if known is not None:
            return Applied(known, note=_BEFORE)
        applied = apply()
        store.note_key(delta_id, applied.key)
    return replace(applied, note=store.forgets)

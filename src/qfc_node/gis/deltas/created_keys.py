"""Keys of features that devices created: the device continues to use its own key, the source has another one."""

from __future__ import annotations

from ..port import PkMap
from .content import Edit


class CreatedKeys:
    """The keys from earlier runs and from this one. For a delta without a local key, its `sourcePk` counts."""

    def __init__(self, known: PkMap) -> None:
        self._keys = dict(known)
        self._gone: set[tuple[str, str, str]] = set()

    def created(self, edit: Edit, key: str) -> None:
        """Record the key that the source gave to the feature."""
        if edit.local_key:
            self._keys[edit.identity] = key
            self._gone.discard(edit.identity)

    def gone(self, edit: Edit) -> None:
        """Record that the feature was refused or deleted, so that later edits do not change another with its key."""
        if edit.local_key:
            self._gone.add(edit.identity)
            self._keys.pop(edit.identity, None)

    def is_mapped(self, edit: Edit) -> bool:
        """Whether the device created the feature, so that its own key means nothing in the source."""
        return edit.identity in self._keys

    def source_key(self, edit: Edit) -> str | None:
        """Return the key of the feature in the source; None if the source has no such feature."""
        if edit.identity in self._gone:
            return None
        return self._keys.get(edit.identity) or edit.source_key

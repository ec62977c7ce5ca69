"""Which key a feature got that a device created: the device goes on calling it by its own."""

from __future__ import annotations

from ..port import PkMap
from .content import Edit


class CreatedKeys:
    """What earlier runs know, and what this one adds. A delta that does not say its own key is taken at its word."""

    def __init__(self, known: PkMap) -> None:
        self._keys = dict(known)
        self._gone: set[tuple[str, str, str]] = set()

    def created(self, edit: Edit, key: str) -> None:
        """The source took the feature under that key."""
        if edit.local_key:
            self._keys[edit.identity] = key
            self._gone.discard(edit.identity)

    def gone(self, edit: Edit) -> None:
        """The source did not take the feature, or let it go: later edits must not fall on another of its key."""
        if edit.local_key:
            self._gone.add(edit.identity)
            self._keys.pop(edit.identity, None)

    def is_mapped(self, edit: Edit) -> bool:
        """Whether the device created the feature, so that its own key means nothing in the source."""
        return edit.identity in self._keys

    def source_key(self, edit: Edit) -> str | None:
        """The key of the feature in the source; None when there is no such feature."""
        if edit.identity in self._gone:
            return None
        return self._keys.get(edit.identity) or edit.source_key

"""The project's own entries (`<properties>`): `scope/key` → value, in both forms that QGIS writes.

The older form has one element per key, `<qfieldsync><attachmentDirs type="QStringList">…`. The newer form is the same
tree of `<properties name="…">` elements.
"""

from __future__ import annotations

from . import qgs_xml
from .qgs_xml import Element


class ProjectEntries:
    """Entries of a project; changes are written directly to the XML."""

    def __init__(self, root: Element) -> None:
        self._root = root

    def text(self, scope: str, key: str, default: str = "") -> str:
        """Return the value of an entry as text."""
        element = self._find(scope, key)
        return default if element is None else (element.text or "").strip()

    def texts(self, scope: str, key: str) -> list[str] | None:
        """Return the value of a list entry; None if it is unset."""
        element = self._find(scope, key)
        if element is None:
            return None
        return [(value.text or "").strip() for value in element.findall("value")]

    def number(self, scope: str, key: str, default: int) -> int:
        """Return the value of a numeric entry."""
        try:
            return int(float(self.text(scope, key, str(default))))
        except ValueError:
            return default

    def flag(self, scope: str, key: str, default: bool = False) -> bool:
        """Return the value of a yes/no entry, which QGIS plugins write as `true`, `1` or `2` (a checked box)."""
        text = self.text(scope, key).lower()
        return text not in ("0", "false") if text else default

    def set_text(self, scope: str, key: str, value: str, type_name: str = "QString") -> None:
        """Set an entry."""
        element = self._step(self._step(self._top(), scope), key)
        element.text = value
        element.set("type", type_name)

    def set_flag(self, scope: str, key: str, value: bool) -> None:
        """Set a yes/no entry."""
        self.set_text(scope, key, "true" if value else "false", "bool")

    def _top(self) -> Element:
        return qgs_xml.child(self._root, "properties")

    def _find(self, scope: str, key: str) -> Element | None:
        element = self._root.find("properties")
        for name in (scope, *key.strip("/").split("/")):
            element = None if element is None else _named(element, name)
        return element

    def _step(self, parent: Element, name: str) -> Element:
        found = _named(parent, name)
        if found is not None:
            return found
        if self._top().get("name") is not None:
            return qgs_xml.add(parent, "properties", {"name": name})
        return qgs_xml.add(parent, name)


def _named(parent: Element, name: str) -> Element | None:
    found = (child for child in parent if child.tag == name or child.get("name") == name)
    return next(found, None)

"""The `<customproperties>` of a layer, in both forms that QGIS writes.

Since QGIS 3.20 they are an `<Option type="Map">` of typed options; before that, one `<property>` each.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from . import qgs_xml
from .qgs_xml import Element

PropertyValue = str | list[str]


class CustomProperties(MutableMapping[str, PropertyValue]):
    """The custom properties of one layer. Changes are written directly to the XML, in its existing form."""

    def __init__(self, owner: Element) -> None:
        self._owner = owner

    def __getitem__(self, key: str) -> PropertyValue:
        element = self._find(key)
        if element is None:
            raise KeyError(key)
        return _value(element)

    def __setitem__(self, key: str, value: PropertyValue) -> None:
        if key in self:
            del self[key]
        if self._is_old_form():
            _write_old(self._container(), key, value)
        else:
            _write_new(self._map(), key, value)

    def __delitem__(self, key: str) -> None:
        element = self._find(key)
        if element is None:
            raise KeyError(key)
        qgs_xml.remove(element)

    def __iter__(self) -> Iterator[str]:
        return (element.get("name") or element.get("key") or "" for element in self._elements())

    def __len__(self) -> int:
        return len(self._elements())

    def text(self, key: str) -> str | None:
        """Return the value as text; None if the property is unset or empty."""
        value = self.get(key)
        return value if isinstance(value, str) and value else None

    def set_flag(self, key: str, value: bool) -> None:
        """Set a property that QGIS reads as a boolean."""
        self[key] = "true" if value else "false"
        element = self._find(key)
        if element is not None and element.tag == "Option":
            element.set("type", "bool")

    def _container(self) -> Element:
        return qgs_xml.child(self._owner, "customproperties")

    def _is_old_form(self) -> bool:
        return self._owner.find("customproperties/property") is not None

    def _elements(self) -> list[Element]:
        container = self._owner.find("customproperties")
        if container is None:
            return []
        return container.findall("property") + container.findall("Option/Option")

    def _find(self, key: str) -> Element | None:
        found = (element for element in self._elements() if key in (element.get("name"), element.get("key")))
        return next(found, None)

    def _map(self) -> Element:
        option = qgs_xml.child(self._container(), "Option")
        option.set("type", "Map")
        return option


def _value(element: Element) -> PropertyValue:
    items = [item.get("value") or "" for item in element.findall("Option")] or [
        item.text or "" for item in element.findall("value")
    ]
    is_list = items or "List" in (element.get("type") or "")
    return items if is_list else element.get("value") or ""


def _write_new(parent: Element, key: str, value: PropertyValue) -> None:
    if isinstance(value, str):
        qgs_xml.add(parent, "Option", {"type": "QString", "value": value, "name": key})
        return
    option = qgs_xml.add(parent, "Option", {"type": "List", "name": key})
    for item in value:
        qgs_xml.add(option, "Option", {"type": "QString", "value": item})


def _write_old(parent: Element, key: str, value: PropertyValue) -> None:
    if isinstance(value, str):
        qgs_xml.add(parent, "property", {"key": key, "value": value})
        return
    element = qgs_xml.add(parent, "property", {"key": key})
    for item in value:
        qgs_xml.add(element, "value", text=item)

"""Find and remove passwords in a project: in the addresses of layers, and wherever QGIS repeats these addresses.

QGIS writes an address into the layer, the layer tree, relations, widgets, layouts and virtual layers (there
percent-encoded). All of them are texts of the form `dbname='x' user='y' password='z' …`, or URLs.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from . import qgs_xml
from .project import Project
from .qgs_xml import Element

_PASSWORD = re.compile(
    r"""(?P<before>^|[\s?&;|:,])(?:password|passwd|pwd)=(?:'(?:[^'\\]|\\.)*'|"[^"]*"|[^\s&;|,'"]*)[&;]?""",
    re.IGNORECASE | re.DOTALL,
)
_ENCODED = re.compile(
    r"(?:%20|\+)?(?:password|passwd|pwd)%3D(?:%27(?:%5C%5C|%5C%27|(?!%27)[^&])*%27|(?:(?!%20|%26|%7C)[^&:])*)",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?P<before>://[^/@\s:]*):[^/@\s]*@")
#: An address starts with a parameter, a provider or a protocol, and names a server; expressions do not.
_ADDRESS = re.compile(r"\s*(?:\w+=|\?|\w+:|/vsi\w+/)")
_SERVER = re.compile(r"\b(?:dbname|service|host|server|user|username|uid|url|layer|table)=|://", re.IGNORECASE)
_FILTER = re.compile(r"\ssql=", re.IGNORECASE)
_HINT = re.compile(rb"password|passwd|pwd|://[^/@\s:\"'<>]*:[^/@\s\"'<>]*@", re.IGNORECASE)


def has_password(address: str) -> bool:
    """Whether the address of a layer contains a password."""
    return without_password(address) != address


def without_password(address: str) -> str:
    """Return the address of a layer without its password; other texts stay as they are."""
    if not (_ADDRESS.match(address) and _SERVER.search(address)):
        return address
    found = _FILTER.search(address)
    end = found.start() if found else len(address)
    head = _ENCODED.sub("", _PASSWORD.sub(lambda found: found["before"].strip(), address[:end]))
    return _USER_INFO.sub(r"\g<before>@", head) + address[end:]


def contains_password(root: Element) -> bool:
    """Whether an address in a project's XML contains a password."""
    texts = (text for element in root.iter("*") for text in (element.text or "", *map(str, element.attrib.values())))
    return any(without_password(text) != text for text in texts)


def remove_passwords(project: Project, kept: Collection[str]) -> None:
    """Remove the passwords from all addresses in a project, except from the addresses in `kept`."""
    if not _HINT.search(qgs_xml.serialize(project.root)):
        return
    for element in project.root.iter("*"):
        _clean(element, kept)


def _clean(element: Element, kept: Collection[str]) -> None:
    if element.text and element.text.strip() not in kept:
        element.text = without_password(element.text)
    for name, value in ((str(name), str(value)) for name, value in element.items()):
        if value.strip() not in kept:
            element.set(name, without_password(value))

"""Read and change project XML: the only module that uses lxml's types directly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from .port import InvalidProjectFileError

# lxml's name of the type of its public elements.
Element = etree._Element  # pyright: ignore[reportPrivateUsage]

_DECLARED = re.compile(rb"""\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS = ("utf-8", "us-ascii", "ascii", "utf-16")
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DOCTYPE = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def parse(content: bytes, name: str) -> Element:
    """Return the root `<qgis>` of a project. `name` is for messages. Raises InvalidProjectFileError."""
    content = _as_utf8(content, name)
    if b"<!ENTITY" in content:
        raise InvalidProjectFileError(f"'{name}' declares XML entities; QGIS never does. It was not read.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        # The parser must not read by another encoding than this check did.
        encoding="utf-8",
        dtd_validation=False,
        remove_comments=True,
        # Pictures embedded in attributes may exceed lxml's limit of 10 MB, which is for entities; these are refused.
        huge_tree=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise InvalidProjectFileError(f"'{name}' is not valid XML: {error.msg}.") from error
    if root.tag != "qgis":
        raise InvalidProjectFileError(f"'{name}' is not a QGIS project: its XML begins with <{root.tag}>.")
    return root


def _as_utf8(content: bytes, name: str) -> bytes:
    """Return the file in UTF-8. Raises InvalidProjectFileError if it is in an encoding that QGIS never writes."""
    declared = _DECLARED.match(content)
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    if encoding not in _ENCODINGS and not encoding.startswith(("iso-8859-", "windows-125")):
        raise InvalidProjectFileError(f"'{name}' is in the encoding {encoding[:20]}; save the project in UTF-8.")
    try:
        return content if encoding == "utf-8" else content.decode(encoding).encode()
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidProjectFileError(f"'{name}' is not valid XML: it is not in the encoding {encoding}.") from error


def serialize(root: Element) -> bytes:
    """Return the file's bytes, with the document type that QGIS writes."""
    return _DOCTYPE + etree.tostring(root, encoding="utf-8") + b"\n"


def text_of(element: Element | None, path: str = "") -> str:
    """Return the text of the element (or of the one at `path` below it), stripped; empty without one."""
    found = element.find(path) if element is not None and path else element
    return (found.text or "").strip() if found is not None else ""


def add(parent: Element, tag: str, attributes: dict[str, str] | None = None, text: str | None = None) -> Element:
    """Add a last child and return it."""
    child = etree.SubElement(parent, tag, {name: _writable(value) for name, value in (attributes or {}).items()})
    child.text = None if text is None else _writable(text)
    return child


def child(parent: Element, tag: str) -> Element:
    """Return the first child of that name; create it if it is missing."""
    found = parent.find(tag)
    return found if found is not None else add(parent, tag)


def set_text(parent: Element, tag: str, text: str) -> None:
    """Set the text of the child of that name."""
    child(parent, tag).text = _writable(text)


def _writable(text: str) -> str:
    """Return a text without the characters that no XML can contain; names in data may have them."""
    return _UNWRITABLE.sub("\ufffd", text)


def remove(element: Element) -> None:
    """Remove the element from its parent."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def children(parent: Element | None, tag: str) -> Iterator[Element]:
    """Return the children of that name; none without a parent."""
    return iter(()) if parent is None else iter(parent.findall(tag))

"""What the text of a value in an `.env` file means to Compose v2: quotes, escapes and references to other values."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\",
            "$": "$$"}  # fmt: skip
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|(?P<brace>\{))", re.ASCII)
# The inside of the braces: the name, and what to do where it is not set (`:` also where it is empty).
_BRACED = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-+?])(?P<word>.*))?", re.ASCII | re.DOTALL)


class TemplateError(ValueError):
    """A reference that Compose refuses."""


def value_of(written: str, known: Mapping[str, str]) -> str:
    """Return the meaning of a value as written; `known` are the values above it. Raises TemplateError."""
    if written.startswith("'"):
        return written[1:-1].replace("\\'", "'")
    if written.startswith('"'):
        written = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), written[1:-1], flags=re.DOTALL)
    return _filled_in(written, known)


def _filled_in(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its references replaced."""
    parts: list[str] = []
    at = 0
    while found := _REFERENCE.search(text, at):
        parts.append(text[at : found.start()])
        at = found.end()
        if found["brace"]:
            inside = _inside(text, at)
            at += len(inside) + 1
            parts.append(_replacement(inside, known))
        else:
            parts.append("$" if found["dollar"] else known.get(found["name"], ""))
    return "".join([*parts, text[at:]])


def _inside(text: str, begin: int) -> str:
    """Return the text up to the closing brace; braces in it come in pairs."""
    depth = 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[begin:at]
    raise TemplateError("a brace is not closed")


def _replacement(inside: str, known: Mapping[str, str]) -> str:
    """Return what `${inside}` stands for."""
    found = _BRACED.fullmatch(inside)
    if found is None:
        raise TemplateError("what stands in braces behind a $ is not a reference")  # it may be part of a secret
    value, how, word = known.get(found["name"]), found["how"] or "", found["word"] or ""
    is_set = value is not None and (value != "" or ":" not in how)
    if "+" in how:
        return _filled_in(word, known) if is_set else ""
    if is_set or not how:
        return value or ""
    if "?" in how:
        raise TemplateError(f"{found['name']} is required, but has no value")
    return _filled_in(word, known)

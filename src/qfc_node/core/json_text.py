"""JSON that PostgreSQL can store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast


def is_storable(value: Any) -> bool:
    """Whether no text of the value contains NUL or lone surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text or not _has_nul(value)


def storable(text: str) -> str:
    """Return the text with all characters replaced that cannot be stored."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def made_storable(value: Any) -> Any:
    """Return the value with all characters replaced that cannot be stored, in all its texts."""
    return _mapped(value, storable)


def without_nul(value: Any) -> Any:
    """Return the value without NUL in its texts; each half surrogate pair becomes the replacement character."""
    return _mapped(value, _decent)


def _decent(text: str) -> str:
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, Any], value)
        return {change(name): _mapped(item, change) for name, item in pairs.items()}
    return [_mapped(item, change) for item in cast(list[Any], value)] if isinstance(value, list) else value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, Any], value)
        return any("\0" in name or _has_nul(item) for name, item in pairs.items())
    return isinstance(value, list) and any(_has_nul(item) for item in cast(list[Any], value))

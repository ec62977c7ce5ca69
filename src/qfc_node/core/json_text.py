"""What of JSON a PostgreSQL database can keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast


def is_storable(value: Any) -> bool:
    """Whether the value has neither NUL nor lone surrogates in any text of it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text or not _has_nul(value)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, Any], value)
        return any("\0" in name or _has_nul(item) for name, item in pairs.items())
    return isinstance(value, list) and any(_has_nul(item) for item in cast(list[Any], value))

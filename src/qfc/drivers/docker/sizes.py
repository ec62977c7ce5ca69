"""Sizes in the engine's notation: 1.5GB, 712.1MB, 27.88kB, 1e+03kB, 0B."""

from __future__ import annotations

import re

UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d[\d.]*(?:e\+\d+)?)\s*([kKMGT]?B)")


def size_bytes(text: str) -> int | None:
    """Return the bytes of a size; None for anything else, such as N/A."""
    found = _SIZE.match(text.strip())
    return round(float(found[1]) * UNITS[found[2]]) if found else None

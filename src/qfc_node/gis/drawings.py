"""DXF drawings whose blocks consist of blocks: GDAL draws each use of a block, so that a few lines make billions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from .port import GisError

#: Uses of blocks in all that a drawing shows; large plans have some hundred thousand.
MOST_USES = 5_000_000
#: Deeper ones are not drawn by GDAL either.
_DEEPEST = 64
_LARGEST_FILE = 512 * 1024 * 1024
#: The beginning of a group `0`, the kind of the entity, and what it says of itself.
_ENTITY = re.compile(
    rb"^[ \t]*0[ \t]*\r?\n[ \t]*(BLOCK|ENDBLK|INSERT)[ \t]*\r?\n((?:[ \t]*[1-9]\d*[ \t]*\r?\n.*\r?\n)*)", re.M
)
_NAME, _COLUMNS, _ROWS = b"2", b"70", b"71"
#: Name of a block → names of the blocks in it, and how often each is used; None: what the drawing itself shows.
Uses = Mapping[bytes | None, Mapping[bytes, int]]


def check(path: Path) -> None:
    """Check that a drawing does not use blocks within blocks without end. Raises GisError."""
    if path.suffix.lower() != ".dxf":
        return
    if path.stat().st_size > _LARGEST_FILE:
        raise GisError(f"File '{path.name}' is too large for a drawing; save its data as a GeoPackage.")
    if total_uses(read_uses(path.read_bytes())) > MOST_USES:
        raise GisError(
            f"File '{path.name}' has blocks within blocks, more than {MOST_USES} in all; explode them first."
        )


def read_uses(content: bytes) -> dict[bytes | None, Counter[bytes]]:
    """Return how often each block uses others."""
    uses: dict[bytes | None, Counter[bytes]] = {None: Counter()}
    inside: bytes | None = None
    for kind, text in _ENTITY.findall(content):
        values = _values(text)
        if kind == b"INSERT":
            uses[inside][values.get(_NAME, b"")] += _number(values, _COLUMNS) * _number(values, _ROWS)
        else:
            inside = values.get(_NAME) if kind == b"BLOCK" else None
            uses.setdefault(inside, Counter())
    return uses


def total_uses(uses: Uses) -> int:
    """Return how many blocks are drawn in all, or a number above the limit."""
    shown, total = Counter(uses.get(None, {})), 0
    for _ in range(_DEEPEST):
        total += sum(shown.values())
        if not shown or total > MOST_USES:
            break
        deeper: Counter[bytes] = Counter()
        for name, times in shown.items():
            for inner, count in uses.get(name, {}).items():
                deeper[inner] += times * count
        shown = deeper
    return total


def _values(text: bytes) -> dict[bytes, bytes]:
    lines = [line.strip() for line in text.splitlines()]
    return dict(zip(lines[::2], lines[1::2], strict=False))


def _number(values: Mapping[bytes, bytes], code: bytes) -> int:
    text = values.get(code, b"1")
    return max(1, int(text)) if re.fullmatch(rb"\d{1,6}", text) else 1

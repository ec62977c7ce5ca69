"""Drawings whose blocks consist of blocks are refused before GDAL draws them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qfc_node.gis import drawings
from qfc_node.gis.port import GisError


def drawing(*blocks: str, shown: str) -> bytes:
    """A drawing with these blocks, as programs of Windows write it."""
    text = "".join(f"  0\nSECTION\n  2\n{name}\n{content}  0\nENDSEC\n" for name, content in (
        ("BLOCKS", "".join(blocks)), ("ENTITIES", shown)))  # fmt: skip
    return f"{text}  0\nEOF\n".replace("\n", "\r\n").encode()


def block(name: str, content: str) -> str:
    return f"  0\nBLOCK\n  8\n0\n  2\n{name}\n 10\n0.0\n{content}  0\nENDBLK\n  8\n0\n"


def insert(name: str, more: str = "") -> str:
    return f"  0\nINSERT\n  8\n0\n  2\n{name}\n{more} 10\n1.0\n"


def test_uses_of_blocks_are_counted_through_all_levels() -> None:
    content = drawing(
        block("tree", "  0\nPOINT\n  8\n0\n 10\n1.0\n"),
        block("row", insert("tree") * 3 + insert("tree", " 70\n4\n 71\n2\n")),
        shown=insert("row") * 5 + insert("tree"),
    )
    uses = drawings.read_uses(content)
    assert uses == {None: {b"row": 5, b"tree": 1}, b"tree": {}, b"row": {b"tree": 11}}
    assert drawings.total_uses(uses) == 6 + 55


@pytest.mark.parametrize(
    "content",
    [
        drawing(*(block(f"B{n}", insert(f"B{n - 1}") * 10) for n in range(1, 9)), shown=insert("B8")),
        drawing(block("A", insert("B") * 2), block("B", insert("A") * 2), shown=insert("A")),
        drawing(block("A", ""), shown=insert("A", " 70\n30000\n 71\n30000\n")),
    ],
    ids=["ten of ten", "in circles", "in rows and columns"],
)
def test_too_many_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.dxf").write_bytes(content)
    with pytest.raises(GisError, match=r"'a.dxf' has blocks within blocks"):
        drawings.check(tmp_path / "a.dxf")


def test_a_plan_with_many_symbols_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.DXF").write_bytes(drawing(block("tree", ""), shown=insert("tree") * 20_000))
    drawings.check(tmp_path / "a.DXF")
    (tmp_path / "a.csv").write_bytes(b"")
    drawings.check(tmp_path / "a.csv")

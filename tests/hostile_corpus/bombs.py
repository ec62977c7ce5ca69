"""Texts and pictures that are small and would cost much: deep, many, compressed, or of entities of entities."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path

DEEP, MANY = 100_000, 100_000
#: Far more than any program writes of what is refused above a size.
LARGE = 12_000_000
_CHUNK = 1_000_000

LAUGHS = "<!DOCTYPE a [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(12))
)
#: More than the ten billion words of it need.
LAUGHTER = "&a12;"


def deep(tag: str = "Value") -> str:
    """XML of great depth."""
    return f"<{tag}>" * DEEP + f"</{tag}>" * DEEP


def deep_system() -> str:
    """The text of a coordinate system of great depth."""
    return "COMPD_CS[" * DEEP + "]" * DEEP


def many(pattern: str, count: int = MANY) -> str:
    """A pattern, again and again, with a number."""
    return "".join(pattern.format(number) for number in range(count))


@cache
def zeros(count: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(_CHUNK)) for _ in range(count // _CHUNK)) + packer.flush()


@cache
def wide_png(size: int) -> bytes:
    """A black picture of `size` × `size` pixels."""
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zeros(size * (size + 1) // _CHUNK * _CHUNK + _CHUNK)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def tiff(width: int, height: int, data: bytes = bytes(9), *, pages: int = 1, next_at: int = 0) -> bytes:
    """A deflated TIFF of one strip a page; the last directory names the one at `next_at` as the next."""
    out = io.BytesIO()
    out.write(struct.pack("<2sHI", b"II", 42, 8))
    for page in range(pages):
        start = out.tell()
        after = start + 2 + 12 * 9 + 4
        tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 1)]
        tags += [(273, 4, after), (277, 3, 1), (278, 4, height), (279, 4, len(data))]
        out.write(struct.pack("<H", len(tags)))
        out.writelines(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        out.write(struct.pack("<I", after + len(data) if page + 1 < pages else next_at) + data)
    return out.getvalue()


def write(folder: Path, **parts: bytes | str) -> None:
    """Write files `a.…`: `tif_aux_xml` is a.tif.aux.xml."""
    for ending, content in parts.items():
        path = folder / f"a.{ending.replace('_', '.')}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

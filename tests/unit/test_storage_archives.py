"""Zipped projects are checked before anything unpacks them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from qfc_node.storage import archives
from qfc_node.storage.archives import check_archive
from qfc_node.storage.errors import ArchiveBombError, RejectedError


def test_an_ordinary_archive_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "p.qgz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.qgs", "<qgis/>" * 1000)
    check_archive(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.qgz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.qgs", b"\0" * (64 * 1024**2))
    with pytest.raises(ArchiveBombError, match="would unpack to"):
        check_archive(path)


def test_an_archive_of_countless_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.qgz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(archives.MAX_MEMBERS):
            archive.writestr(str(number), b"")
    check_archive(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("one more", b"")
    with pytest.raises(ArchiveBombError, match="members"):
        check_archive(path)


def claiming(path: Path, unpacked: int, packed: int) -> Path:
    """Write an archive of about that many bytes that claims to unpack to exactly that many."""
    filling = packed - 500
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("p.qgs", b"<qgis/>")
        archive.writestr("filling", bytes(filling))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, unpacked - filling)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    ("unpacked", "packed", "is_refused"),
    [
        (archives.RATIO_MATTERS_FROM_BYTES, 1000, False),
        (archives.RATIO_MATTERS_FROM_BYTES + 1, 1000, True),
        (archives.MAX_UNPACKED_BYTES // 10, 600_000, False),
        (archives.MAX_UNPACKED_BYTES // 10, 500_000, True),
        (archives.MAX_UNPACKED_BYTES, 6_000_000, False),
        (archives.MAX_UNPACKED_BYTES + 1, 6_000_000, True),
    ],
    ids=["small", "less small", "ratio of 179", "ratio of 215", "large", "too large"],
)
def test_an_archive_may_unpack_to_as_much_as_is_said(
    tmp_path: Path, unpacked: int, packed: int, is_refused: bool
) -> None:
    """A small archive may unpack to any multiple of its size, a larger one to 200 times, none to over a gigabyte."""
    path = claiming(tmp_path / "p.qgz", unpacked, packed)
    if is_refused:
        with pytest.raises(ArchiveBombError):
            check_archive(path)
    else:
        check_archive(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a zip at all"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.qgz"
    path.write_bytes(content)
    with pytest.raises(RejectedError, match="zip"):
        check_archive(path)

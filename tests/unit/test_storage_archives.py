"""Zipped projects are looked into before anybody unpacks them."""

from __future__ import annotations

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
        for number in range(archives.MAX_MEMBERS + 1):
            archive.writestr(str(number), b"")
    with pytest.raises(ArchiveBombError, match="members"):
        check_archive(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a zip at all"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.qgz"
    path.write_bytes(content)
    with pytest.raises(RejectedError, match="zip"):
        check_archive(path)

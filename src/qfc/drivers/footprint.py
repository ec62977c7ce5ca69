"""The disk space of a stack, by folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..stack.model import DiskPart
from ..stack.ports import Footprint


class FolderFootprint(Footprint):
    """Measures folders, given as (name, folder)."""

    def __init__(self, folders: Sequence[tuple[str, Path]]) -> None:
        self._folders = tuple(folders)

    def parts(self) -> tuple[DiskPart, ...]:
        """Return the folders with their sizes; a missing folder has 0 bytes."""
        return tuple(DiskPart("folder", name, folder_bytes(folder)) for name, folder in self._folders)


def folder_bytes(folder: Path) -> int:
    """Return the bytes that a folder's files use on the disk; files that vanish meanwhile are left out."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total

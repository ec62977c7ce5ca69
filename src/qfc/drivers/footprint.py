"""What a stack takes on the disk, by its folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..stack.model import DiskPart
from ..stack.ports import Footprint


class FolderFootprint(Footprint):
    """Measures folders, which are (name, folder)."""

    def __init__(self, folders: Sequence[tuple[str, Path]]) -> None:
        self._folders = tuple(folders)

    def parts(self) -> tuple[DiskPart, ...]:
        """Return the folders with their sizes; one that is not there has 0."""
        return tuple(DiskPart("folder", name, folder_bytes(folder)) for name, folder in self._folders)


def folder_bytes(folder: Path) -> int:
    """Return the space that a folder's files take on the disk; what vanishes meanwhile is left out."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total

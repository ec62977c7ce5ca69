"""Objects as files in a folder; a key is a path below it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ...errors import NotFoundError, QfcError, UnreachableError, UsageError
from ...files import HALF, force_file, force_folder, replacing
from ...stack.ports import ObjectStore


class FolderObjectStore(ObjectStore):
    """Stores objects in a folder, which need not exist before the first one.

    Each is on the disk when `put` returns, or with `later` all of them after `settle`: many small ones are stored
    faster, since the first forced one takes the others along.
    """

    def __init__(self, folder: Path, *, later: bool = False) -> None:
        self.folder, self._later = folder, later
        self._unsettled: set[Path] = set()

    def settle(self) -> None:
        """Force to the disk what was stored since the last call. Raises QfcError."""
        try:
            for path in self._unsettled:
                force_file(path)
        except OSError as error:
            raise QfcError(
                f"Objects cannot be forced to the disk of {self.folder}.", hint="Check free space and permissions."
            ) from error
        for folder in {parent for path in self._unsettled for parent in (path.parent, path.parent.parent)}:
            force_folder(folder)
        self._unsettled.clear()

    def put(self, key: str, content: BinaryIO) -> int:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, mode=0o600, forced=not self._later) as file:
                shutil.copyfileobj(content, file, 1024 * 1024)
        except OSError as error:
            raise QfcError(
                f"{key} cannot be stored in {self.folder}.", hint="Check free space and permissions."
            ) from error
        if self._later:
            self._unsettled.add(path)
        return path.stat().st_size

    def get(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFoundError(f"There is no object {key}.") from error
        except OSError as error:
            raise UnreachableError(f"{key} cannot be read from {self.folder}.") from error

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        for path in _files(self.folder / prefix.rpartition("/")[0]):
            key = path.relative_to(self.folder).as_posix()
            if key.startswith(prefix):
                yield key, path.stat().st_size

    def delete(self, key: str) -> None:
        self._unsettled.discard(self._path(key))
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise QfcError(f"{key} cannot be removed from {self.folder}.") from error

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or parts[-1].startswith(HALF):
            raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
        return self.folder.joinpath(*parts)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder sorted by key, one folder at a time."""
    try:
        entries = sorted((f"{entry.name}/" if entry.is_dir() else entry.name) for entry in os.scandir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreachableError(f"{folder} cannot be read.") from error
    for name in entries:
        if name.endswith("/"):
            yield from _files(folder / name)
        elif not name.startswith(HALF):
            yield folder / name

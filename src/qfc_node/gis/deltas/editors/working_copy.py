"""Edit a database file without changing bytes that other files share.

Usually the file itself is edited. A copy is edited if the file has another name elsewhere (a hard link into a store),
is read-only, or has a write-ahead log or a rollback journal, which SQLite would merge into it when opening it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_COMPANIONS = ("-wal", "-journal")


class WorkingCopy:
    """The file to edit: `keep` replaces the original with it, `discard` leaves the original as it was."""

    def __init__(self, original: Path) -> None:
        self._original = original
        self._companions = [path for path in _companions(original) if path.is_file() and path.stat().st_size]
        self._folder: Path | None = None
        self.path = original
        if self._companions or original.stat().st_nlink > 1 or not os.access(original, os.W_OK):
            self._copy()

    def _copy(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=".editing-", dir=self._original.parent))
        self.path = self._folder / self._original.name
        for path in (self._original, *self._companions):
            shutil.copyfile(path, self._folder / path.name)

    def keep(self) -> frozenset[Path]:
        """Replace the original with the edited file; return the changed files.

        A merged log is emptied: it must not be replayed over the new file, and readers ignore an empty one.
        """
        if self._folder is not None:
            self.path.replace(self._original)
        for companion in self._companions:
            companion.write_bytes(b"")
        self.discard()
        return frozenset({self._original, *self._companions})

    def discard(self) -> None:
        """Remove the copy, if one was made."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in _COMPANIONS]

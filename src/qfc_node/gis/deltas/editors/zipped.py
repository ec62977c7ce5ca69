"""Edit a file inside a zip file: unpack it with its sidecars, edit it, and write the zip file again."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ...port import GisError
from ...zipped import UNREADABLE, member_of, siblings
from ..editing import Identity, LayerEditor, RefusedError, Store
from .rows import replace_file


class ZippedStore:
    """A Store over one file in a zip file; `open_store` opens the unpacked file."""

    def __init__(self, path: Path, wanted: str, open_store: Callable[[Path], Store]) -> None:
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix=".editing-", dir=path.parent)
        try:
            self._member = PurePosixPath(member_of(path, wanted))
            self._unpack()
            self._store = open_store(Path(self._folder.name) / self._member.name)
        except (GisError, RefusedError, *UNREADABLE) as error:
            self._folder.cleanup()
            raise error if isinstance(error, RefusedError) else RefusedError(str(error)) from error

    def identity(self, name: str | None, number: int | None = None) -> Identity:
        """Return what identifies the features of the file."""
        return self._store.identity(name, number)

    def layer(self, name: str | None, number: int | None = None) -> LayerEditor:
        """Return the editor of the file."""
        return self._store.layer(name, number)

    def commit(self) -> frozenset[Path]:
        """Write the zip file again if the file in it changed."""
        changed = self._store.commit()
        if not changed:
            return frozenset()
        draft = Path(self._folder.name) / "draft.zip"
        self._pack(draft, {str(self._member.with_name(path.name)): path for path in changed})
        return replace_file(self._path, draft.read_bytes())

    def discard(self) -> None:
        """Remove what was unpacked."""
        self._store.discard()
        self._folder.cleanup()

    def _unpack(self) -> None:
        with zipfile.ZipFile(self._path) as archive:
            for info in siblings(self._path, str(self._member)):
                target = Path(self._folder.name) / PurePosixPath(info.filename).name
                target.write_bytes(archive.read(info))

    def _pack(self, draft: Path, changed: dict[str, Path]) -> None:
        """Write all members, the changed ones with their new content, in their order."""
        with zipfile.ZipFile(self._path) as old, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                path = changed.pop(info.filename, None)
                new.writestr(info, path.read_bytes() if path else old.read(info))
            for name, path in changed.items():
                new.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)

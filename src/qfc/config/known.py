"""Notes which stacks have had data, beside the configuration: where they survive an unmounted disk."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast

from ..files import replace_file

FILE = "stacks.json"


@dataclass(frozen=True)
class KnownStack:
    """The note about one stack. A note that cannot be read or written is never an error."""

    path: Path
    name: str

    def folder(self) -> Path | None:
        """Return the folder in which the stack last had data, None if it never had any."""
        folder = self._notes().get(self.name)
        return Path(folder) if isinstance(folder, str) else None

    def note(self, folder: PurePath) -> None:
        """Note that the stack has data in a folder."""
        if self.folder() != folder:
            self._write({**self._notes(), self.name: str(folder)})

    def forget(self) -> None:
        """Remove the note."""
        notes = self._notes()
        if notes.pop(self.name, None) is not None:
            self._write(notes)

    def _notes(self) -> dict[str, Any]:
        try:
            notes: object = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return cast("dict[str, Any]", notes) if isinstance(notes, dict) else {}

    def _write(self, notes: dict[str, Any]) -> None:
        with suppress(OSError):
            replace_file(self.path, json.dumps(notes, indent=2).encode() + b"\n", mode=0o600)

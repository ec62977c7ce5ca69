"""What leaves a job names paths inside the project only: messages, logs and feedback show nothing of the server.

Messages of libraries contain whole paths, so every text is cleaned once, where it leaves the engine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

Value = TypeVar("Value")

#: Folders with fewer parts are everybody's: `/srv` says nothing.
_FEWEST_PARTS = 3
_SOMEWHERE = "…/"


class OwnWords:
    """Cleans the texts of one job. `folders`: those of the project's files and of the results."""

    def __init__(self, *folders: Path | None) -> None:
        self._folders = [folder.absolute() for folder in folders if folder is not None]

    def text(self, text: str) -> str:
        """Return a text without the paths of the server's folders."""
        if "/" not in text:
            return text
        for path, instead in self._replacements:
            text = text.replace(path, instead)
        return text

    def value(self, value: Value) -> Value:
        """Return a plain value (texts, lists, maps) with clean texts."""
        return cast("Value", self._cleaned(value))

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            entries = cast("dict[Any, Any]", value)
            return {self._cleaned(key): self._cleaned(each) for key, each in entries.items()}
        if isinstance(value, list | tuple):
            items: Iterable[Any] = (self._cleaned(each) for each in cast("list[Any]", value))
            return list(items) if isinstance(value, list) else tuple(items)
        return value

    @cached_property
    def _replacements(self) -> list[tuple[str, str]]:
        """Return texts and what replaces them, the longest first."""
        found = {f"{folder}/": "" for folder in self._own_folders() if len(folder.parts) >= _FEWEST_PARTS}
        for folder in (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2], Path(tempfile.gettempdir())):
            if len(folder.parts) >= _FEWEST_PARTS:
                found.setdefault(f"{folder}/", _SOMEWHERE)
        return sorted(found.items(), key=lambda pair: -len(pair[0]))

    def _own_folders(self) -> Iterable[Path]:
        for folder in self._folders:
            yield from (folder, folder.resolve(), folder.parent, folder.resolve().parent)

"""The twins of a deployment's files: those under git, its .env, and the suite's own documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, BinaryIO

from qfc.errors import CommandError, NotFoundError, QfcError
from qfc.stack.env_file import EnvFile
from qfc.stack.model import Revision, SourceState
from qfc.stack.ports import Records, Settings, Source

from .site import FOLDER, Release, Rows, Site

OURS = FOLDER / ".qfc"


@dataclass(frozen=True)
class MemorySource(Source):
    """A repository whose commits are the site's releases."""

    site: Site

    def state(self) -> SourceState:
        return SourceState(self.site.release.revision, self.site.branch, self.site.changed)

    def resolve(self, ref: str, *, kind: str, fetch: bool = True) -> Revision:
        """Return the release of that name or commit. Raises NotFoundError."""
        del fetch
        for release in self.site.releases.values():
            if ref == (release.revision.commit if kind == "commit" else release.revision.name):
                return release.revision
        raise NotFoundError(f"There is no {kind} {ref}.", hint="Type: git tag")

    def checkout(self, revision: Revision, *, branch: str | None = None) -> None:
        self.site.commit, self.site.branch = self._release(revision).revision.commit, branch

    def date(self, revision: Revision) -> datetime:
        return self._release(revision).made_at

    def read(self, revision: Revision, path: str) -> str | None:
        """Return a file of a release; None if it does not exist."""
        return self._release(revision).files.get(path)

    def _release(self, revision: Revision) -> Release:
        if revision.commit not in self.site.releases:
            raise CommandError(f"git ended with exit code 128: {revision.commit} is no commit")
        return self.site.releases[revision.commit]


@dataclass(frozen=True)
class MemorySettings(Settings):
    """The site's .env."""

    site: Site

    def text(self) -> str:
        return self.site.env

    def values(self) -> Mapping[str, str]:
        return EnvFile(self.site.env, ".env").values

    def change(self, values: Mapping[str, str]) -> None:
        """Change values; the old file is kept."""
        self.restore(EnvFile(self.site.env, ".env").with_values(values).text)

    def restore(self, text: str) -> None:
        """Replace the file; the old one is kept."""
        if text != self.site.env:
            self.site.env_copies += (self.site.env,)
            self.site.env = text

    def changed_since(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        before, now = EnvFile(text, "an earlier .env").values, self.values()
        return tuple(name for name in names if before.get(name) and before[name] != now.get(name))

    def has_other_names(self, text: str) -> bool:
        return set(EnvFile(text, "another .env").values) != set(self.values())

    def missing_for(self, text: str) -> tuple[str, ...]:
        return tuple(sorted(set(EnvFile(text, ".env.example").values) - set(self.values())))


@dataclass(frozen=True)
class MemoryRecords(Records):
    """Documents in a dictionary of files; removing a dump also removes its file."""

    files: dict[PurePath, str] = field(default_factory=dict[PurePath, str])
    dumps: dict[PurePath, Rows] = field(default_factory=dict[PurePath, Rows])

    def folder(self, *parts: str) -> PurePath:
        """Return a folder for the suite's own files."""
        return OURS.joinpath(*parts)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a document; None if it does not exist. Raises QfcError if it cannot be read."""
        text = self.read_text(name)
        try:
            return None if text is None else json.loads(text)
        except ValueError as error:
            raise QfcError(f"{OURS / name} cannot be read: {error}", hint="Check the file, then remove it.") from error

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Replace a document."""
        self.write_text(name, json.dumps(document))

    def write_text(self, name: str, text: str) -> None:
        self.files[OURS / name] = text

    def read_text(self, name: str) -> str | None:
        return self.files.get(OURS / name)

    def remove(self, name: str) -> None:
        place = OURS / name
        for path in [path for path in self.files if path == place or place in path.parents]:
            del self.files[path]
            self.dumps.pop(path, None)

    def names(self, folder: str) -> tuple[str, ...]:
        place = OURS / folder
        below = {path.relative_to(place).parts[0] for path in self.files if place in path.parents}
        return tuple(sorted(below))

    def sizes(self, folder: str) -> Mapping[str, int]:
        place = OURS / folder
        found = {path.name: text for path, text in self.files.items() if path.parent == place}
        return {name: len(text.encode("utf-8", errors="surrogateescape")) for name, text in found.items()}

    def receive(self, name: str, content: BinaryIO, size: int) -> PurePath:
        """Store one of the suite's own files; return its path. Raises QfcError if it is incomplete."""
        text = content.read().decode("utf-8", errors="surrogateescape")
        if len(text.encode("utf-8", errors="surrogateescape")) != size:
            raise QfcError(f"{name} did not arrive whole.")
        self.write_text(name, text)
        return OURS / name

"""Documents of a stack, in a folder on its host that only its owner can access."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath
from typing import Any, BinaryIO

from ..errors import CommandError, NotFoundError, QfcError
from ..stack.ports import Machine, Records
from .replacing import replaced_by

_MAKE = """
umask 077
mkdir -p "$1/$2" && { [ -e "$1/.gitignore" ] || echo '*' >"$1/.gitignore"; }
"""
SECRET = 0o600


class HostRecords(Records):
    """Documents below `root` on a host, which may be this machine."""

    def __init__(self, machine: Machine, root: PurePosixPath) -> None:
        self._machine, self._root = machine, root
        self._made: set[str] = set()

    def folder(self, *parts: str) -> PurePosixPath:
        below = "/".join(parts)
        if below not in self._made:
            try:
                self._machine.run(["sh", "-c", _MAKE, "sh", str(self._root), below])
            except CommandError as error:
                raise QfcError(
                    f"{self._root} on {self._machine.name} cannot be written.",
                    hint="Run qfc as the account that owns the stack; check free space.",
                ) from error
            self._made.add(below)
        return self._root / below

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a document; None where it does not exist. Raises QfcError for one that cannot be read."""
        text = self.read_text(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise QfcError(
                f"{self._root / name} cannot be read: {error}", hint="Check the file, then remove it."
            ) from error

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        self.write_text(name, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        self._machine.write_bytes(self._place(name), text.encode("utf-8", errors="surrogateescape"), mode=SECRET)

    def read_text(self, name: str) -> str | None:
        try:
            return self._machine.read_bytes(self._root / name).decode("utf-8", errors="surrogateescape")
        except NotFoundError:
            return None

    def remove(self, name: str) -> None:
        self._machine.run(["rm", "-rf", "--", str(self._root / name)])

    def names(self, folder: str) -> tuple[str, ...]:
        argv = ["sh", "-c", '[ ! -d "$1" ] || ls -1 "$1"', "sh", str(self._root / folder)]
        return tuple(sorted(self._machine.run(argv).stdout.splitlines()))

    def sizes(self, folder: str) -> Mapping[str, int]:
        script = '[ ! -d "$1" ] || for file in "$1"/*; do [ ! -f "$file" ] || wc -c "$file"; done'
        printed = self._machine.run(["sh", "-c", script, "sh", str(self._root / folder)]).stdout
        pairs = (line.strip().split(" ", 1) for line in printed.splitlines())
        return {PurePosixPath(path).name: int(size) for size, path in pairs}

    def receive(self, name: str, content: BinaryIO, size: int) -> PurePath:
        path = self._place(name)
        self._machine.stream(replaced_by(["cat"], path, mode=SECRET, size=size), stdin=content)
        return path

    def _place(self, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        self.folder(*(path.parent.parts if str(path.parent) != "." else ()))
        return self._root / path

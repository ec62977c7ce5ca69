"""A stack in memory whose data are restored from a set in a real store; it notes what happens, in order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from backup_world import keep_set, store_in
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.errors import QfcError
from qfc.stack.backup_set import DumpContent, Located, Manifest
from twins import MemoryPorts, memory_stack

SECRET_FILES = {"node.env": b"STORAGE_BUCKET_NAME=theirs\n", "secrets/SECRET_KEY": b"key"}
ROWS = {"core_job": 3}


@dataclass
class MemoryTarget:
    """The target of a restore. `log` has what happened, `objects` its store; `damage` is raised by who reads rows."""

    log: list[str]
    objects: dict[str, int] = field(default_factory=dict[str, int])
    rows: dict[str, int] = field(default_factory=lambda: dict(ROWS))
    damage: QfcError | None = None
    previous: str = "node_qfc_old"
    stores: tuple[str, ...] = ()

    def tables(self) -> Mapping[str, int]:
        """Return the rows, or raise what is wrong with them."""
        if self.damage is not None:
            raise self.damage
        return self.rows

    def lacking(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return what the store lacks."""
        return tuple(one for one in objects if one.stored.sha256 not in self.objects)

    def outdated(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return nothing."""
        del objects
        return ()

    def put(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        """Store an object."""
        read(io.BytesIO())
        self.objects[located.stored.sha256] = located.stored.size

    def fill(self, write: Callable[[BinaryIO], None]) -> None:
        """Read the dump."""
        write(io.BytesIO())

    def swap(self) -> None:
        """Replace the database; the new one is whole."""
        self.log.append("swap")
        self.damage = None

    def configure(self, files: Mapping[str, bytes], *, settings: bool) -> None:
        """Note which files of a set are written."""
        assert files == SECRET_FILES
        self.log.append(f"configure {'all' if settings else 'key'}")

    def edits_since(self, _: object) -> tuple[()]:
        """Return nothing."""
        return ()

    files_since = edits_since

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Note every other call by its name."""
        return lambda *_: self.log.append(name)


@dataclass
class MemoryRestores:
    """The backups of such a stack."""

    store: Any
    keys: FileBackupKeys
    target: MemoryTarget
    references: frozenset[str] = frozenset()

    @property
    def source(self) -> MemoryRestores:
        """The stack as the source of a set, as far as a restore asks for it."""
        return self

    def release(self) -> str:
        """Return the release that runs."""
        return "v26.24"

    def read_dump(self, write: Callable[[BinaryIO], None]) -> DumpContent:
        """Return the content of the dump of every set."""
        write(io.BytesIO())
        return DumpContent(dict(ROWS), self.references)


def restorable(folder: Path) -> tuple[MemoryPorts, MemoryTarget, Manifest]:
    """Return a stack with a set of one object, which its store lacks."""
    store = store_in(folder / "store", own=folder / "own")
    manifest = keep_set(store, {"photo": b"a photo"}, secrets=SECRET_FILES)
    log: list[str] = []
    ports = stack_on(MemoryRestores(store, FileBackupKeys(folder / "own"), MemoryTarget(log)))
    return ports, ports.backups.target, manifest  # type: ignore[return-value]


def stack_on(backups: MemoryRestores) -> MemoryPorts:
    """Return a running stack with these backups."""
    ports = replace(memory_stack(), backup_records=cast(Any, backups))
    ports.directory.migrations = ("core.0001_initial",)
    ports.runtime.start(None)
    return ports

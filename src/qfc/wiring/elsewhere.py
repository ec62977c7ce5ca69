"""Sets of another server in a folder, as the ports of a stack that reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from ..stack.ports import Backups, Ports


class _WithSets:
    """All ports as they are, but the backups."""

    def __init__(self, ports: Ports, backups: Backups) -> None:
        self._ports = ports
        self.backups = backups

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)


@contextmanager
def sets_in(ports: Ports, folder: Path, identity: str | None) -> Generator[Ports]:
    """Give the ports with the sets in a folder; `identity` opens them, without it the key of the stack does.

    Nothing in the folder is changed but verdicts. The key is on the disk for as long as the block lasts.
    """
    from ..drivers.backups.elsewhere import SetsElsewhere
    from ..drivers.backups.keys import FileBackupKeys
    from ..drivers.backups.plain import PlainBackupStore
    from ..drivers.objects.folder import FolderObjectStore

    with tempfile.TemporaryDirectory(prefix="qfc-key-") as place:
        own = Path(place)
        keys = FileBackupKeys(own)
        key = identity or ports.backups.keys.identity()
        if key is not None:
            keys.adopt(key)
        store = PlainBackupStore(
            FolderObjectStore(folder), keys, place=str(folder), encryption="all", progress=own / "progress.jsonl"
        )
        yield cast("Ports", _WithSets(ports, SetsElsewhere(ports.backups, store, keys)))

"""The twin of what a diagnosis reads of backups: a stack that was just started, unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from qfc.stack.backup_health import BackupState
from qfc.stack.backup_set import Manifest
from qfc.stack.ports import BackupKeys


class MemoryBackups:
    """What is known of the backups. Sets need a store: tests use the real one, in a folder."""

    def __init__(self, known: BackupState | None = None) -> None:
        self.known = known or BackupState(place="/backup", born_at=datetime.max.replace(tzinfo=UTC))
        self.keys = MemoryKeys()
        self.store = NamesOfSets()

    def state(self) -> BackupState:
        """Return it."""
        return self.known


class MemoryKeys(BackupKeys):
    """The operator's key; none before the first backup."""

    def __init__(self) -> None:
        self._identity: str | None = None

    def recipient(self) -> str | None:
        """Return the public part."""
        return self._identity and "age1memory"

    def identity(self) -> str | None:
        """Return the secret part."""
        return self._identity

    def create(self) -> str:
        """Create the key."""
        return self.adopt("AGE-SECRET-KEY-1MEMORY")

    def adopt(self, identity: str) -> str:
        """Take a key."""
        self._identity = identity
        return "age1memory"

    def discard(self) -> None:
        """Lose the key."""
        self._identity = None


class NamesOfSets:
    """A store of which the sets are known by name alone."""

    def __init__(self) -> None:
        self.place, self.by_hand = "/backup", ()
        self.sets: list[Manifest] = []

    def manifests(self) -> tuple[Manifest, ...]:
        """Return the sets."""
        return tuple(self.sets)

    def unreadable(self) -> tuple[str, ...]:
        """Return none."""
        return ()

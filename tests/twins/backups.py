"""The twin of what a diagnosis reads of backups: a stack that was just started, unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from qfc.stack.backup_health import BackupState


class MemoryBackups:
    """What is known of the backups. Sets need a store: tests use the real one, in a folder."""

    def __init__(self, known: BackupState | None = None) -> None:
        self.known = known or BackupState(place="/backup", born_at=datetime.max.replace(tzinfo=UTC))
        self.keys = NoKey()

    def state(self) -> BackupState:
        """Return it."""
        return self.known


class NoKey:
    """The operator's key before the first backup."""

    def recipient(self) -> None:
        """Return that there is none."""

    def identity(self) -> None:
        """Return that there is none."""

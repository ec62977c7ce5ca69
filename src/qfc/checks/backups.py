"""Backups: that there are some, that they are fresh and whole, and that a restore of one was tried."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from ..stack import backup_health
from ..stack.backup_health import BackupState
from ..stack.model import Capability
from .base import Auto, Check, Severity
from .evidence import Evidence

MAKE = "Make one now: qfc db backup; and one each night, see docs/howto/backups.md"
#: The operation that repairs a missing backup.
OPERATION = "qfc.operations.backup.make:repair"
#: The name of this machine among hosts.
HERE = "local"


class BackupCheck(Check):
    """A check of what is known about the backups. `judge` returns the evidence of a problem."""

    severity = Severity.WARNING

    @staticmethod
    @abstractmethod
    def judge(state: BackupState, now: datetime) -> str | None:
        """Return the evidence of the problem in one sentence; None without it."""

    def applies(self, seen: Evidence) -> bool:
        """Return whether stacks of this kind can be backed up."""
        return seen.ports.offers(Capability.BACKUPS)

    def look(self, seen: Evidence) -> str | None:
        """Read what is known of the backups; nothing of their content."""
        state = seen.once("backups", lambda: seen.ports.backups.state())
        return self.judge(state, seen.ports.clock.now())


class MakesBackup(BackupCheck):
    """A check whose repair is a backup. Over SSH, all of it is copied to this machine: that is asked first."""

    fix = MAKE
    auto = Auto.SAFE
    operation = OPERATION

    def auto_for(self, seen: Evidence) -> Auto:
        """Return `ask` for a server over SSH: a line may be slow, or paid by the byte, and the disk here small."""
        return Auto.ASK if self._is_far(seen) else Auto.SAFE

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Say what is copied where, if it is copied far."""
        if not self._is_far(seen):
            return ()
        place = seen.ports.backups.state().place
        return (f"copies database and files of {seen.ports.host.name} over SSH to this machine, into {place}",)

    @staticmethod
    def _is_far(seen: Evidence) -> bool:
        return seen.is_deployment and seen.ports.host.name != HERE


class NoBackup(MakesBackup):
    """I05: nobody notices, until the day on which it matters."""

    id = "I05"
    title = "There is no backup"
    judge = staticmethod(backup_health.none_counts)


class BackupTooOld(MakesBackup):
    """Backups are no longer made, or no longer succeed."""

    id = "I05-old"
    title = "The newest backup is too old"
    judge = staticmethod(backup_health.too_old)


class BackupShrunk(BackupCheck):
    """A database that was emptied, or a set that lacks something, is suddenly small."""

    id = "I05-smaller"
    title = "The newest backup is less than half of what backups were"
    fix = "Compare before older ones are removed: qfc db list; qfc db status; qfc projects list"
    judge = staticmethod(backup_health.shrunk)


class BackupDamaged(BackupCheck):
    """Bytes rot, and disks fail."""

    id = "I05-damaged"
    title = "A backup is damaged"
    fix = "Make a new one: qfc db backup; check the disk of the backups, then: qfc db verify --all --full"
    judge = staticmethod(backup_health.damaged)


class BackupUntried(BackupCheck):
    """A backup that was never restored is a hope."""

    id = "I05-drill"
    title = "No recent drill proves that a backup can be restored"
    fix = "Restore the newest one on trial, beside the stack: qfc db drill"
    judge = staticmethod(backup_health.undrilled)


class BackupKeyMissing(BackupCheck):
    """Encrypted backups without their key are lost."""

    id = "I05-key"
    title = "The key of the backups is missing"
    severity = Severity.CRITICAL
    fix = "Bring it back from the recovery sheet: qfc db keys --import FILE"
    judge = staticmethod(backup_health.keyless)


BACKUPS: tuple[Check, ...] = (
    NoBackup(),
    BackupTooOld(),
    BackupShrunk(),
    BackupDamaged(),
    BackupUntried(),
    BackupKeyMissing(),
)

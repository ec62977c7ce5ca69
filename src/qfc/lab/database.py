"""The database itself: its tables, its rights, its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData

MIGRATION = ("app", "name", "applied")
#: What an official server's clock runs every minute, as it is called in its log.
CRON = "qfieldcloud.core.cron.SetTerminatedWorkersToFinalStatusJob"


@dataclass(frozen=True)
class MigrationMissing(Fault):
    """The database says that the last migration of the core was never applied."""

    def look(self, ports: Ports) -> UndoData:
        """Remember it."""
        rows = ports.lab.rows("migration", {"app": "core"}, ["id", *MIGRATION])
        if not rows:
            raise RefusedError("No migration was applied: none can be missing.")
        return {"row": max(rows, key=lambda row: row["id"])}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Forget it."""
        ports.lab.delete("migration", {"app": known["row"]["app"], "name": known["row"]["name"]})

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Know it again."""
        row = known["row"]
        if not ports.lab.rows("migration", {"app": row["app"], "name": row["name"]}, ["id"]):
            ports.lab.insert("migration", **{name: row[name] for name in MIGRATION})


@dataclass(frozen=True)
class ReadOnly(Fault):
    """Every new session may only read."""

    def make(self, ports: Ports, known: UndoData) -> None:
        """Let them only read."""
        del known
        ports.lab.set_read_only(True)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Let them write."""
        del known
        ports.lab.set_read_only(False)


@dataclass(frozen=True)
class CronStopped(Fault):
    """What runs every minute ran last two hours ago."""

    def look(self, ports: Ports) -> UndoData:
        """Remember the runs. Raises RefusedError where the release has no such log."""
        return {"rows": list(ports.lab.rows("cron", {}, ["id", "start_time", "end_time"]))}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Put the runs back in time; where there is none, make one."""
        past = ports.clock.now() - timedelta(hours=2)
        for row in known["rows"]:
            ports.lab.change("cron", {"id": row["id"]}, start_time=past, end_time=past)
        if not known["rows"]:
            ports.lab.insert("cron", code=CRON, start_time=past, end_time=past, is_success=True, message="qfc lab")

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Give the runs their times."""
        ports.lab.delete("cron", {"message": "qfc lab"})
        for row in known["rows"]:
            ports.lab.change("cron", {"id": row["id"]}, start_time=row["start_time"], end_time=row["end_time"])


DATABASE: tuple[Fault, ...] = (
    MigrationMissing("migration-missing", "A migration was not applied", ("A13-pending",)),
    ReadOnly("database-read-only", "The database only lets read", ("D12-readonly",)),
    CronStopped("cron-stopped", "What runs every minute does not run", ("D08-cron",), Capability.CONTAINERS),
)

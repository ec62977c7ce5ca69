"""Faults of the database itself: its tables, its permissions, its periodic tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, RowFault, Scene, UndoData

MIGRATION = ("app", "name", "applied")
#: The service that starts the tasks.
STARTER = "ofelia"
#: The task that an official server runs every minute, by its name in the log.
CRON = "qfieldcloud.core.cron.SetTerminatedWorkersToFinalStatusJob"


@dataclass(frozen=True)
class MigrationMissing(Fault):
    """The database has no record of the last migration of the core."""

    def look(self, ports: Ports) -> UndoData:
        """Return the record of the migration."""
        rows = ports.lab.rows("migration", {"app": "core"}, ["id", *MIGRATION])
        if not rows:
            raise RefusedError("No migration is applied, so none can be removed.")
        return {"row": max(rows, key=lambda row: row["id"])}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Delete the record."""
        ports.lab.delete("migration", {"app": known["row"]["app"], "name": known["row"]["name"]})

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Insert the record again."""
        row = known["row"]
        if not ports.lab.rows("migration", {"app": row["app"], "name": row["name"]}, ["id"]):
            ports.lab.insert("migration", **{name: row[name] for name in MIGRATION})


@dataclass(frozen=True)
class ReadOnly(Fault):
    """Every new session is read-only."""

    def make(self, ports: Ports, known: UndoData) -> None:
        """Make new sessions read-only."""
        del known
        ports.lab.set_read_only(True)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Let new sessions write."""
        del known
        ports.lab.set_read_only(False)


@dataclass(frozen=True)
class CronStopped(RowFault):
    """Nothing starts the periodic tasks, the last one ran two hours ago, and a job waits."""

    def look(self, ports: Ports) -> UndoData:
        """Return the recorded runs, and whether ofelia starts them. Raises RefusedError where none are recorded."""
        rows = list(ports.lab.rows("cron", {}, ["id", "start_time", "end_time"]))
        starters = [one.name for one in ports.runtime.services() if one.name == STARTER and one.running]
        return {"rows": rows, "starters": starters}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Stop what starts them, and move the runs two hours back; where none is recorded, create one."""
        past = ports.clock.now() - timedelta(hours=2)
        for service in known["starters"]:
            ports.runtime.stop([service], now=True)
        for row in ports.lab.rows("cron", {}, ["id"]):
            ports.lab.change("cron", {"id": row["id"]}, start_time=past, end_time=past)
        if not known["rows"]:
            ports.lab.insert("cron", code=CRON, start_time=past, end_time=past, is_success=True, message="qfc lab")
        super().make(ports, known)

    def fill(self, scene: Scene) -> None:
        """Create the job: without any, nobody needs the tasks now."""
        scene.rows.job(scene.project(locked_at=scene.before(5)), made_at=scene.before(3))

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the times of the runs, and start the service again."""
        super().undo(ports, known)
        ports.lab.delete("cron", {"message": "qfc lab"})
        for row in known["rows"]:
            ports.lab.change("cron", {"id": row["id"]}, start_time=row["start_time"], end_time=row["end_time"])
        for service in known["starters"]:
            ports.runtime.start([service])


DATABASE: tuple[Fault, ...] = (
    MigrationMissing("migration-missing", "A migration is not applied", ("A13-pending",)),
    ReadOnly("database-read-only", "The database is read-only", ("D12-readonly",)),
    CronStopped("cron-stopped", "The periodic tasks do not run", ("D08-cron",), Capability.CONTAINERS),
)

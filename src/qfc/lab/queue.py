"""Faults of the queue: jobs between two states, locked projects, long waits, storms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from ..stack.model import Capability
from .base import Fault, RowFault, Scene

#: More process_projectfile jobs of one project within an hour than anybody needs.
STORM = 40


@dataclass(frozen=True)
class OrphanedJob(RowFault):
    """An active job without a worker, or with a dead one. Another job waits behind it."""

    workers: bool = False
    status: str = "queued"
    owned: bool = False

    def fill(self, scene: Scene) -> None:
        """Create both jobs."""
        project = scene.project()
        began = scene.before(80) if self.status == "started" else None
        worker = str(uuid4()) if self.owned else ""
        scene.rows.job(project, self.status, made_at=scene.before(90), started_at=began, worker=worker)
        scene.rows.job(project, made_at=scene.before(10))


@dataclass(frozen=True)
class LockedProject(RowFault):
    """A job has waited `waits` minutes for a project that was locked `locked` minutes ago."""

    locked: float = 90
    waits: float = 5

    def fill(self, scene: Scene) -> None:
        """Create the project and the job."""
        project = scene.project(locked_at=scene.before(self.locked))
        scene.rows.job(project, made_at=scene.before(self.waits))


@dataclass(frozen=True)
class Storm(RowFault):
    """A project was processed over and over, as if each of many files had been a project file."""

    def fill(self, scene: Scene) -> None:
        """Create the jobs, all of them finished."""
        project, began = scene.project(), scene.before(55)
        for number in range(STORM):
            at = began + timedelta(minutes=number)
            scene.rows.job(project, "finished", type="process_projectfile", made_at=at, started_at=at,
                           ended_at=at + timedelta(seconds=20))  # fmt: skip


@dataclass(frozen=True)
class SlowProject(RowFault):
    """Jobs of a project come close to the time limit."""

    def fill(self, scene: Scene) -> None:
        """Create jobs that took nine minutes each."""
        project = scene.project()
        for hours in range(1, 8):
            at = scene.before(60 * hours)
            scene.rows.job(project, "finished", made_at=at, started_at=at, ended_at=at + timedelta(minutes=9))


QUEUE: tuple[Fault, ...] = (
    OrphanedJob("job-queued-without-owner", "A queued job has no worker", ("D07",)),
    OrphanedJob("job-queued-by-the-dead", "The worker of a queued job is dead", ("D07",), owned=True),
    OrphanedJob("job-started-without-owner", "A started job has no worker", ("D08",), status="started"),
    OrphanedJob("job-started-by-the-dead", "The worker of a started job is dead", ("D08",), status="started",
                owned=True),
    LockedProject("project-locked-for-long", "Jobs wait for a project whose lock was forgotten", ("D11-locked",)),
    LockedProject("job-waits-for-long", "A job waits too long for a locked project", ("D11-wait",), locked=45,
                  waits=40),
    Storm("processing-storm", "A project is processed over and over", ("D17",)),
    SlowProject("project-slow", "Jobs of a project come close to the time limit", ("E10",), Capability.CONTAINERS),
)  # fmt: skip

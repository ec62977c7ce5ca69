"""The queue: jobs between two states, locked projects, waits, storms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from ..stack.model import Capability
from .base import Fault, RowFault, Scene

#: More descriptions of one project within an hour than anybody needs.
STORM = 40


@dataclass(frozen=True)
class OrphanedJob(RowFault):
    """A job that is held, and nobody holds it: without an owner, or by a dead one. Another one waits behind it."""

    workers: bool = False
    status: str = "queued"
    owned: bool = False

    def fill(self, scene: Scene) -> None:
        """Make both jobs."""
        project = scene.project()
        began = scene.before(80) if self.status == "started" else None
        worker = str(uuid4()) if self.owned else ""
        scene.rows.job(project, self.status, made_at=scene.before(90), started_at=began, worker=worker)
        scene.rows.job(project, made_at=scene.before(10))


@dataclass(frozen=True)
class LockedProject(RowFault):
    """A job waits in front of a project that was locked `locked` minutes ago; it waits for `waits` minutes."""

    locked: float = 90
    waits: float = 5

    def fill(self, scene: Scene) -> None:
        """Make project and job."""
        project = scene.project(locked_at=scene.before(self.locked))
        scene.rows.job(project, made_at=scene.before(self.waits))


@dataclass(frozen=True)
class Storm(RowFault):
    """A project was described again and again, as if each of many files had been a project file."""

    def fill(self, scene: Scene) -> None:
        """Make the jobs, all of them done."""
        project, began = scene.project(), scene.before(55)
        for number in range(STORM):
            at = began + timedelta(minutes=number)
            scene.rows.job(project, "finished", type="process_projectfile", made_at=at, started_at=at,
                           ended_at=at + timedelta(seconds=20))  # fmt: skip


@dataclass(frozen=True)
class SlowProject(RowFault):
    """Jobs of a project take nearly as long as they may."""

    def fill(self, scene: Scene) -> None:
        """Make jobs that took nine minutes each."""
        project = scene.project()
        for hours in range(1, 8):
            at = scene.before(60 * hours)
            scene.rows.job(project, "finished", made_at=at, started_at=at, ended_at=at + timedelta(minutes=9))


QUEUE: tuple[Fault, ...] = (
    OrphanedJob("job-queued-without-owner", "A job was taken up and belongs to nobody", ("D07",)),
    OrphanedJob("job-queued-by-the-dead", "A job was taken up by a worker that is dead", ("D07",), owned=True),
    OrphanedJob("job-started-without-owner", "A job runs and belongs to nobody", ("D08",), status="started"),
    OrphanedJob("job-started-by-the-dead", "A job runs on a worker that is dead", ("D08",), status="started",
                owned=True),
    LockedProject("project-locked-for-long", "A project was locked and forgotten, jobs wait", ("D11-locked",)),
    LockedProject("job-waits-for-long", "A job waits for long for a locked project", ("D11-wait",), locked=45,
                  waits=40),
    Storm("processing-storm", "One project is described again and again", ("D17",)),
    SlowProject("project-slow", "The jobs of a project take nearly as long as they may", ("E10",),
                Capability.CONTAINERS),
)  # fmt: skip

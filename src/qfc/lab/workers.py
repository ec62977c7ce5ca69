"""Faults of workers: killed in each state, stopped, missing."""

from __future__ import annotations

import configparser
import sys
from dataclasses import dataclass
from uuid import uuid4

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import WORKER, Fault, RowFault, Scene, UndoData

#: Age of a job, in minutes, at which no check takes it for one that is still being worked on.
LONG_AGO = 90


@dataclass(frozen=True)
class KilledWorker(RowFault):
    """All workers are killed; one of them left a job in `status`, or was idle where that is empty."""

    workers: bool = False
    status: str = ""
    type: str = "package"

    def fill(self, scene: Scene) -> None:
        """Create the job of a worker that no longer exists."""
        if not self.status:
            return
        project, at = scene.project(), scene.before(LONG_AGO)
        began = at if self.status == "started" else None
        job = scene.rows.job(project, self.status, type=self.type, made_at=at, started_at=began, worker=str(uuid4()))
        if self.type == "delta_apply":
            scene.rows.delta(project, "started", job=job, made_at=at)


@dataclass(frozen=True)
class StoppedWorkers(RowFault):
    """No worker runs, and a job waits for one."""

    workers: bool = False

    def fill(self, scene: Scene) -> None:
        """Create a waiting job."""
        scene.rows.job(scene.project(), made_at=scene.before(2))


@dataclass(frozen=True)
class MissingWorker(Fault):
    """One of several workers is not running."""

    def look(self, ports: Ports) -> UndoData:
        """Choose a worker. Raises RefusedError where fewer than two run."""
        (service,) = [one for one in ports.runtime.services() if one.name == WORKER]
        if service.running < 2:
            raise RefusedError("This fault needs at least two running workers.", hint="Type: qfc workers scale 2")
        return {"instance": service.instances[-1].id}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Stop the worker through its supervisor or engine, so that it stays down."""
        if ports.offers(Capability.PROCESSES):
            _supervisorctl(ports, "stop", known["instance"])
        else:
            ports.host.run(["docker", "stop", known["instance"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Start the missing worker."""
        del known
        ports.runtime.start([WORKER])


def _supervisorctl(ports: Ports, *words: str) -> None:
    """Send a command to supervisord, at the socket in its own configuration."""
    written = configparser.RawConfigParser()
    written.read_string(ports.host.read_bytes(ports.folder / "supervisord.conf").decode())
    address = f"unix://{written['unix_http_server']['file']}"
    ports.host.run([sys.executable, "-m", "supervisor.supervisorctl", "-s", address, *words])


WORKERS: tuple[Fault, ...] = (
    KilledWorker("worker-killed-idle", "All workers were killed while they were idle", ("D11",)),
    KilledWorker("worker-killed-job-queued", "A worker was killed after it picked a job up and before it started it",
                 ("D07",), status="queued"),
    KilledWorker("worker-killed-at-work", "A worker was killed during a job", ("D08",), status="started"),
    KilledWorker("worker-killed-applying", "A worker was killed while it applied edits", ("D08",), status="started",
                 type="delta_apply"),
    StoppedWorkers("workers-stopped", "No worker is running, and jobs wait", ("D11",)),
    MissingWorker("worker-missing", "One of the workers is not running", ("D11-few",)),
)  # fmt: skip

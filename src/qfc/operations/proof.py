"""The proof that synchronisation works: do what a device does, with a temporary project."""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import QfcError
from ..stack.checksums import Checksums
from ..stack.ports import Ports
from .probe import ProbeError, ProbeProject, await_idle, await_job, probe_files, probe_project, session

#: Seconds for a job of the proof.
JOB_S = APPLY_S = 120.0
RANDOM_BYTES = 64 * 1024
#: The one layer of the project, its file, and the name of its one point.
LAYER, LAYER_FILE, NAME = "points_4427267d_773d_45b1_a211_da1361075413", "points.gpkg", "probe"


@dataclass(frozen=True)
class Broken:
    """The step at which the proof ended, and why."""

    step: str
    error: QfcError


def prove(ports: Ports) -> Broken | None:
    """Do what a device does; return the step that failed, None when all of it works.

    Raises NotFoundError or RefusedError if no user may try.
    """
    with session(ports) as (person, token), _project(ports, person, token) as project:
        for step, do in _steps(ports, project):
            try:
                do()
            except QfcError as error:
                return Broken(step, error)
        # A worker of an official release ends when the project of its job is removed.
        await_idle(ports, project.id, limit_s=JOB_S)
    return None


def _project(ports: Ports, person: str, token: str) -> AbstractContextManager[ProbeProject]:
    """Create a project that no limit of the operator applies to."""
    return probe_project(ports.api, person, token, ports.rate_limits.passes())


def _steps(ports: Ports, project: ProbeProject) -> tuple[tuple[str, Callable[[], Any]], ...]:
    return (
        ("file round trip", lambda: project.round_trip("random.bin", secrets.token_bytes(RANDOM_BYTES))),
        ("project file processed by a worker", lambda: _process(ports, project)),
        ("package built and downloaded", lambda: _package(ports, project)),
        ("edit applied", lambda: _edit(ports, project)),
    )


def _process(ports: Ports, project: ProbeProject) -> None:
    for name, content in probe_files().items():
        project.upload(name, content)
    await_job(ports, project.id, "process_projectfile", limit_s=JOB_S)
    for name, content in probe_files().items():
        project.require_same(name, content)


def _package(ports: Ports, project: ProbeProject) -> None:
    """Request a package; every file of it has to match its checksum."""
    project.start_job("package")
    await_job(ports, project.id, "package", limit_s=JOB_S)
    files = project.package_files()
    if not any(file["name"].endswith((".qgs", ".qgz")) for file in files):
        raise ProbeError("The package has no project file.")
    for file in files:
        content = project.package_file(file["name"])
        if not Checksums(content).match(file):
            raise ProbeError(
                f"{file['name']} of the package arrived with {len(content)} bytes that do not match its checksum."
            )


def _edit(ports: Ports, project: ProbeProject) -> None:
    """Push an edit; the data have to contain it afterwards."""
    wanted = f"probe {secrets.token_hex(4)}"
    edit = deltafile(project.id, wanted)
    project.push(edit)
    await_job(ports, project.id, "delta_apply", limit_s=APPLY_S)
    status = ports.jobs.delta(edit["deltas"][0]["uuid"]).status
    if status != "applied":
        raise ProbeError(f"The edit is {status}.", hint="Type: qfc deltas list")
    found = name_in(project.download(LAYER_FILE))
    if found != wanted:
        raise ProbeError("The edit is reported as applied, but the data have not changed.")


def deltafile(project_id: str, name: str) -> dict[str, Any]:
    """Return a delta file as from a device that renamed the point."""
    delta = {
        "uuid": str(uuid.uuid4()),
        "clientId": str(uuid.uuid4()),
        "exportId": str(uuid.uuid4()),
        "localPk": "1",
        "sourcePk": "1",
        "localLayerId": LAYER,
        "sourceLayerId": LAYER,
        "method": "patch",
        "old": {"attributes": {"name": NAME}},
        "new": {"attributes": {"name": name}},
    }
    return {"id": str(uuid.uuid4()), "project": project_id, "version": "1.0", "files": [], "deltas": [delta]}


def name_in(geopackage: bytes) -> str:
    """Return the name of the point in a GeoPackage. Raises ProbeError when it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / LAYER_FILE
        path.write_bytes(geopackage)
        try:
            with closing(sqlite3.connect(path)) as database:
                return str(database.execute("select name from points where fid = 1").fetchone()[0])
        except (sqlite3.DatabaseError, TypeError) as error:
            raise ProbeError(f"{LAYER_FILE} came back without the point, or is not a GeoPackage.") from error

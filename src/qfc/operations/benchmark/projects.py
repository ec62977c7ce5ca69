"""The projects of a load test, in the journal before they exist: whoever comes next removes what a killed test left."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from ...errors import NotFoundError, QfcError, UnreachableError
from ...stack import drains, journal
from ...stack.model import JobStatus
from ...stack.ports import Ports
from ..probe import ProbeProject, await_idle, await_job, create_project, session
from ..queue_change import count
from ..workers_list import SERVICE

OPERATION = "capacity benchmark"
PREFIX = "qfc-benchmark"
#: Seconds for a project's first job, and for those that are running when the test is over.
JOB_S = 600.0
OPEN = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)


@dataclass(frozen=True)
class Left:
    """What a killed load test leaves behind: projects of an owner, and another number of `workers` than before."""

    owner: str
    projects: tuple[str, ...]
    workers: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Left:
        """Read a record of the journal."""
        return cls(str(record["owner"]), tuple(record["projects"]), int(record["workers"]))


@contextmanager
def temporary(ports: Ports, left: Left, report: Callable[[str], None]) -> Generator[None]:
    """Note in the journal what the block will leave, and remove it on every way out."""
    journal.write(ports.records, journal.Entry(OPERATION, vars(left)))
    try:
        yield
    except BaseException:
        # The operator has to see this error. What cannot be removed stays in the journal.
        with suppress(QfcError):
            remove(ports, left, report)
        raise
    remove(ports, left, report)


def create(ports: Ports, token: str, owner: str, name: str) -> ProbeProject:
    """Create a project from the demo's survey, and wait until a worker has read it. Raises ProbeError."""
    project = create_project(ports.api, owner, token, ports.rate_limits.passes(), name=name)
    for file, content in _survey().items():
        project.upload(file, content)
    await_job(ports, project.id, "process_projectfile", limit_s=JOB_S)
    return project


def settle(ports: Ports, projects: Sequence[ProbeProject]) -> None:
    """Wait until all jobs of the projects have ended."""
    for project in projects:
        await_idle(ports, project.id, limit_s=JOB_S)


def remove(ports: Ports, left: Left, report: Callable[[str], None]) -> None:
    """Remove the projects of a load test and put the number of workers back; it can be repeated."""
    made, before = count(len(left.projects), "project"), count(left.workers, "worker")
    report(f"Remove {made} of the load test; back to {before}")
    drains.clear(ports.records)
    ports.runtime.scale(SERVICE, left.workers)
    known = [project for name in left.projects if (project := _find(ports, f"{left.owner}/{name}"))]
    if known:
        with session(ports, left.owner) as (_, token):
            for project_id in known:
                _remove(ports, token, project_id)
    journal.clear(ports.records)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Remove what a killed load test left. A server that is down is started for that."""
    left = Left.of(record)
    try:
        remove(ports, left, report)
    except UnreachableError:
        ports.runtime.start(None)
        remove(ports, left, report)


@cache
def _survey() -> Mapping[str, bytes]:
    """Return the files of the demo's survey by name; the project file is the last: it starts the job that needs all."""
    found = dict(_files(resources.files("qfc").joinpath("demo_project"), ""))
    return dict(sorted(found.items(), key=lambda item: (item[0].endswith(".qgs"), item[0])))


def _files(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry.read_bytes()


def _find(ports: Ports, name: str) -> str | None:
    with suppress(NotFoundError):
        return ports.directory.project(name).id
    return None


def _remove(ports: Ports, token: str, project_id: str) -> None:
    """Cancel what waits, let what runs end (an official worker ends with the project of its job), then remove."""
    waiting = ports.jobs.jobs(project_id=project_id, statuses=(JobStatus.PENDING,), limit=1000)
    if waiting:
        ports.jobs.cancel([job.id for job in waiting], only_waiting=True)
    await_idle(ports, project_id, limit_s=JOB_S)
    ProbeProject(ports.api, token, project_id, ports.rate_limits.passes()).remove()

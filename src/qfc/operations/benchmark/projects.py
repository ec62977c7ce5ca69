"""The projects of a load test, in the journal before they exist: whoever comes next removes what a killed test left."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from ...errors import NotFoundError, QfcError
from ...stack import drains, journal
from ...stack.model import JobStatus
from ...stack.ports import Ports
from ..probe import TRANSFER_S, ProbeError, ProbeProject, await_idle, await_job, create_project, session
from ..queue_change import count
from ..workers_list import SERVICE

OPERATION = "capacity benchmark"
PREFIX = "qfc-benchmark"
#: Seconds for a project's first job, and for those that are running when the test is over.
JOB_S = 600.0
#: Seconds for the removal of all projects where another command does it on its way.
RECOVER_S = 20.0
#: The record of projects that could not be removed in that time.
LEFT = "benchmark.json"
SEE_WORKERS = "Type: qfc workers list"


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
    """Wait until all jobs of the projects have ended. Raises ProbeError: they would be counted in the next level."""
    for project in projects:
        if not await_idle(ports, project.id, limit_s=JOB_S):
            raise ProbeError(f"Jobs of the load test still wait or run after {JOB_S:.0f} s.", hint=SEE_WORKERS)


def remove(ports: Ports, left: Left, report: Callable[[str], None]) -> None:
    """Remove the projects of a load test and put the number of workers back; it can be repeated."""
    report(_removal(left))
    _put_back(ports, left)
    _remove_projects(ports, left, limit_s=JOB_S)
    journal.clear(ports.records)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Remove what a killed load test left, as far as that is quick; the next load test removes the rest.

    Whatever fails here must not keep the operator from a repair, so nothing is raised and nothing is started.
    """
    left = Left.of(record)
    report(_removal(left))
    try:
        _put_back(ports, left)
    except QfcError as error:
        report(f"The workers stay as they are: {error.message} Type: qfc workers scale {left.workers}")
    try:
        _remove_projects(ports, left, limit_s=RECOVER_S)
    except QfcError as error:
        report(f"The next {OPERATION} removes {_made(left)}: {error.message}")
        if not _noted(ports, left):
            return
    journal.clear(ports.records)


def leftovers(ports: Ports) -> Left | None:
    """Return what an earlier load test left and `recover` could not remove; None without anything."""
    document = ports.records.read(LEFT)
    return Left.of(document) if document else None


def remove_leftovers(ports: Ports, left: Left) -> None:
    """Remove what an earlier load test left. Raises QfcError if that is not possible now."""
    _remove_projects(ports, left, limit_s=JOB_S)
    ports.records.remove(LEFT)


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


def _made(left: Left) -> str:
    return f"{count(len(left.projects), 'project')} of the load test"


def _removal(left: Left) -> str:
    return f"Remove {_made(left)}; back to {count(left.workers, 'worker')}"


def _put_back(ports: Ports, left: Left) -> None:
    drains.clear(ports.records)
    ports.runtime.scale(SERVICE, left.workers)


def _noted(ports: Ports, left: Left) -> bool:
    """Note what is left for the next load test; False where nothing can be written: then the journal has to stay."""
    try:
        ports.records.write(LEFT, vars(left))
    except QfcError:
        return False
    return True


def _remove_projects(ports: Ports, left: Left, *, limit_s: float) -> None:
    """Remove the projects that exist, all of them within so many seconds. Raises QfcError for the first that stays."""
    deadline = ports.clock.monotonic() + limit_s
    known = [project for name in left.projects if (project := _find(ports, f"{left.owner}/{name}"))]
    if known:
        with session(ports, left.owner) as (_, token):
            for project_id in known:
                _remove(ports, token, project_id, deadline)


def _remove(ports: Ports, token: str, project_id: str, deadline: float) -> None:
    """Cancel what waits, let what runs end (an official worker ends with the project of its job), then remove."""
    waiting = ports.jobs.jobs(project_id=project_id, statuses=(JobStatus.PENDING,), limit=1000)
    if waiting:
        ports.jobs.cancel([job.id for job in waiting], only_waiting=True)
    if not await_idle(ports, project_id, limit_s=_seconds(ports, deadline)):
        raise ProbeError("A job of the load test does not end.", hint=SEE_WORKERS)
    limit_s = min(_seconds(ports, deadline), TRANSFER_S)
    ProbeProject(ports.api, token, project_id, ports.rate_limits.passes(), limit_s).remove()


def _seconds(ports: Ports, deadline: float) -> float:
    """Return the seconds until a deadline. Raises ProbeError after it."""
    seconds = deadline - ports.clock.monotonic()
    if seconds <= 0:
        raise ProbeError("The removal of the projects takes too long.", hint="Type: qfc health --verbose")
    return seconds

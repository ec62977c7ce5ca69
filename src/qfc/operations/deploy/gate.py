"""The proof that a release works: its API, an upload and download round trip as clients do it, and one job."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from ...errors import QfcError
from ...stack.api_status import STATUS, judge_status
from ...stack.ports import Ports
from ..probe import ProbeError, ProbeProject, await_job, await_taken, create_project, probe_files, session

Result = TypeVar("Result")
#: Seconds for the job; an official worker has to fetch nothing and start one container.
JOB_S = 300.0
ANSWER_S = 60.0
HEADER = "X-Qfc-Pass"
#: Size of a file of random bytes, which no cache and no error page contains.
RANDOM_BYTES = 64 * 1024


@contextmanager
def gate(ports: Ports, password: str, noted: Callable[[str], None]) -> Generator[Gate]:
    """Provide the checks of the gate; their project on the server is removed when the block ends.

    `noted` is called with the id of the new project, and with "" when it is gone: another run can then remove it if
    this one cannot.
    """
    with session(ports) as (person, token):
        proof = Gate(ports, person, token, password, noted)
        try:
            yield proof
        finally:
            proof.clean_up()


def remove_left_project(ports: Ports, project_id: str, password: str) -> bool:
    """Remove the project of an interrupted gate; return whether that worked. It does not while the server is down."""
    with suppress(QfcError), session(ports) as (_, token):
        ProbeProject(ports.api, token, project_id, {HEADER: password}).remove()
        return True
    return False


class Gate:
    """Tests a release while writes are blocked. `password` lets its requests through."""

    def __init__(self, ports: Ports, person: str, token: str, password: str, noted: Callable[[str], None]) -> None:
        self._ports, self._person, self._token, self._noted = ports, person, token, noted
        self._headers = {**ports.rate_limits.passes(), **({HEADER: password} if password else {})}
        self._password = password
        self._project: ProbeProject | None = None

    def files(self) -> None:
        """Check the API's status, then upload a file through the public address, download it and compare."""
        self._check("API", self._api)
        self._project = self._check("new project", self._create_project)
        content = secrets.token_bytes(RANDOM_BYTES)
        project = self._project
        self._check("file round trip", lambda: project.round_trip("random.bin", content))
        for name, data in probe_files().items():
            self._check(f"upload of {name}", lambda name=name, data=data: project.upload(name, data))

    def move_to_front(self) -> None:
        """Move the job of the project file to the front of the queue."""
        assert self._project is not None
        for job in self._ports.jobs.jobs(project_id=self._project.id, limit=5):
            self._ports.jobs.move_to_front(job.id)

    def taken(self) -> None:
        """Wait until a worker of the new release has picked the job up."""
        assert self._project is not None
        project = self._project
        self._check("a job", lambda: await_taken(self._ports, project.id, "process_projectfile", limit_s=JOB_S))

    def job(self) -> None:
        """Wait until a worker of the new release has finished the job."""
        assert self._project is not None
        project = self._project
        self._check("a job", lambda: await_job(self._ports, project.id, "process_projectfile", limit_s=JOB_S))

    def clean_up(self) -> None:
        """Remove the project."""
        project, self._project = self._project, None
        if project is not None:
            with suppress(QfcError):
                project.remove()
                self._noted("")

    def _api(self) -> None:
        found = judge_status(self._ports.api.get(STATUS, timeout_s=ANSWER_S))
        if not found.is_well:
            raise ProbeError(found.evidence)

    def _create_project(self) -> ProbeProject:
        project = create_project(self._ports.api, self._person, self._token, self._headers)
        self._noted(project.id)
        if self._password:
            # The job's own requests come from containers that know no password.
            self._ports.deployment.traffic.hold(self._password, [f"/{project.id}/"])
        return project

    def _check(self, name: str, ask: Callable[[], Result]) -> Result:
        try:
            return ask()
        except QfcError as error:
            raise ProbeError(
                f"The release does not pass the gate ({name}): {error.message}", hint=error.hint
            ) from error

"""A temporary project of ours on a server, to prove that it works: uploads, downloads, jobs; removed afterwards."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import cast
from urllib.parse import quote

from ..errors import NotFoundError, QfcError
from ..stack.failures import text_of
from ..stack.model import ApiAnswer, ApiRequest, Job, JobStatus, Upload
from ..stack.ports import Api, Ports
from ..stack.waiting import wait_until

NAME = "qfc-probe"
#: Seconds until our token expires, even if we crash: as long as an import of many files may take.
SESSION_S = 12 * 3600
#: Seconds that one file of some kilobytes may take.
TRANSFER_S = 60.0
POLL_S = 0.25
FILES = ("points.gpkg", "probe.qgs")


class ProbeError(QfcError):
    """The server did not do what the probe asked."""

    code = "probe_failed"


@cache
def probe_files() -> Mapping[str, bytes]:
    """Return the files of a smallest possible project; the project file comes last."""
    folder = resources.files("qfc").joinpath("probe_project")
    return {name: folder.joinpath(name).read_bytes() for name in FILES}


@dataclass(frozen=True)
class ProbeProject:
    """A project on the server. `headers` are sent with every request, which may take `timeout_s` seconds."""

    api: Api
    token: str = field(repr=False)
    id: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    timeout_s: float = TRANSFER_S

    def upload(self, name: str, content: bytes) -> None:
        """Upload a file. Raises ProbeError."""
        upload = Upload(name, io.BytesIO(content), len(content))
        answer = self._send("POST", f"/api/v1/files/{self.id}/{name}/", upload=upload)
        _require(answer, f"the upload of {name}")

    def download(self, name: str) -> bytes:
        """Download a file. Raises ProbeError."""
        answer = self._send("GET", f"/api/v1/files/{self.id}/{name}/")
        _require(answer, f"the download of {name}")
        return answer.content

    def round_trip(self, name: str, content: bytes) -> float:
        """Upload a file and download it again; return the seconds of both. Raises ProbeError when the bytes differ."""
        upload = Upload(name, io.BytesIO(content), len(content))
        sent = self._send("POST", f"/api/v1/files/{self.id}/{name}/", upload=upload)
        _require(sent, f"the upload of {name}")
        return sent.seconds + self.require_same(name, content)

    def require_same(self, name: str, content: bytes) -> float:
        """Download a file; return the seconds. Raises ProbeError when it is not what was uploaded."""
        fetched = self._send("GET", f"/api/v1/files/{self.id}/{name}/")
        _require(fetched, f"the download of {name}")
        if fetched.content != content:
            raise ProbeError(
                f"{name} came back as {len(fetched.content)} bytes, md5 {_md5(fetched.content)}, not as "
                f"the {len(content)} bytes that were uploaded, md5 {_md5(content)}.",
                hint="The path from nginx to the store is faulty. Type: qfc health --verbose",
            )
        return fetched.seconds

    def start_job(self, type: str) -> str:
        """Request a job; return its id. Raises ProbeError."""
        answer = self._send("POST", "/api/v1/jobs/", document={"project_id": self.id, "type": type})
        _require(answer, f"the request for a {type} job")
        return str(_fields(answer).get("id") or "")

    def job_status(self, job_id: str) -> str:
        """Return the status of a job. Raises ProbeError."""
        answer = self._send("GET", f"/api/v1/jobs/{job_id}/")
        _require(answer, "the request for a job's status")
        return str(_fields(answer).get("status"))

    def edit_statuses(self, deltafile_id: str) -> tuple[str, ...]:
        """Return the statuses of the edits of a delta file. Raises ProbeError."""
        answer = self._send("GET", f"/api/v1/deltas/{self.id}/{deltafile_id}/")
        _require(answer, "the request for the status of edits")
        return tuple(str(edit.get("status")) for edit in cast("list[dict[str, object]]", answer.document or []))

    def package_files(self) -> list[dict[str, str]]:
        """Return the files of the latest package, with name and md5sum. Raises ProbeError."""
        answer = self._send("GET", f"/api/v1/packages/{self.id}/latest/")
        _require(answer, "the request for the package's file list")
        return cast("list[dict[str, str]]", _fields(answer).get("files") or [])

    def package_file(self, name: str) -> bytes:
        """Download a file of the latest package. Raises ProbeError."""
        answer = self._send("GET", f"/api/v1/packages/{self.id}/latest/files/{quote(name)}/")
        _require(answer, f"the download of {name} of the package")
        return answer.content

    def push(self, deltafile: Mapping[str, object]) -> None:
        """Push edits as a device does. Raises ProbeError."""
        content = json.dumps(deltafile).encode()
        upload = Upload("deltafile.json", io.BytesIO(content), len(content))
        _require(self._send("POST", f"/api/v1/deltas/{self.id}/", upload=upload), "the upload of an edit")

    def remove(self) -> None:
        """Remove the project with all its files. Raises ProbeError."""
        answer = self._send("DELETE", f"/api/v1/projects/{self.id}/")
        if answer.status != 404:
            _require(answer, "the removal of the project")

    def _send(self, method: str, path: str, upload: Upload | None = None, document: object | None = None) -> ApiAnswer:
        request = ApiRequest(method, path, self.token, document=document, upload=upload, headers=self.headers)
        return self.api.send(request, timeout_s=self.timeout_s)


@contextmanager
def session(ports: Ports, username: str | None = None) -> Generator[tuple[str, str]]:
    """Open a session of a user, by default a superuser: name and token, valid until the block ends."""
    person = username or some_superuser(ports)
    token = ports.directory.open_session(person, seconds=SESSION_S)
    try:
        yield person, token
    finally:
        with suppress(QfcError):
            ports.directory.close_session(token)


def some_superuser(ports: Ports) -> str:
    """Return the name of a superuser who may log in. Raises NotFoundError."""
    for user in ports.directory.users():
        if user.is_superuser and user.is_active and user.type == "person":
            return user.username
    raise NotFoundError(
        "No superuser can log in; the test of the server needs one.", hint="Type: qfc users create NAME --superuser"
    )


@contextmanager
def probe_project(
    api: Api, person: str, token: str, headers: Mapping[str, str] | None = None
) -> Generator[ProbeProject]:
    """Create a project for a user; it is removed when the block ends."""
    project = create_project(api, person, token, headers or {})
    try:
        yield project
    finally:
        with suppress(QfcError):
            project.remove()


def create_project(
    api: Api, person: str, token: str, headers: Mapping[str, str], *, name: str | None = None
) -> ProbeProject:
    """Create a project. Raises ProbeError."""
    document = {
        "name": name or f"{NAME}-{secrets.token_hex(4)}",
        "owner": person,
        "description": "Temporary test project of qfc; it is removed automatically.",
        "is_public": False,
    }
    answer = api.send(ApiRequest("POST", "/api/v1/projects/", token, document=document, headers=headers))
    _require(answer, "the request for a new project")
    created = _fields(answer)
    if "id" not in created:
        raise ProbeError("The server created a project but did not return its id.")
    return ProbeProject(api, token, str(created["id"]), headers)


def await_job(ports: Ports, project_id: str, type: str, *, limit_s: float) -> Job:
    """Wait until the newest job of this type and project has finished. Raises ProbeError with the reason if not."""
    found = _await(ports, project_id, type, lambda status: status.is_final, limit_s)
    job = ports.jobs.job(found.id)
    if job.status != "finished":
        message = text_of(job.feedback or {}, job.output) or "no message"
        raise ProbeError(f"The job {type} {job.status}: {message}", hint=f"Type: qfc logs --job {job.id}")
    return job


def await_taken(ports: Ports, project_id: str, type: str, *, limit_s: float) -> None:
    """Wait until a worker has picked up the newest job of this type and project. Raises ProbeError."""
    _await(ports, project_id, type, lambda status: status is not JobStatus.PENDING, limit_s)


def await_idle(ports: Ports, project_id: str, *, limit_s: float) -> bool:
    """Wait until no job of the project waits or runs, or until the time is over; return whether none does.

    Since v26 each applied edit is followed by a job that processes the project file.
    """
    active = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
    return wait_until(
        ports.clock,
        lambda: not ports.jobs.jobs(project_id=project_id, statuses=active, limit=1),
        limit_s=limit_s,
        poll_s=POLL_S,
    )


def _await(ports: Ports, project_id: str, type: str, wanted: Callable[[JobStatus], bool], limit_s: float) -> Job:
    def newest() -> Job | None:
        return next(iter(ports.jobs.jobs(project_id=project_id, type=type, limit=1)), None)

    def awaited() -> Job | None:
        found = newest()
        return found if found and wanted(found.status) else None

    found = wait_until(ports.clock, awaited, limit_s=limit_s, poll_s=POLL_S)
    if found is None:
        last = newest()
        state = f"is still {last.status}" if last else "was never created"
        raise ProbeError(f"The job {type} {state} after {limit_s:.0f} s.", hint="Type: qfc workers list, qfc logs")
    return found


def _require(answer: ApiAnswer, what: str) -> None:
    if answer.is_good:
        return
    fields = _fields(answer)
    words = fields.get("message") or fields.get("code")
    raise ProbeError(f"The server answered {answer.status} to {what}{f': {words}' if words else ''}.")


def _fields(answer: ApiAnswer) -> dict[str, object]:
    document = answer.document
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()

"""A logged-in client: the official SDK, and plain HTTP for the two calls that it lacks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from .results import ScenarioError

if TYPE_CHECKING:
    from qfieldcloud_sdk.sdk import Client

#: Seconds. Nothing in the demo takes longer; a longer wait means a fault.
PATIENCE_S = 90.0
T = TypeVar("T")
OPEN_STATUSES = ("pending", "queued", "started")


@dataclass(frozen=True)
class RemoteFile:
    """A file in a listing."""

    name: str
    size: int
    md5: str


@dataclass(frozen=True)
class JobView:
    """A job as the API reports it."""

    id: str
    type: str
    status: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended."""
        return self.status in OPEN_STATUSES

    @property
    def seconds(self) -> float:
        """From creation to the end, by the server's clock."""
        return ((self.finished_at or self.created_at) - self.created_at).total_seconds()


class Device:
    """One user on one device. Each thread needs its own `copy()`: the SDK's connections cannot be shared."""

    def __init__(self, url: str, username: str, token: str = "") -> None:
        from qfieldcloud_sdk.sdk import Client

        self.url = url.rstrip("/") + "/"
        self.username = username
        self.client: Client = Client(self.url, token=token)

    def login(self, password: str) -> None:
        """Get a token. Raises the SDK's QfcRequestException."""
        self.client.login(self.username, password)

    def copy(self) -> Device:
        """Return the same user with a connection of their own."""
        return Device(self.url, self.username, self.client.token)

    def keep_conflicts(self, project_id: str) -> None:
        """Configure the project so that later edits do not overwrite earlier ones that they did not know."""
        self._http("PATCH", f"projects/{project_id}/", {"overwrite_conflicts": False})

    def download_project(self, project_id: str, folder: Path) -> None:
        """Download the project's files."""
        self._untyped.download_project(project_id, str(folder), throw_on_error=True)

    def download_package(self, project_id: str, folder: Path) -> None:
        """Download the newest package."""
        self._untyped.package_download(project_id, str(folder), throw_on_error=True)

    def upload(self, project_id: str, path: Path, name: str) -> None:
        """Upload a file of the project under a name."""
        from qfieldcloud_sdk.sdk import FileTransferType

        self.client.upload_file(project_id, FileTransferType.PROJECT, path, Path(name), show_progress=False)

    def deltas(self, project_id: str) -> list[dict[str, Any]]:
        """Return all deltas of the project, as the server lists them."""
        return cast("list[dict[str, Any]]", self._http("GET", f"deltas/{project_id}/"))

    def files(self, project_id: str) -> list[RemoteFile]:
        """Return the project's files."""
        return _remote_files(self.client.list_remote_files(project_id))

    def package_files(self, project_id: str) -> list[RemoteFile]:
        """Return the files of the newest package."""
        return _remote_files(self.client.package_latest(project_id)["files"])

    def jobs(self, project_id: str) -> list[JobView]:
        """Return all jobs of the project."""
        return [_job(row) for row in self.client.list_jobs(project_id)]

    def job(self, job_id: str) -> JobView:
        """Return one job."""
        return _job(self.client.job_status(job_id))

    def push(self, project_id: str, deltafile: dict[str, Any], folder: Path) -> None:
        """Send a deltafile; `folder` is where the SDK reads it from."""
        path = folder / f"{deltafile['id']}.json"
        path.write_text(json.dumps(deltafile), encoding="utf-8")
        self.client.push_delta(project_id, str(path))

    def wait_for_job(self, find: Callable[[Sequence[JobView]], JobView | None], project_id: str) -> JobView:
        """Wait until the job that `find` picks has finished. Raises ScenarioError when it fails or takes too long."""

        def finished() -> JobView | None:
            job = find(self.jobs(project_id))
            return None if job is None or job.is_open else job

        job = wait_until(finished, "a job to finish")
        if job.status != "finished":
            raise ScenarioError(f"{job.type} job {job.id} ended as {job.status}: {self._reason(job.id)}")
        return job

    @property
    def _untyped(self) -> Any:
        """The client, for methods whose own types are incomplete."""
        return self.client

    def _reason(self, job_id: str) -> str:
        answer = self.client.job_status(job_id)
        return str(answer.get("output") or answer.get("feedback"))[-400:]

    def _http(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"token {self.client.token}"}
        answer = httpx.request(method, self.url + path, json=body, headers=headers, timeout=30)
        if answer.is_error:
            raise ScenarioError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None


def wait_until(look: Callable[[], T | None], what: str, pause_s: float = 0.05) -> T:
    """Call `look` until it returns a value. Raises ScenarioError after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(pause_s)
    raise ScenarioError(f"waited {PATIENCE_S:.0f} s for {what}")


def _remote_files(rows: Sequence[dict[str, Any]]) -> list[RemoteFile]:
    return [RemoteFile(row["name"], row["size"], row["md5sum"]) for row in rows]


def _job(row: dict[str, Any]) -> JobView:
    created, finished = row["created_at"], row["finished_at"]
    end = datetime.fromisoformat(finished) if finished else None
    return JobView(row["id"], row["type"], row["status"], datetime.fromisoformat(created), end)

"""A project on a deployment, as devices use it, and the rows that people care about."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Protocol

import httpx

from compose_world import ADMIN, ROOT, Deployment, as_stack
from qfc.operations.proof import deltafile

PROBE = ROOT / "src/qfc/probe_project"
WAIT_S = 90
#: What people lose when a server is lost. Accounts change with each login.
TABLES = ("core_project", "filestorage_file", "filestorage_fileversion", "core_delta", "core_job")


class Survey:
    """A project on a deployment, as a device sees it."""

    def __init__(self, made: Deployment, http: httpx.Client) -> None:
        self.made, self.http = made, http
        name = f"survey{time.time_ns()}"
        self.name = f"{ADMIN}/{name}"
        self.id = http.post("/api/v1/projects/", json={"name": name, "owner": ADMIN}).json()["id"]
        for path in sorted(PROBE.iterdir()):
            self.upload(path.name, path.read_bytes())
        self.await_quiet()

    def upload(self, name: str, content: bytes) -> None:
        """Upload a file."""
        answer = self.http.post(f"/api/v1/files/{self.id}/{name}/", files={"file": io.BytesIO(content)})
        assert answer.status_code < 300, answer.text

    def files(self) -> dict[str, bytes]:
        """Return all files with their content."""
        names = [one["name"] for one in self.http.get(f"/api/v1/files/{self.id}/").json()]
        return {name: self.http.get(f"/api/v1/files/{self.id}/{name}/").content for name in names}

    def push(self, name: str) -> str:
        """Send an edit; return its id."""
        edit = deltafile(self.id, name)
        answer = self.http.post(f"/api/v1/deltas/{self.id}/", files={"file": json.dumps(edit).encode()})
        assert answer.status_code < 300, answer.text
        return str(edit["deltas"][0]["uuid"])

    def await_quiet(self) -> None:
        """Wait until no job of it runs."""
        deadline = time.monotonic() + WAIT_S
        while {one["status"] for one in self.jobs()} - {"finished", "failed"}:
            assert time.monotonic() < deadline, self.jobs()
            time.sleep(0.3)

    def jobs(self) -> Any:
        """Return its jobs."""
        return self.http.get("/api/v1/jobs/", params={"project_id": self.id}).json()


@contextmanager
def a_survey(made: Deployment) -> Iterator[Survey]:
    """Yield a new project of a user who is logged in."""
    with made.device() as http:
        yield Survey(made, http)


def rows(made: Deployment) -> dict[str, list[str]]:
    """Return all rows of the tables that people care about."""
    with as_stack(made) as stack, stack.database() as connection:
        return {
            one: sorted(str(row[0]) for row in connection.execute(f"select t::text from {one} t"))  # type: ignore
            for one in TABLES
        }


class Uploads(Protocol):
    """Somebody who uploads files to a server."""

    def upload(self, name: str, content: bytes, /) -> object:
        """Upload a file."""
        ...


@contextmanager
def uploads(server: Uploads) -> Iterator[list[str]]:
    """Upload one file after the other during the block."""
    done: list[str] = []
    over = Event()

    def work() -> None:
        while not over.is_set():
            name = f"during-{len(done)}.bin"
            server.upload(name, os.urandom(50_000))
            done.append(name)

    thread = Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()

"""SIGKILL at random moments in a real stack: every edit arrives exactly once, nothing is incomplete or blocked.

`QFC_TEST_CRASHES` is the number of kills: 22 by default, 220 for the long form (200 workers, 20 databases and servers).
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from qfc_node.storage.etags import tag_of
from stack import Stack, running_stack

DEMO = Path(__file__).parents[2] / "src/qfc/demo_project"
POLES = "poles_716beedc_1047_5769_839b_80443a12e49e"
KILLS = int(os.environ.get("QFC_TEST_CRASHES", "22"))
SEED = int(os.environ.get("QFC_TEST_CRASH_SEED", str(random.SystemRandom().randrange(10**6))))
PHOTO = "DCIM/pole.jpg"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running_stack(workers=2) as stack:
        yield stack


class Surveyor:
    """Pushes edits without end, and repeats each one until the server confirms it."""

    def __init__(self, stack: Stack) -> None:
        stack.qfc("users", "create", "alice", "--email", "alice@example.com", "--password-stdin", stdin=PASSWORD)
        self.http = httpx.Client(base_url=stack.url, timeout=30)
        answer = self.http.post("auth/login/", json={"username": "alice", "password": PASSWORD})
        self.http.headers["Authorization"] = f"Token {answer.json()['token']}"
        self.project: str = self.http.post("projects/", json={"name": "survey", "owner": "alice"}).json()["id"]
        for path in sorted(DEMO.iterdir()):
            if path.suffix in {".qgs", ".gpkg", ".csv", ".tif"}:
                assert self.http.post(
                    f"files/{self.project}/{path.name}/", files={"file": path.read_bytes()}
                ).is_success
        self.created: list[str] = []
        self.remark = ""
        self.photo = b""
        self.client_id = str(uuid.uuid4())

    def push(self) -> None:
        """Three new poles and a remark on an old one."""
        keys = [str(uuid.uuid4()) for _ in range(3)]
        remark = str(uuid.uuid4())
        deltas = [self._create(key) for key in keys]
        deltas.append(self._delta("patch", "1", new={"attributes": {"remarks": remark}}, old={"attributes": {}}))
        body = {"id": str(uuid.uuid4()), "project": self.project, "version": "1.0", "files": [], "deltas": deltas}
        self._insist("POST", f"deltas/{self.project}/", json.dumps(body).encode())
        self.created += keys
        self.remark = remark

    def take_photo(self) -> None:
        """Upload a new version of a photo; it counts once the server has confirmed it."""
        photo = os.urandom(300_000)
        self._insist("POST", f"files/{self.project}/{PHOTO}/", photo)
        self.photo = photo

    def package(self) -> None:
        """Request a package; the answer does not matter."""
        with suppress(httpx.TransportError):
            self.http.post("jobs/", json={"project_id": self.project, "type": "package"})

    def get(self, path: str) -> httpx.Response:
        """Read something; open connections to a killed server break at their next use."""
        for _ in range(20):
            with suppress(httpx.TransportError):
                return self.http.get(path)
            time.sleep(0.1)
        raise AssertionError(f"the server does not answer: {path}")

    def _create(self, key: str) -> dict[str, Any]:
        attributes = {"uuid": key, "code": f"X-{key[:8]}", "height_m": 8.5}
        return self._delta("create", key, new={"geometry": "Point (612500 5300000)", "attributes": attributes})

    def _delta(self, method: str, key: str, **states: Any) -> dict[str, Any]:
        return {
            "uuid": str(uuid.uuid4()),
            "clientId": self.client_id,
            "exportId": str(uuid.uuid4()),
            "localPk": key,
            "sourcePk": key,
            "localLayerId": POLES,
            "sourceLayerId": POLES,
            "method": method,
            **states,
        }

    def _insist(self, method: str, path: str, content: bytes) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = self.http.request(method, path, files={"file": content})
                if answer.is_success:
                    return
                assert answer.status_code >= 500, answer.text
            time.sleep(0.1)
        raise AssertionError(f"the server does not come back: {path}")


class Killer:
    """Kills workers in the middle of jobs, and now and then the database or the API server."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self._stack = stack
        self._rng = rng
        self.kills: list[str] = []

    def kill(self) -> None:
        """Kill one process at a random moment of a job."""
        victim = ["worker"] * 10 + ["db"]
        what = victim[len(self.kills) % len(victim)]
        if what == "db" and len(self.kills) % 2:
            what = "app"
        pid = self._busy_worker() if what == "worker" else self._rng.choice(self._stack.pids(what) or [0])
        if not pid:
            return
        time.sleep(self._rng.uniform(0, 0.35))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills.append(what)

    def _busy_worker(self) -> int | None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(psycopg.Error, OSError), self._stack.database() as connection:
                while time.monotonic() < deadline:
                    row = connection.execute(
                        "select w.pid from core_job j join node_worker w on w.id::text = j.container_id "
                        "where j.status in ('queued', 'started') order by random() limit 1"
                    ).fetchone()
                    if row:
                        return int(row[0])
                    time.sleep(0.005)
            time.sleep(0.1)
        return None


def push_without_end(surveyor: Surveyor, stop: threading.Event, failures: list[BaseException]) -> None:
    try:
        turn = 0
        while not stop.is_set():
            surveyor.push()
            turn += 1
            if turn % 3 == 0:
                surveyor.package()
            if turn % 2 == 0:
                surveyor.take_photo()
            stop.wait(0.25)
    except BaseException as error:
        failures.append(error)


def wait_for_the_end(stack: Stack, surveyor: Surveyor) -> None:
    """Wait until nothing is open; apply deltas of jobs that died three times again, as an operator would."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(psycopg.Error, OSError, httpx.TransportError), stack.database() as connection:
            open_jobs = connection.execute(
                "select count(*) from core_job where status in ('pending', 'queued', 'started')"
            ).fetchone()
            waiting = connection.execute("select count(*) from core_delta where last_status <> 'applied'").fetchone()
            if open_jobs == (0,) and waiting == (0,):
                return
            if open_jobs == (0,):
                surveyor.http.post(f"deltas/apply/{surveyor.project}/")
        time.sleep(0.3)
    raise AssertionError(stack.qfc("sync", "queue", check=False))


def download(surveyor: Surveyor, folder: Path) -> Path:
    content = surveyor.get(f"files/{surveyor.project}/network.gpkg/").content
    listed = {file["name"]: file for file in surveyor.get(f"files/{surveyor.project}/").json()}
    assert tag_of(io.BytesIO(content)) == listed["network.gpkg"]["md5sum"]
    path = folder / "network.gpkg"
    path.write_bytes(content)
    return path


@pytest.mark.slow
@pytest.mark.timeout(60 + KILLS * 30)
def test_every_edit_arrives_exactly_once_whatever_is_killed(
    stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    print(f"QFC_TEST_CRASH_SEED={SEED}")
    surveyor, killer = Surveyor(stack), Killer(stack, random.Random(SEED))
    request.addfinalizer(surveyor.http.close)
    stop, failures = threading.Event(), list[BaseException]()
    pusher = threading.Thread(target=push_without_end, args=(surveyor, stop, failures))
    pusher.start()
    try:
        deadline = time.monotonic() + KILLS * 20
        while len(killer.kills) < KILLS and time.monotonic() < deadline and not failures:
            killer.kill()
    finally:
        stop.set()
        pusher.join()
    assert failures == []
    assert len(killer.kills) == KILLS, f"only {len(killer.kills)} kills hit"
    wait_for_the_end(stack, surveyor)

    with closing(sqlite3.connect(download(surveyor, tmp_path))) as gpkg:
        assert gpkg.execute("pragma integrity_check").fetchone() == ("ok",)
        rows = dict(gpkg.execute("select uuid, count(*) from poles where code like 'X-%' group by 1").fetchall())
        remark = gpkg.execute("select remarks from poles where fid = 1").fetchone()
    assert rows == dict.fromkeys(surveyor.created, 1), "each new pole is there exactly once"
    assert remark == (surveyor.remark,), "the last remark won"

    assert surveyor.get(f"files/{surveyor.project}/{PHOTO}/").content == surveyor.photo, "the last photo is there"

    with stack.database() as connection:
        states = connection.execute("select last_status, count(*) from core_delta group by 1").fetchall()
        assert states == [("applied", len(surveyor.created) // 3 * 4)]
        versions = connection.execute("select content, size, etag from filestorage_fileversion").fetchall()
    blobs = {path.name: path for path in stack.home.rglob("blobs/??/*")}
    for content, size, etag in versions:
        data = blobs[content].read_bytes()
        assert (len(data), tag_of(io.BytesIO(data))) == (size, etag), "no version is half there"
    surveyor.package()
    wait_for_the_end(stack, surveyor)
    assert surveyor.get(f"packages/{surveyor.project}/latest/").status_code == 200

"""Known failures of official servers, tested over HTTP on a running node, which must not have them."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from node import Node
from qfc.drivers.postgres_server import Endpoint, connect

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def journal_node(module_database: Endpoint, module_folder: Path) -> Iterator[Node]:
    """A node for all tests: an API server, and a user."""
    settings = {"QFC_NODE_GIS_ENGINE": "engines.JournalEngine", "PYTHONPATH": str(Path(__file__).parents[1])}
    with Node(module_database, module_folder, **settings) as node:
        node.start_app()
        node.create_user("alice")
        yield node


@pytest.fixture
def node_with_journal(journal_node: Node) -> Iterator[Node]:
    """The node without projects and workers, and with nobody logged in."""
    yield journal_node
    journal_node.end_workers()
    with connect(journal_node.endpoint) as connection:
        connection.execute("truncate core_project, authentication_authtoken, node_worker cascade")
    for left in (*journal_node.folder.glob("jobs/*"), *journal_node.folder.glob("staging/*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


class Person:
    """A logged-in user with a project."""

    def __init__(self, node: Node, name: str = "alice") -> None:
        self.http = node.resources.enter_context(httpx.Client(base_url=node.url, timeout=60))
        answer = self.http.post("auth/login/", json={"username": name, "password": PASSWORD})
        self.token = answer.json()["token"]
        self.http.headers["Authorization"] = f"Token {self.token}"

    def make_project(self, **wish: Any) -> str:
        project: str = self.http.post("projects/", json={"name": uuid.uuid4().hex, "owner": "alice"}).json()["id"]
        self.upload(project, "journal.txt", b"")
        self.upload(project, "project.qgs", f"<qgis>{json.dumps(wish)}</qgis>".encode())
        return project

    def upload(self, project: str, name: str, content: bytes) -> None:
        assert self.http.post(f"files/{project}/{name}/", files={"file": content}).status_code == 201

    def push(self, project: str, *, count: int = 1, deltafile_id: str | None = None) -> list[str]:
        deltas = [delta() for _ in range(count)]
        body = {
            "id": deltafile_id or str(uuid.uuid4()),
            "project": project,
            "version": "1.0",
            "files": [],
            "deltas": deltas,
        }
        answer = self.http.post(f"deltas/{project}/", files={"file": json.dumps(body).encode()})
        assert answer.status_code == 200, answer.text
        return [item["uuid"] for item in deltas]

    def jobs(self, project: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self.http.get("jobs/", params={"project_id": project}).json()
        return answer

    def wait(self, project: str, seconds: float = 60) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            jobs = self.jobs(project)
            if all(job["status"] in {"finished", "failed", "stopped"} for job in jobs):
                return jobs
            time.sleep(0.05)
        raise AssertionError(self.jobs(project))

    def journal(self, project: str) -> list[str]:
        return self.http.get(f"files/{project}/journal.txt/").text.split()


def delta() -> dict[str, Any]:
    key = str(uuid.uuid4())
    return {
        "uuid": key,
        "clientId": str(uuid.uuid4()),
        "exportId": str(uuid.uuid4()),
        "localPk": "1",
        "sourcePk": "1",
        "localLayerId": "layer",
        "sourceLayerId": "layer",
        "method": "create",
        "new": {"geometry": "Point (1 2)", "attributes": {"name": key}},
    }


def test_deltas_pushed_while_nothing_runs_are_applied_once_each(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project()
    pushed = [*alice.push(project), *alice.push(project, count=2), *alice.push(project)]
    node_with_journal.start_worker()
    alice.wait(project)
    assert alice.journal(project) == pushed


def test_deltas_pushed_while_an_apply_job_runs_belong_to_exactly_one_job(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project(seconds=0.4)
    for _ in range(2):
        node_with_journal.start_worker()
    alice.wait(project)
    pushed: list[str] = []
    for _ in range(8):
        pushed += alice.push(project)
        time.sleep(0.15)
    jobs = alice.wait(project)
    assert alice.journal(project) == pushed
    with connect(node_with_journal.endpoint) as connection:
        rows = connection.execute("select delta_id, count(*) from core_applyjobdelta group by 1").fetchall()
    assert {row[1] for row in rows} == {1}
    assert {str(row[0]) for row in rows} == set(pushed)
    assert [job["type"] for job in jobs].count("delta_apply") >= 2


def test_the_same_deltafile_twice_is_harmless(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project()
    one = delta()
    body = {"id": str(uuid.uuid4()), "project": project, "version": "1.0", "files": [], "deltas": [one]}
    for _ in range(3):
        assert alice.http.post(f"deltas/{project}/", files={"file": json.dumps(body).encode()}).status_code == 200
    node_with_journal.start_worker()
    alice.wait(project)
    assert alice.journal(project) == [one["uuid"]]


def test_a_delta_job_causes_no_second_job(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project()
    node_with_journal.start_worker()
    alice.wait(project)
    before = len(alice.jobs(project))
    alice.push(project)
    alice.wait(project)
    assert len(alice.jobs(project)) == before + 1


def test_jobs_are_listed_by_project_in_the_query_and_in_the_body(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project, other = alice.make_project(), alice.make_project()
    by_query = alice.http.get("jobs/", params={"project_id": project}).json()
    by_json = alice.http.request("GET", "jobs/", json={"project_id": project}).json()
    by_form = alice.http.request("GET", "jobs", data={"project_id": project}).json()
    assert by_query == by_json == by_form != []
    assert {job["project_id"] for job in by_query} == {project} != {other}


def test_a_login_ends_no_other_device_s_token_and_a_logout_only_its_own(node_with_journal: Node) -> None:
    first, second = Person(node_with_journal), Person(node_with_journal)
    assert first.token != second.token
    assert first.http.get("auth/user/").status_code == 200
    assert second.http.post("auth/logout/").status_code == 200
    assert second.http.get("auth/user/").status_code == 401
    assert first.http.get("auth/user/").status_code == 200


def test_a_stranger_sees_and_starts_no_job(node_with_journal: Node) -> None:
    node_with_journal.create_user("bob")
    alice, bob = Person(node_with_journal), Person(node_with_journal, "bob")
    project = alice.make_project()
    job = alice.jobs(project)[0]["id"]
    assert bob.http.get(f"jobs/{job}/").status_code in {403, 404}
    assert bob.http.get("jobs/", params={"project_id": project}).status_code in {403, 404}
    assert bob.http.post("jobs/", json={"project_id": project, "type": "package"}).status_code in {403, 404}
    assert len(alice.jobs(project)) == 1


@pytest.mark.parametrize(
    "path",
    ["projects/{}/", "jobs/{}/", "files/{}/", "files/{}/x.txt/", "deltas/{}/", "packages/{}/latest/", "nonsense/{}/"],
)
def test_unknown_ids_are_not_found(node_with_journal: Node, path: str) -> None:
    alice = Person(node_with_journal)
    answer = alice.http.get(path.format(uuid.uuid4()))
    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message"}


def test_a_failed_job_has_an_end_and_leaves_nothing_behind(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project(misbehave="raise")
    worker = node_with_journal.start_worker()
    (job,) = alice.wait(project)
    assert (job["status"], job["finished_at"] is not None) == ("failed", True)
    assert job["updated_at"] >= job["finished_at"]
    answer = alice.http.post("jobs/", json={"project_id": project, "type": "package"})
    assert answer.status_code == 201
    assert alice.wait(project)[0]["status"] == "failed"
    with connect(node_with_journal.endpoint) as connection:
        tokens = connection.execute("select count(*) from authentication_authtoken").fetchone()
        packages = connection.execute("select count(*) from filestorage_file where file_type = 2").fetchone()
    assert (tokens, packages) == ((1,), (0,))
    worker.terminate()
    worker.wait(timeout=30)
    assert list((node_with_journal.folder / "jobs").iterdir()) == []
    assert list((node_with_journal.folder / "staging").iterdir()) == []


def test_the_status_names_what_is_down(node_with_journal: Node) -> None:
    """It answers 200 as long as the API can serve, with the truth in its body."""
    database = node_with_journal.endpoint
    node_with_journal.start_worker()
    deadline = time.monotonic() + 30
    while (answer := status_of(node_with_journal)).json()["storage"] != "ok":
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    with in_the_way(node_with_journal.folder / "staging"):
        broken = status_of(node_with_journal)
    assert (broken.status_code, broken.json()["storage"]) == (200, "error")
    assert status_of(node_with_journal).json()["storage"] == "ok"
    server = Endpoint(database.host, database.port, database.user, database.password)
    with connect(server, autocommit=True) as connection:
        connection.execute(f"alter database {database.database} with allow_connections false")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database.database]
        )
        down = status_of(node_with_journal)
        refused = httpx.get(f"{node_with_journal.url}projects/", headers={"Authorization": "Token x"}, timeout=30)
        connection.execute(f"alter database {database.database} with allow_connections true")
    assert (down.status_code, refused.status_code) == (503, 503)
    assert down.json()["database"] == "error"
    assert status_of(node_with_journal).json()["database"] == "ok"


def status_of(node: Node) -> httpx.Response:
    return httpx.get(f"{node.url}status/", timeout=30)


@contextmanager
def in_the_way(folder: Path) -> Iterator[None]:
    """Put a file in the place of a folder for a block."""
    away = folder.rename(folder.with_name("away"))
    folder.write_text("a file in the way of a folder")
    try:
        yield
    finally:
        folder.unlink()
        away.rename(folder)


def test_jobs_that_wait_without_a_worker_are_no_secret(node_with_journal: Node) -> None:
    alice = Person(node_with_journal)
    project = alice.make_project()
    with connect(node_with_journal.endpoint) as connection:
        connection.execute("set session_replication_role = replica")  # or the trigger would move updated_at
        connection.execute("update core_job set updated_at = now() - interval '10 minutes'")
    assert status_of(node_with_journal).json()["queue"] != "ok"
    node_with_journal.start_worker()
    alice.wait(project)
    assert status_of(node_with_journal).json()["queue"] == "ok"

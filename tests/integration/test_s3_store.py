"""Blobs in a real S3 store (MinIO): the same guarantees as in a folder, and an honest report when it is down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from qfieldcloud_sdk.utils import calc_etag

from minio_server import MinIO
from node import Node
from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def s3_node(database: Endpoint, node_folder: Path, minio: MinIO) -> Iterator[Node]:
    settings = {
        **minio.settings,
        "QFC_NODE_GIS_ENGINE": "engines.JournalEngine",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    with Node(database, node_folder, **settings) as node:
        node.start_app()
        yield node


@pytest.fixture
def client(s3_node: Node) -> Iterator[httpx.Client]:
    s3_node.create_user("alice")
    with httpx.Client(base_url=s3_node.url, timeout=60) as client:
        login = client.post("auth/login/", json={"username": "alice", "password": "correct-horse-battery"})
        client.headers["Authorization"] = f"Token {login.json()['token']}"
        yield client


def wait_for_job(client: httpx.Client, job_id: str) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        status: str = client.get(f"jobs/{job_id}/").json()["status"]
        if status in {"finished", "failed"}:
            return status
        time.sleep(0.1)
    raise AssertionError("the job does not end")


@pytest.mark.s3
def test_files_packages_and_outages(client: httpx.Client, s3_node: Node, minio: MinIO) -> None:
    project = client.post("projects/", json={"name": "survey", "owner": "alice"}).json()["id"]
    content = bytes(range(256)) * 40_000
    (big := s3_node.folder / "big.bin").write_bytes(content)
    well = b'<qgis>{"misbehave": "nothing"}</qgis>'
    assert client.post(f"files/{project}/project.qgs/", files={"file": well}).status_code == 201
    assert client.post(f"files/{project}/journal.txt/", files={"file": b"one\n"}).status_code == 201
    assert client.post(f"files/{project}/big.bin/", files={"file": content}).status_code == 201

    listed = {file["name"]: file for file in client.get(f"files/{project}/").json()}
    assert listed["big.bin"]["md5sum"] == calc_etag(str(big))
    assert client.get(f"files/{project}/big.bin/").content == content
    part = client.get(f"files/{project}/big.bin/", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])

    s3_node.start_worker()
    job = client.post("jobs/", json={"project_id": project, "type": "package"}).json()["id"]
    assert wait_for_job(client, job) == "finished", s3_node.log[-3000:]
    latest = client.get(f"packages/{project}/latest/").json()
    assert {file["name"] for file in latest["files"]} >= {"data.gpkg", "journal.txt"}
    assert client.get(f"packages/{project}/latest/files/data.gpkg/").content == b"\neno"

    minio.stop()
    assert client.get("status/").json()["storage"] == "error"
    assert client.post(f"files/{project}/late.txt/", files={"file": b"x"}).status_code == 503
    job = client.post("jobs/", json={"project_id": project, "type": "package"}).json()["id"]
    time.sleep(3)
    assert client.get(f"jobs/{job}/").json()["status"] in {"pending", "started", "queued"}, "an outage fails no job"
    minio.start()
    assert wait_for_job(client, job) == "finished", s3_node.log[-3000:]
    assert client.get("status/").json()["storage"] == "ok"
    names = [file["name"] for file in client.get(f"files/{project}/").json()]
    assert "late.txt" not in names, "what could not be stored is not listed"


#: Adopts a blob; prints whether it is among those that are older than a minute, or than the time in a minute.
YOUNG = """
from qfc_node.storage.blobs import stage
from qfc_node.storage.store import blob_store
staged, store = stage(), blob_store()
staged.write(b"young")
key = store.adopt(staged).key
staged.close()
print([key in store.older_than(seconds) for seconds in (60, -60)], store.exists(key))
store.delete(key)
print(store.exists(key))
"""


@pytest.mark.s3
def test_only_blobs_of_some_age_are_listed_for_the_sweep(s3_node: Node) -> None:
    assert s3_node.command("shell", "-c", YOUNG).splitlines()[-2:] == ["[False, True] True", "False"]

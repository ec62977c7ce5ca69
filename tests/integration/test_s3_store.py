"""Blobs in a real S3 store (MinIO): the same promises as in a folder, and the truth when it is away."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node import Node, end, free_port
from qfc.drivers.postgres_server import Endpoint
from requirements import require

ACCESS, SECRET, BUCKET = "qfc-test-access", "qfc-test-secret-key", "qfc-test"


class MinIO:
    """A MinIO server on a folder."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        environment = {"MINIO_ROOT_USER": ACCESS, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(self._folder)}
        argv = [self._program, "server", "--quiet", "--address", f"127.0.0.1:{self._port}", str(self._folder / "data")]
        with (self._folder / "minio.log").open("ab") as log:
            self._process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log, start_new_session=True)
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.endpoint}/minio/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "minio.log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, signal.SIGKILL)
            self._process = None


@pytest.fixture
def minio(node_folder: Path) -> Iterator[MinIO]:
    program = shutil.which("minio")
    require("s3", program is not None, "the program minio is not on the path")
    assert program is not None
    folder = node_folder / "minio"
    folder.mkdir()
    server = MinIO(program, folder)
    server.start()
    make_bucket = (
        "import boto3, sys; boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], "
        "aws_secret_access_key=sys.argv[3], region_name='us-east-1').create_bucket(Bucket=sys.argv[4])"
    )
    subprocess.run([sys.executable, "-c", make_bucket, server.endpoint, ACCESS, SECRET, BUCKET], check=True)
    yield server
    server.stop()


@pytest.fixture
def s3_node(database: Endpoint, node_folder: Path, minio: MinIO) -> Iterator[Node]:
    settings = {
        "STORAGE_BUCKET_NAME": BUCKET,
        "STORAGE_ACCESS_KEY_ID": ACCESS,
        "STORAGE_SECRET_ACCESS_KEY": SECRET,
        "STORAGE_ENDPOINT_URL": minio.endpoint,
        "STORAGE_REGION_NAME": "us-east-1",
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
    assert client.post(f"files/{project}/project.qgs/", files={"file": b'{"misbehave": "nothing"}'}).status_code == 201
    assert client.post(f"files/{project}/journal.txt/", files={"file": b"one\n"}).status_code == 201
    assert client.post(f"files/{project}/big.bin/", files={"file": content}).status_code == 201

    listed = {file["name"]: file for file in client.get(f"files/{project}/").json()}
    assert listed["big.bin"]["md5sum"] == hashlib.md5(content).hexdigest()
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
    status = client.get("status/")
    assert status.status_code == 503
    assert "error" in status.text
    assert client.post(f"files/{project}/late.txt/", files={"file": b"x"}).status_code == 503
    job = client.post("jobs/", json={"project_id": project, "type": "package"}).json()["id"]
    time.sleep(3)
    assert client.get(f"jobs/{job}/").json()["status"] in {"pending", "started", "queued"}, "an outage fails no job"
    minio.start()
    assert wait_for_job(client, job) == "finished", s3_node.log[-3000:]
    assert client.get("status/").status_code == 200
    names = [file["name"] for file in client.get(f"files/{project}/").json()]
    assert "late.txt" not in names, "what could not be stored is not listed"

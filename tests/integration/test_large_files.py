"""Large files: streamed and hashed in both directions, with constant memory.

`QFC_TEST_LARGE_MB` is the size: 700 by default; 2500 exceeds 32 bits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from node import Node
from qfc.stack.checksums import Checksums

SIZE = int(os.environ.get("QFC_TEST_LARGE_MB", "700")) * 10**6
#: Bytes that the whole transfer may add to the memory of the process that handles it.
FLAT = 64 * 1024**2
PASSWORD = "correct-horse-battery"


def peak(process: psutil.Process) -> int:
    """Return the peak memory of the process, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024


@pytest.fixture
def large_file(node_folder: Path) -> Iterator[Path]:
    path = node_folder / "large.bin"
    block = os.urandom(1024 * 1024)
    with path.open("wb") as file:
        while file.tell() < SIZE:
            file.write(block)
    yield path
    path.unlink()


@pytest.mark.slow
def test_memory_stays_flat_with_large_files(node: Node, large_file: Path) -> None:
    node.create_user("alice")
    http = node.resources.enter_context(httpx.Client(base_url=node.url, timeout=600))
    token = http.post("auth/login/", json={"username": "alice", "password": PASSWORD}).json()["token"]
    http.headers["Authorization"] = f"Token {token}"
    project = http.post("projects/", json={"name": "large", "owner": "alice"}).json()["id"]
    assert http.post(f"files/{project}/small.bin/", files={"file": b"warm up"}).status_code == 201
    (process,) = psutil.Process(node.app_pid).children()
    before = peak(process)

    with large_file.open("rb") as source:
        assert http.post(f"files/{project}/large.bin/", files={"file": source}).status_code == 201
    sums = Checksums()
    with http.stream("GET", f"files/{project}/large.bin/") as answer:
        for chunk in answer.iter_bytes():
            sums.update(chunk)
    listed = {file["name"]: file for file in http.get(f"files/{project}/").json()}

    assert (listed["large.bin"]["size"], listed["large.bin"]["md5sum"]) == (large_file.stat().st_size, sums.tag)
    tail = http.get(f"files/{project}/large.bin/", headers={"Range": "bytes=-1000"})
    assert tail.content == large_file.read_bytes()[-1000:]
    assert peak(process) - before < FLAT

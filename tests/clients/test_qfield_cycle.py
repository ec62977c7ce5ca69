"""A whole synchronisation in QField's own requests, over a network that cuts connections; then a second one.

Written from the contract: what QField sends, what it reads of each answer, and when it gives up.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from qfieldcloud_sdk.utils import calc_etag

from bad_network import BadNetwork, bad_network
from client_world import PASSWORD, PATIENCE_S, ClientWorld
from node import Node

PHOTO = "DCIM/large photo.jpg"
BYTES = random.Random(9).randbytes(9 * 1024**2)
ENDED = {"STATUS_APPLIED", "STATUS_CONFLICT", "STATUS_NOT_APPLIED", "STATUS_ERROR", "STATUS_IGNORED"}


class Phone:
    """QField on a phone: one connection for each request, no automatic retry."""

    def __init__(self, network: BadNetwork, folder: Any) -> None:
        self.network, self.folder = network, folder
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"User-Agent": "qfield|4.2.1|abc|QGIS", "Accept-Language": "de-CH"}
        url = f"http://127.0.0.1:{network.port}/api/v1/"
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60, limits=limits)
        self.tags: dict[str, str] = {}

    def get(self, path: str) -> Any:
        """GET JSON; QField sets the type of a body that it does not have."""
        answer = self.http.get(path, headers={"Content-Type": "application/json"})
        assert answer.is_success, answer.text
        return answer.json()

    def log_in(self, name: str) -> None:
        """Check the server, log in."""
        assert {"database", "storage", "incident_message"} <= set(self.get("status/"))
        assert self.get("server/info/")["auth_providers"][0]["id"] == "credentials"
        answer = self.http.post("auth/token/", json={"username": name, "password": PASSWORD}).json()
        assert answer["username"] == name
        self.http.headers["Authorization"] = f"Token {answer['token']}"

    def package(self, project: str) -> dict[str, Any]:
        """Have the project packaged, wait for it, return the package."""
        body = {"project_id": project, "type": "package"}
        job = self.http.post("jobs/", json=body).json()["id"]
        end = time.monotonic() + PATIENCE_S
        while (status := self.get(f"jobs/{job}/")["status"]) in ("pending", "queued", "started", "stopped"):
            assert time.monotonic() < end, "QField would wait for ever"
            time.sleep(0.1)
        assert status == "finished"
        found: dict[str, Any] = self.get(f"packages/{project}/latest/?skip_metadata=1")
        return found

    def fetch(self, project: str, package: dict[str, Any]) -> list[str]:
        """Download what has changed, in pieces if the network cuts; return the names."""
        changed = [file for file in package["files"] if self.tags.get(file["name"]) != file["md5sum"]]
        for file in changed:
            path = self.folder / file["name"].replace("/", "_")
            path.write_bytes(b"")
            while path.stat().st_size < file["size"]:
                self._continue(f"packages/{project}/latest/files/{quote(file['name'])}/", path)
            self.tags[file["name"]] = calc_etag(str(path))
            assert self.tags[file["name"]] == file["md5sum"], file["name"]
        return [file["name"] for file in changed]

    def _continue(self, address: str, path: Any) -> None:
        start = path.stat().st_size
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            with self.http.stream("GET", address, headers=headers) as answer, path.open("ab") as target:
                assert answer.status_code == (206 if start else 200), "QField appends what comes with 206 only"
                for chunk in answer.iter_raw():
                    target.write(chunk)
        except httpx.TransportError:
            pass

    def push(self, project: str, deltas: list[dict[str, Any]]) -> list[str]:
        """Send edits under a new id until an answer comes, then wait for their end; return their statuses."""
        document = {"id": "", "project": project, "version": "1.0", "files": [], "deltas": deltas}
        while True:
            document["id"] = str(uuid.uuid4())
            files = {"json": (None, "{}"), "file": ("deltafile.json", json.dumps(document))}
            try:
                assert self.http.post(f"deltas/{project}/", files=files).is_success
                break
            except httpx.TransportError:
                continue
        end = time.monotonic() + PATIENCE_S
        while True:
            rows = self.get(f"deltas/{project}/{document['id']}/")
            assert rows, "an empty list is an error for QField"
            assert all(row[key] for row in rows for key in ("id", "deltafile_id", "created_at", "updated_at", "status"))
            assert {row["deltafile_id"] for row in rows} == {document["id"]}
            if {row["status"] for row in rows} <= ENDED:
                return [row["status"] for row in rows]
            assert time.monotonic() < end, "QField would wait for ever"
            time.sleep(0.1)

    def send_photo(self, project: str, name: str, content: bytes) -> None:
        """Upload an attachment; the status has to be 201."""
        for _ in range(3):
            try:
                address = f"files/{project}/{quote(name)}/"
                assert self.http.post(address, files={"file": (name, content)}).status_code == 201
                return
            except httpx.TransportError:
                continue
        raise AssertionError("the photo does not arrive")


def new_features(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The edits that create features."""
    found = [each for each in deltas if each["method"] == "create"]
    assert found
    return found


def features(device: Phone) -> int:
    """How many features the device has."""
    with closing(sqlite3.connect(device.folder / "data.gpkg")) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")]
        return sum(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables)


@pytest.fixture
def world(node: Node, node_folder: Any) -> Iterator[ClientWorld]:
    node.start_worker()
    (node_folder / "client").mkdir()
    yield ClientWorld(node, node_folder / "client")


@pytest.mark.slow
def test_a_day_in_the_field_on_a_bad_network(world: ClientWorld) -> None:
    project = world.packaged
    deltas = json.loads(world.deltafile(project).read_text())["deltas"]
    with bad_network(world.node.port) as network:
        phone, second = Phone(network, world.new_folder()), Phone(network, world.new_folder())
        for device in (phone, second):
            device.log_in("alice")
        (listed,) = phone.get("projects/?limit=250&offset=0")
        assert (listed["id"], listed["status"], listed["can_repackage"]) == (project, "ok", True)
        phone.send_photo(project, PHOTO, BYTES)

        # The first synchronisation: the download of the photo is cut twice and goes on where it was cut.
        package = phone.package(project)
        photo = next(file for file in package["files"] if file["name"] == PHOTO)
        assert photo["is_attachment"] is True
        others = {**package, "files": [file for file in package["files"] if file is not photo]}
        phone.fetch(project, others)
        before = network.delivered
        network.cuts = [3_000_000, 3_000_000]
        assert phone.fetch(project, package) == [PHOTO]
        assert network.delivered - before < len(BYTES) + 100_000, "no byte travels twice"

        # The answer to the edits is lost: they are sent again under a new id, and are applied once.
        network.cuts = [0]
        statuses = phone.push(project, deltas)
        assert len(statuses) == len(deltas)
        assert set(statuses) == {"STATUS_APPLIED"}
        assert len(phone.get(f"deltas/{project}/")) == len(deltas)

        # The second synchronisation: only what the edits changed travels.
        package = phone.package(project)
        before = network.delivered
        assert PHOTO not in phone.fetch(project, package)
        assert network.delivered - before < len(BYTES)
        assert phone.fetch(project, phone.get(f"packages/{project}/latest/?skip_metadata=1")) == []

        # Another device gets the same bytes.
        second.fetch(project, package)
        assert second.tags == phone.tags

        # Its own edits, late and each request twice: they are stored and applied once, and both devices get them.
        before_edits = features(second)
        network.delay_s, network.repeats = 0.05, 1000
        edits = [{**edit, "uuid": str(uuid.uuid4()), "clientId": str(uuid.uuid4())} for edit in new_features(deltas)]
        second.send_photo(project, "DCIM/second.jpg", BYTES[:1000])
        assert second.push(project, edits) == ["STATUS_APPLIED"] * len(edits)
        network.delay_s, network.repeats = 0.0, 0
        settled = time.monotonic() + PATIENCE_S
        while network.repeated < 4 and time.monotonic() < settled:
            time.sleep(0.1)
        assert network.repeated >= 4, "the photo, the edits, and questions about them"
        assert len(second.get(f"deltas/{project}/")) == len(deltas) + len(edits)
        package = phone.package(project)
        for device in (phone, second):
            device.fetch(project, package)
            assert features(device) == before_edits + len(edits)
        assert phone.tags == second.tags

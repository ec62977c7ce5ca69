"""QField on a phone: its requests in its own form, over a network that may be bad."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import quote

import httpx
from qfieldcloud_sdk.utils import calc_etag

from bad_network import BadNetwork
from client_world import PASSWORD, PATIENCE_S

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

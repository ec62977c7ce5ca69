"""QFieldSync in QGIS: its requests in the form that Qt gives them; files whole, eight at a time, no retry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from qfieldcloud_sdk.utils import calc_etag

from client_world import PASSWORD

AT_ONCE = 8
BOUNDARY = "boundary_.oOo.QFieldRoxAndYouKnowItDXMtCoIPQV84CAX3rDyv83393"
JSON = {"Content-Type": "application/json"}
CHUNK = 64 * 1024


class Cancelled(Exception):  # noqa: N818
    """The user cancelled the transfer."""


@dataclass
class Transfers:
    """What one synchronisation moved, and what failed."""

    uploaded: list[str] = field(default_factory=list[str])
    downloaded: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])


class Desktop:
    """One user's QGIS, with a folder for a project."""

    def __init__(self, port: int, folder: Path) -> None:
        self.folder = folder
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"User-Agent": "Mozilla/5.0 QGIS/34400/Debian", "Accept-Language": "de-CH,en,*"}
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1/", headers=headers, timeout=60, limits=limits, trust_env=False
        )
        #: After so many bytes of its body the user cancels the upload of that file.
        self.cancels: dict[str, int] = {}

    def get(self, address: str, **query: Any) -> Any:
        """GET JSON. QFieldSync names the type of a body that it does not have, and ends every address with a slash."""
        answer = self.http.get(address, params=query, headers=JSON)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log_in(self, name: str) -> None:
        """Enable the form by the list of ways to log in, then log in with a password."""
        ways = self.get("auth/providers/")
        assert isinstance(ways, list)
        assert ("credentials", "credentials") in [(way["type"], way["id"]) for way in ways]
        answer = self.http.post("auth/login/", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["username"] == name
        assert "avatar_url" in found
        self.http.headers["Authorization"] = f"Token {found['token']}"

    def log_out(self) -> None:
        """Log out; the answer has to be an object."""
        answer = self.http.post("auth/logout/", content=b"", headers=JSON)
        assert answer.is_success
        assert isinstance(answer.json(), dict)

    def send(self, method: str, address: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Send JSON."""
        return self.http.request(method, address, json=body, headers=JSON)

    def cloud_files(self, project: str) -> dict[str, dict[str, Any]]:
        """The project's files by name, with what QFieldSync reads of them."""
        files = self.get(f"files/{project}/", client="qgis", skip_metadata=1)
        for file in files:
            newest = file["versions"][0]
            assert {"name", "size", "md5sum"} <= set(file)
            assert newest["uploaded_at"]
            assert newest["last_modified"]
        return {file["name"]: file for file in files}

    def synchronise(self, project: str, *, prefer: str = "local") -> Transfers:
        """Move what differs: first uploads, the project file as the last one; then downloads."""
        cloud = self.cloud_files(project)
        here = {
            path.relative_to(self.folder).as_posix(): calc_etag(str(path))
            for path in self.folder.rglob("*")
            if path.is_file() and not path.relative_to(self.folder).as_posix().startswith(".")
        }
        differ = [name for name in {**cloud, **here} if here.get(name) != cloud.get(name, {}).get("md5sum")]
        up = [name for name in differ if name in here and (prefer == "local" or name not in cloud)]
        up.sort(key=lambda name: name.endswith((".qgs", ".qgz")))
        done = Transfers()
        self._move(up, lambda name: self.upload(project, name), done.uploaded, done.failed)
        down = sorted(set(differ) - set(up))
        self._move(down, lambda name: self.download(project, name), done.downloaded, done.failed)
        return done

    @staticmethod
    def _move(names: list[str], move: Callable[[str], Any], moved: list[str], failed: list[str]) -> None:
        def attempt(name: str) -> bool:
            try:
                move(name)
            except (httpx.TransportError, Cancelled):
                return False
            return True

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for name, is_moved in zip(names, pool.map(attempt, names), strict=True):
                (moved if is_moved else failed).append(name)

    def upload(self, project: str, name: str) -> None:
        """Send a file as Qt does: a boundary in quotes, no type of the part, the whole path as its name."""
        path = self.folder / name
        disposition = f'Content-Disposition: form-data; name="file"; filename="{path}"'
        head = f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {
            "Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"',
            "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
            "MIME-Version": "1.0",
        }
        body = self._body(head, path, tail, self.cancels.pop(name, None))
        answer = self.http.post(f"files/{project}/{quote(name)}/", content=body, headers=headers)
        assert answer.is_success, answer.text

    @staticmethod
    def _body(head: bytes, path: Path, tail: bytes, cancelled_after: int | None) -> Iterator[bytes]:
        yield head
        sent = 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                if cancelled_after is not None and sent >= cancelled_after:
                    raise Cancelled
                yield chunk
                sent += len(chunk)
        yield tail

    def download(self, project: str, name: str, version: str | None = None) -> bytes:
        """Fetch a file beside the project, whole; a part of one is thrown away."""
        params = {"version": version} if version else {}
        answer = self.http.get(f"files/{project}/{quote(name)}/", params=params, headers=JSON, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        if version is None:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answer.content)
        return answer.content

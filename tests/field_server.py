"""A running embedded stack with a user and a project, as black-box tests of backups need them."""

from __future__ import annotations

from typing import Any

import httpx

from qfc_command import Qfc

PASSWORD = "correct-horse-battery"


class FieldServer:
    """A user with a project on a stack that runs."""

    def __init__(self, qfc: Qfc, *, stack: str = "local", user: str = "anna") -> None:
        self.qfc, self.stack, self.user = qfc, stack, user
        answer = qfc("--stack", stack, "users", "create", user, "--password-stdin", stdin=PASSWORD)
        assert answer.code == 0, answer.err
        self.http = self.login()
        self.project: str = self._json("POST", "projects/", json={"name": "survey", "owner": user})["id"]

    @property
    def url(self) -> str:
        """The URL of the API."""
        return f"{self.qfc.ok('--stack', self.stack, 'status')['url']}/api/v1/"

    def login(self) -> httpx.Client:
        """Return a client of the user."""
        http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        answer = http.post("auth/login/", json={"username": self.user, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        http.headers["Authorization"] = f"Token {answer.json()['token']}"
        return http

    def upload(self, name: str, content: bytes) -> None:
        """Upload a file."""
        answer = self.http.post(f"files/{self.project}/{name}/", files={"file": content})
        assert answer.status_code == 201, answer.text

    def delete(self, name: str) -> None:
        """Delete a file with all its versions."""
        assert self.http.delete(f"files/{self.project}/{name}/").status_code in (200, 204)

    def files(self) -> dict[str, bytes]:
        """Return the newest version of each file."""
        names = [one["name"] for one in self._json("GET", f"files/{self.project}/")]
        return {name: self.http.get(f"files/{self.project}/{name}/", follow_redirects=True).content for name in names}

    def _json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

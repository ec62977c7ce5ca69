"""The API in this process: users with tokens, projects with files, and a client for one user."""

from __future__ import annotations

import io
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from qfc_node.core.models import (
    AuthToken,
    ClientType,
    File,
    FileType,
    Organization,
    PackageJob,
    Person,
    Project,
    User,
)
from stored_files import put_file

PREFIX = "/api/v1/"


def person(name: str, **extra: Any) -> Person:
    """Create a user."""
    return Person.objects.create_person(name, f"{name}@example.com", "correct-horse-battery", **extra)


def organization(name: str, owner: User) -> Organization:
    """Create an organization."""
    return Organization.objects.create(username=name, organization_owner=owner, created_by=owner)


def token_of(user: User, client_type: str = ClientType.SDK) -> str:
    """Log the user in without a password."""
    end = timezone.now() + timedelta(hours=1)
    return AuthToken.objects.create(user=user, expires_at=end, client_type=client_type).key


def package(project: Project, user: User, **files: bytes) -> PackageJob:
    """Give the project a finished package."""
    feedback = {"outputs": {"qgis_layers_data": {"layers_by_id": {"trees_1": {"name": "trees", "is_valid": True}}}}}
    job = PackageJob.objects.create(
        project=project, created_by=user, type="package", status="finished", feedback=feedback
    )
    for name, content in files.items():
        put_file(project, f"tmp_{name}", content, user)
        stored = File.objects.get(project=project, name=f"tmp_{name}", file_type=FileType.PROJECT_FILE)
        File.objects.filter(pk=stored.pk).update(file_type=FileType.PACKAGE_FILE, package_job=job, name=name)
    Project.objects.filter(pk=project.pk).update(last_package_job=job, data_last_packaged_at=timezone.now())
    return job


def picture() -> bytes:
    """Return a small PNG."""
    written = io.BytesIO()
    Image.new("RGB", (4, 4), "green").save(written, "PNG")
    return written.getvalue()


def delta(method: str = "create", **extra: Any) -> dict[str, Any]:
    """Return a delta as a device writes it."""
    content: dict[str, Any] = {
        "uuid": str(uuid.uuid4()),
        "clientId": str(uuid.uuid4()),
        "exportId": str(uuid.uuid4()),
        "localPk": "1",
        "sourcePk": "1",
        "localLayerId": "trees_1",
        "sourceLayerId": "trees_1",
        "method": method,
    }
    if method != "create":
        content["old"] = {"attributes": {"height": 1}}
    if method != "delete":
        content["new"] = {"geometry": "Point (8 47)", "attributes": {"height": 2}}
    return {**content, **extra}


def deltafile(project: Project, *deltas: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """Return a deltafile as a device writes it."""
    return {
        "id": str(uuid.uuid4()),
        "project": str(project.pk),
        "version": "1.0",
        "files": [],
        "deltas": list(deltas),
        **extra,
    }


class Speaker:
    """A client for one user, or without a token."""

    def __init__(self, user: User | None = None, client_type: str = ClientType.SDK) -> None:
        self.client = Client(raise_request_exception=False, SERVER_NAME="localhost")
        self.headers = {"HTTP_AUTHORIZATION": f"Token {token_of(user, client_type)}"} if user else {}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request: a dictionary as JSON, bytes as they are."""
        options: dict[str, Any] = {**self.headers, **headers}
        if isinstance(body, dict | list):
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        elif body is not None:
            options |= {"data": body}
        return _settled(self.client.generic(method, PREFIX + path, **options))

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST JSON."""
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        """PATCH JSON."""
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.ask("DELETE", path, **headers)

    def form(self, path: str, **fields: Any) -> Any:
        """POST a form."""
        return self.client.post(PREFIX + path, fields, **self.headers)

    def send(self, path: str, content: bytes, part: str = "file", method: str = "POST") -> Any:
        """Send a file as multipart."""
        upload = SimpleUploadedFile(Path(path.rstrip("/")).name or "file", content)
        if method == "POST":
            return self.client.post(PREFIX + path, {part: upload}, **self.headers)
        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

        body = encode_multipart(BOUNDARY, {part: upload})
        return self.client.generic(method, PREFIX + path, body, content_type=MULTIPART_CONTENT, **self.headers)

    def push(self, project: Project, document: Any) -> Any:
        """Push a deltafile."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.send(f"deltas/{project.pk}/", content)


def _settled(answer: Any) -> Any:
    """Read a streamed response completely and close it, as a server does."""
    answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.close()
    return answer


def bytes_of(answer: Any) -> bytes:
    """Return the body of an answer, streamed or not."""
    return answer.body

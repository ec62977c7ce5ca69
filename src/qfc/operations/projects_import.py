"""Import a project from an exported zip file to a server."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from ..errors import NotFoundError, QfcError, UsageError
from ..stack.checksums import name_same_bytes
from ..stack.model import ApiAnswer, ApiRequest, Upload
from ..stack.ports import Ports
from .guard import Options, guarded
from .probe import await_job, session
from .projects_export import FILES, FORMAT, MANIFEST

TRANSFER_S = 3600.0
#: Seconds for the job `process_projectfile`; an official worker may run other jobs first.
DESCRIBE_S = 900.0
#: Edits that need not be resent: they are in the files, or were ignored.
SETTLED = ("applied", "ignored")
PROJECT_SUFFIXES = (".qgs", ".qgz")


@dataclass(frozen=True)
class Imported:
    """The new project. `deltas` edits were resent: on the exporting server they had not been applied."""

    project: str
    id: str | None
    files: int
    deltas: int
    collaborators: int
    missing_people: tuple[str, ...]
    dry_run: bool
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Archive:
    """An exported file, opened and checked."""

    zip: zipfile.ZipFile
    manifest: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """The project's files; project files last, because they start a job that needs all others."""
        found = [name.removeprefix(FILES) for name in self.zip.namelist() if name.startswith(FILES)]
        return sorted(found, key=lambda name: (name.lower().endswith(PROJECT_SUFFIXES), name))

    @property
    def open_deltas(self) -> list[dict[str, Any]]:
        """Edits that were not applied, oldest first."""
        deltas = cast("list[dict[str, Any]]", json.loads(self.zip.read("deltas.json")))
        return [one for one in deltas if one["status"] not in SETTLED]


def projects_import(
    ports: Ports,
    path: Path,
    options: Options,
    *,
    owner: str | None = None,
    name: str | None = None,
    with_deltas: bool = False,
) -> Imported:
    """Create a project from an exported file: its files, settings and collaborators; on request, unapplied edits.

    If the import fails, the incomplete project is removed. Raises UsageError for a file that is not an export.
    """
    with _opened(path) as archive:
        about = archive.manifest["project"]
        account, title = owner or str(about["owner"]), name or str(about["name"])
        label = f"{account}/{title}"
        deltas = archive.open_deltas if with_deltas else []
        again = f"Resend {len(deltas)} edits that were not applied"
        with guarded(ports, "projects import", target=label, options=options) as guard:
            project, added, missing = None, 0, ()
            if guard.step(f"Create {label} with {len(archive.names)} files"):
                with session(ports, ports.directory.responsible_for_account(account)) as (_, token):
                    work = _Import(ports, token, archive)
                    project = work.create(account, title)
                    added, missing = work.collaborators(project)
                    if deltas and guard.step(again):
                        work.send_deltas(project, deltas)
            elif deltas:
                guard.step(again)
            guard.result = f"{label} is {project}"
    return Imported(label, project, len(archive.names), len(deltas), added, missing, guard.dry_run, guard.steps)


@contextmanager
def _opened(path: Path) -> Generator[Archive]:
    try:
        with zipfile.ZipFile(path) as file:
            manifest = json.loads(file.read(MANIFEST))
            if manifest.get("format") != FORMAT:
                raise UsageError(f"{path} has format {manifest.get('format')}; this release of qfc reads {FORMAT}.")
            yield Archive(file, manifest)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        hint = "Give a file that qfc projects export wrote."
        raise UsageError(f"{path} is not an exported project.", hint=hint) from error


class _Import:
    """Creates one project on a server."""

    def __init__(self, ports: Ports, token: str, archive: Archive) -> None:
        self._ports, self._token, self._archive = ports, token, archive
        self._passes = ports.rate_limits.passes()

    def create(self, owner: str, name: str) -> str:
        """Create the project with its files; return its id. On failure, remove the incomplete project."""
        about = self._archive.manifest["project"]
        document = {"name": name, "owner": owner, "description": about.get("description") or "", "is_public": False}
        answer = self._good(self._send("POST", "/api/v1/projects/", document), "the request for a new project")
        project = str(answer.document["id"])
        try:
            self._upload_all(project)
            self._settings(project, about)
            if any(one.lower().endswith(PROJECT_SUFFIXES) for one in self._archive.names):
                await_job(self._ports, project, "process_projectfile", limit_s=DESCRIBE_S)
        except BaseException:
            self._send("DELETE", f"/api/v1/projects/{project}/")
            raise
        return project

    def collaborators(self, project: str) -> tuple[int, tuple[str, ...]]:
        """Add the same collaborators; return how many were added, and the names without an account here."""
        missing: list[str] = []
        collaborators = cast("list[dict[str, Any]]", self._archive.manifest.get("collaborators") or [])
        for one in collaborators:
            document = {"collaborator": one["collaborator"], "role": one["role"]}
            if not self._send("POST", f"/api/v1/collaborators/{project}/", document).is_good:
                missing.append(one["collaborator"])
        return len(collaborators) - len(missing), tuple(missing)

    def send_deltas(self, project: str, deltas: list[dict[str, Any]]) -> None:
        """Push edits as their devices did, in their order. The server stores repeated ones only once."""
        if not deltas:
            return
        contents = [{**one["content"], "uuid": str(uuid.uuid5(uuid.UUID(project), one["id"]))} for one in deltas]
        file = {"id": str(uuid.uuid4()), "project": project, "version": "1.0", "files": [], "deltas": contents}
        data = json.dumps(file).encode()
        answer = self._upload(f"/api/v1/deltas/{project}/", "deltafile.json", data)
        self._good(answer, "the upload of the edits")

    def _upload_all(self, project: str) -> None:
        listed = {one["name"]: one for one in self._archive.manifest["files"]}
        for name in self._archive.names:
            info = self._archive.zip.getinfo(FILES + name)
            with self._archive.zip.open(info) as content:
                upload = Upload(name, cast(BinaryIO, content), info.file_size)
                path = f"/api/v1/files/{project}/{quote(name, safe='/')}/"
                request = ApiRequest("POST", path, self._token, upload=upload, headers=self._passes)
                self._good(self._ports.api.send(request, timeout_s=TRANSFER_S), f"the upload of {name}")
        self._compare(project, listed)

    def _compare(self, project: str, listed: dict[str, dict[str, Any]]) -> None:
        """Compare the checksums on the server with the exported ones. Raises QfcError."""
        now = self._good(self._send("GET", f"/api/v1/files/{project}/"), "the request for the list of files").document
        uploaded = {one["name"]: one for one in cast("list[dict[str, Any]]", now)}
        different = [name for name, one in listed.items() if not name_same_bytes(one, uploaded.get(name, {}))]
        if different:
            raise QfcError(f"{', '.join(different[:3])} changed during the upload.", hint="Type: qfc health --verbose")

    def _settings(self, project: str, about: dict[str, Any]) -> None:
        wanted = {name: about[name] for name in ("is_public", "overwrite_conflicts") if name in about}
        if wanted:
            self._send("PATCH", f"/api/v1/projects/{project}/", wanted)

    def _upload(self, path: str, name: str, data: bytes) -> ApiAnswer:
        upload = Upload(name, io.BytesIO(data), len(data))
        request = ApiRequest("POST", path, self._token, upload=upload, headers=self._passes)
        return self._ports.api.send(request, timeout_s=TRANSFER_S)

    def _send(self, method: str, path: str, document: object = None) -> ApiAnswer:
        return self._ports.api.send(ApiRequest(method, path, self._token, document=document), timeout_s=TRANSFER_S)

    def _good(self, answer: ApiAnswer, what: str) -> ApiAnswer:
        if not answer.is_good:
            body = answer.document
            words = cast("dict[str, Any]", body).get("message", "") if isinstance(body, dict) else ""
            raise QfcError(f"The server answered {answer.status} to {what}: {words}", hint="Type: qfc health")
        return answer

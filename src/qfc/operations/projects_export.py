"""Export a project to one zip file: files, newest package, edits, settings and collaborators."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from urllib.parse import quote

from ..errors import QfcError, UsageError
from ..files import replacing
from ..stack.checksums import Checksums
from ..stack.model import ApiAnswer, ApiRequest, Delta, Project
from ..stack.ports import Ports
from ..stack.progress import Progress, counted
from .guard import Options, guarded
from .probe import session

FORMAT = 1
MANIFEST = "manifest.json"
FILES, PACKAGE, VERSIONS = "files/", "package/", "versions/"
#: Seconds for one file of any size.
TRANSFER_S = 3600.0
#: Edits that are read at a time.
DELTAS_A_TIME = 1000


class DifferentBytesError(QfcError):
    """A downloaded file does not match the checksum on the server."""

    code = "different_bytes"


@dataclass(frozen=True)
class Exported:
    """The written file, and its content in numbers."""

    project: str
    path: Path
    size_bytes: int
    files: int
    versions: int
    package_files: int
    deltas: int
    dry_run: bool


def projects_export(
    ports: Ports, name: str, path: Path | None, options: Options, *, all_versions: bool = False
) -> Exported:
    """Write a project to a zip file. Every file is compared with its checksum on the server.

    Raises NotFoundError; UsageError when the zip file already exists; DifferentBytesError.
    """
    project = ports.directory.project(name)
    target = path or Path(f"{project.owner}_{project.name}_{ports.clock.now():%Y%m%d-%H%M%S}.zip".replace(" ", "_"))
    if target.exists():
        raise UsageError(f"{target} already exists.", hint="Choose another file with --output.")
    with guarded(
        ports, "projects export", target=f"{project.owner}/{project.name}", options=options, of_moved=True
    ) as guard:
        counts = (0, 0, 0, 0)
        if guard.step(f"Export {project.owner}/{project.name} to {target}"):
            with session(ports, ports.directory.responsible(project.id)) as (_, token), _new_zip(target) as archive:
                export = _Export(ports, project, token, archive, options.progress)
                counts = export.write(all_versions=all_versions)
        guard.result = f"{target}: {counts[0]} files"
    size = target.stat().st_size if target.exists() else 0
    return Exported(f"{project.owner}/{project.name}", target.absolute(), size, *counts, guard.dry_run)


@contextmanager
def _new_zip(path: Path) -> Generator[zipfile.ZipFile]:
    """Open a new zip file that gets its name only when complete. Only its owner can read it: edits name users."""
    try:
        with (
            replacing(path, mode=0o600) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive,
        ):
            yield archive
    except OSError as error:
        raise QfcError(f"{path} cannot be written.", hint="Check free space and permissions.") from error


class _Export:
    """Writes one project into an archive."""

    def __init__(
        self, ports: Ports, project: Project, token: str, archive: zipfile.ZipFile, progress: Progress
    ) -> None:
        self._ports, self._project, self._token, self._archive = ports, project, token, archive
        self._progress = progress

    def write(self, *, all_versions: bool) -> tuple[int, int, int, int]:
        """Write everything; return the numbers of files, versions, package files and edits."""
        listing = self._listed(f"/api/v1/files/{self._project.id}/")
        for file in counted(listing, "Exporting files", self._progress):
            self._file(FILES, file["name"], f"/api/v1/files/{self._project.id}/{_quoted(file['name'])}/", file)
        versions = self._old_versions(listing) if all_versions else 0
        package = self._package()
        deltas = self._deltas()
        about = self._get(f"/api/v1/projects/{self._project.id}/").document
        collaborators = self._get(f"/api/v1/collaborators/{self._project.id}/").document
        manifest = {
            "format": FORMAT,
            "exported_at": self._ports.clock.now().isoformat(),
            "server": self._ports.api.url,
            "project": about,
            "collaborators": cast("list[Any]", collaborators) if isinstance(collaborators, list) else [],
            "files": listing,
            "package": package,
            "deltas": len(deltas),
        }
        self._json("deltas.json", deltas)
        self._json(MANIFEST, manifest)
        return len(listing), versions, len(package), len(deltas)

    def _old_versions(self, listing: Iterable[dict[str, Any]]) -> int:
        count = 0
        for file in listing:
            for version in file.get("versions", []):
                if version.get("is_latest"):
                    continue
                path = f"/api/v1/files/{self._project.id}/{_quoted(file['name'])}/?version={version['version_id']}"
                self._file(VERSIONS, f"{file['name']}/{version['version_id']}", path, version)
                count += 1
        return count

    def _package(self) -> list[dict[str, Any]]:
        answer = self._send("GET", f"/api/v1/packages/{self._project.id}/latest/")
        document = answer.document
        if not answer.is_good or not isinstance(document, dict):
            return []
        files = cast("list[dict[str, Any]]", cast("dict[str, Any]", document).get("files") or [])
        for file in counted(files, "Exporting the package", self._progress):
            name = file["name"]
            path = f"/api/v1/packages/{self._project.id}/latest/files/{_quoted(name)}/"
            self._file(PACKAGE, name, path, file)
        return files

    def _deltas(self) -> list[dict[str, Any]]:
        """Return every edit, oldest first, with what the device sent."""
        found: list[dict[str, Any]] = []
        after: Delta | None = None
        while page := self._ports.jobs.delta_contents(self._project.id, after=after, limit=DELTAS_A_TIME):
            found += [_delta(one) for one in page]
            after = page[-1]
        return found

    def _file(self, folder: str, name: str, path: str, listed: dict[str, Any]) -> None:
        """Stream a file into the archive and compare it with its listing. Raises DifferentBytesError."""
        info = zipfile.ZipInfo(folder + name, self._ports.clock.now().timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=True) as entry:
            sink = _Hashing(entry)
            answer = self._send("GET", path, sink=cast(BinaryIO, sink))
        if not answer.is_good:
            raise QfcError(f"The server answered {answer.status} to the download of {name}.")
        if not sink.checksums.match(listed):
            raise DifferentBytesError(
                f"{name} has {sink.checksums.size} bytes, md5 {sink.checksums.md5}; "
                f"the server lists {listed.get('size')}, {listed.get('md5sum')}.",
                hint="Type: qfc health --verbose",
            )

    def _listed(self, path: str) -> list[dict[str, Any]]:
        document = self._get(path).document
        return cast("list[dict[str, Any]]", document) if isinstance(document, list) else []

    def _get(self, path: str) -> ApiAnswer:
        answer = self._send("GET", path)
        if not answer.is_good:
            raise QfcError(f"The server answered {answer.status} to {path}.", hint="Type: qfc health")
        return answer

    def _send(self, method: str, path: str, sink: BinaryIO | None = None) -> ApiAnswer:
        return self._ports.api.send(ApiRequest(method, path, self._token), timeout_s=TRANSFER_S, sink=sink)

    def _json(self, name: str, document: object) -> None:
        self._archive.writestr(name, json.dumps(document, indent=1, ensure_ascii=False))


class _Hashing:
    """Passes bytes on and computes their checksums."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink, self.checksums = sink, Checksums()

    def write(self, chunk: bytes) -> int:
        """Pass a chunk on."""
        self.checksums.update(chunk)
        return self._sink.write(chunk)


def _delta(delta: Delta) -> dict[str, Any]:
    return {
        "id": delta.id,
        "deltafile_id": delta.deltafile_id,
        "status": delta.status,
        "created_by": delta.created_by,
        "created_at": delta.created_at.isoformat(),
        "modified_pk": delta.modified_pk,
        "feedback": delta.feedback,
        "content": delta.content,
    }


def _quoted(name: str) -> str:
    return quote(name, safe="/")

"""Edits and files that are newer than a set: counted before a restore, exported, and applied again after it."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...errors import NotFoundError, QfcError, UsageError
from ...stack.backup_set import Manifest, NewerFile
from ...stack.model import ApiRequest, Delta, Upload
from ...stack.ports import Ports
from ..guard import Options, guarded
from ..probe import session
from ..queue_change import count

FORMAT = 1
FOLDER, EDITS = "restores", "edits.json"
#: A transaction that began before the snapshot may end after it. An edit that is in the set too is applied once.
MARGIN = timedelta(minutes=10)
SKIPPED = frozenset({"ignored", "unpermitted"})
TRANSFER_S = 3600.0


@dataclass(frozen=True)
class LostEdits:
    """Edits of one user in one project."""

    project: str
    user: str
    count: int


@dataclass(frozen=True)
class Lost:
    """What is newer than a set, in numbers."""

    edits: tuple[LostEdits, ...] = ()
    files: int = 0


@dataclass(frozen=True)
class Left:
    """An edit or a file that could not be applied again, with the reason."""

    what: str
    why: str


@dataclass(frozen=True)
class AppliedAgain:
    """What of an export was sent to the server again. Edits that it had already are not applied a second time."""

    file: Path
    edits: int
    files: int
    left: tuple[Left, ...]
    dry_run: bool

    @property
    def exit_code(self) -> int:
        """0 when nothing is left over, else 5."""
        return 5 if self.left else 0


def lost_since(ports: Ports, manifest: Manifest, project: str | None = None) -> Lost:
    """Count what is newer than a set; of one project, given by its id, or of all."""
    counts = Counter((one.project, one.created_by) for one in _edits(ports, manifest.taken_at, project))
    edits = tuple(LostEdits(name, user, number) for (name, user), number in counts.most_common())
    return Lost(edits, len([one for one in _files(ports, manifest.taken_at, project) if not one.by_job]))


def export(ports: Ports, manifest: Manifest, project: str | None = None) -> tuple[Lost, str | None]:
    """Write what is newer than a set to a file of the stack; return its numbers and its path."""
    lost = lost_since(ports, manifest, project)
    edits = _edits(ports, manifest.taken_at - MARGIN, project)
    files = _files(ports, manifest.taken_at, project)
    if not edits and not files:
        return lost, None
    now = ports.clock.now()
    name = f"{FOLDER}/{manifest.id}-{now:%Y%m%d%H%M%S}"
    document: dict[str, Any] = {
        "format": FORMAT,
        "stack": ports.name,
        "set": manifest.id,
        "taken_at": manifest.taken_at.isoformat(),
        "exported_at": now.isoformat(),
        "edits": [_edit(one) for one in edits],
        "files": [{**asdict(one), "uploaded_at": one.uploaded_at.isoformat()} for one in files],
    }
    ports.records.write(f"{name}/{EDITS}", document)
    return lost, str(ports.records.folder(*name.split("/")) / EDITS)


def _edits(ports: Ports, moment: datetime, project: str | None) -> list[Delta]:
    found = ports.backups.target.edits_since(moment)
    return [one for one in found if project in (None, one.project_id)]


def _files(ports: Ports, moment: datetime, project: str | None) -> list[NewerFile]:
    found = ports.backups.target.files_since(moment)
    return [one for one in found if project in (None, one.project_id)]


def _edit(delta: Delta) -> dict[str, Any]:
    return {
        "id": delta.id,
        "deltafile_id": delta.deltafile_id,
        "project_id": delta.project_id,
        "project": delta.project,
        "created_by": delta.created_by,
        "created_at": delta.created_at.isoformat(),
        "status": delta.status,
        "content": delta.content,
    }


def apply_again(ports: Ports, path: Path, options: Options) -> AppliedAgain:
    """Send the edits and files of an export to the server, in the order in which they came, each as its own user.

    The server knows an edit by its id, so it is applied once, however often this is called.
    """
    edits, files = _read(ports, path)
    what = f"Send {count(len(edits), 'edit')} and {count(len(files), 'file')} to the server again"
    sending = _Sending(ports)
    with guarded(ports, "db reapply", target=str(path), options=options, question=f"{what}?") as guard:
        if guard.step(what):
            sending.send(edits, files)
        guard.result = f"{sending.edits} edits, {sending.files} files, {len(sending.left)} left"
    return AppliedAgain(path.absolute(), sending.edits, sending.files, tuple(sending.left), guard.dry_run)


class _Sending:
    """Sends an export. `edits` and `files` count what the server has accepted, or had already."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.edits = self.files = 0
        self.left: list[Left] = []

    def send(self, edits: Sequence[dict[str, Any]], files: Sequence[NewerFile]) -> None:
        """Send everything in the order of its time; what the server refuses is left, with its reason."""
        batches = [(datetime.fromisoformat(batch[0]["created_at"]), batch) for batch in _batches(edits)]
        events = [*batches, *((one.uploaded_at, one) for one in files)]
        for _, event in sorted(events, key=lambda one: one[0]):
            if isinstance(event, NewerFile):
                self._file(event)
            else:
                self._batch(event)

    def _batch(self, batch: Sequence[dict[str, Any]]) -> None:
        first = batch[0]
        deltas = [one["content"] for one in batch]
        head = {"id": first["deltafile_id"], "project": first["project_id"], "version": "1.0"}
        content = json.dumps({**head, "files": list[str](), "deltas": deltas}).encode()
        path = f"/api/v1/deltas/{first['project_id']}/"
        upload = Upload("deltafile.json", io.BytesIO(content), len(content))
        if self._post(f"{len(batch)} edits in {first['project']}", path, first["created_by"], upload):
            self.edits += len(batch)

    def _file(self, file: NewerFile) -> None:
        what = f"{file.name} in {file.project}"
        path = f"/api/v1/files/{file.project_id}/{quote(file.name, safe='/')}/"
        try:
            with self._ports.backups.source.open(file.reference) as stored:
                sent = self._post(what, path, file.uploaded_by or "", Upload(file.name, stored, file.size))
        except NotFoundError:
            self.left.append(Left(what, "its bytes are in the safety set only"))
            return
        self.files += sent

    def _post(self, what: str, path: str, user: str, upload: Upload) -> bool:
        try:
            with session(self._ports, user or None) as (_, token):
                request = ApiRequest("POST", path, token, upload=upload)
                answer = self._ports.api.send(request, timeout_s=TRANSFER_S)
        except (NotFoundError, QfcError) as error:
            self.left.append(Left(what, error.message))
            return False
        if not answer.is_good:
            self.left.append(Left(what, f"the server answered {answer.status}"))
        return answer.is_good


def _batches(edits: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield edits as devices sent them: those of one deltafile and user together."""
    for _, batch in groupby(edits, key=lambda one: (one["project_id"], one["deltafile_id"], one["created_by"])):
        yield list(batch)


def _read(ports: Ports, path: Path) -> tuple[Sequence[dict[str, Any]], Sequence[NewerFile]]:
    """Return the edits of an export, and the newest version of each file that nobody's edits write again."""
    try:
        document: dict[str, Any] = json.loads(_content(ports, path))
        edits = [one for one in document["edits"] if one["status"] not in SKIPPED]
        found = [_newer(one) for one in document["files"]]
    except (OSError, NotFoundError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not an export of edits: {type(error).__name__}.") from error
    newest = {(one.project_id, one.name): one for one in found if not one.by_job}
    return edits, list(newest.values())


def _content(ports: Ports, path: Path) -> bytes:
    """Return a file of this machine, or of the stack's host: a restore leaves it there."""
    return path.read_bytes() if path.exists() else ports.host.read_bytes(path)


def _newer(document: dict[str, Any]) -> NewerFile:
    values: dict[str, Any] = {**document, "uploaded_at": datetime.fromisoformat(document["uploaded_at"])}
    return NewerFile(**values)

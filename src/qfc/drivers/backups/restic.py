"""The store of the engine restic: each backup is one snapshot of what the sets before it do not have.

    /objects/ab/SHA256     an object, named by the sha256 of its content
    /sets/ID/NAME          a part of a set
    /sets/ID/manifest.json(.sig)
    /README.md             how to restore without qfc

restic encrypts, compresses and stores what is new in any file; what a backup needs is gathered in a folder first.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ...errors import DamagedError, RefusedError
from ...stack.backup_key import key_is_elsewhere
from ...stack.backup_set import (
    PLACES,
    REFERENCES,
    Manifest,
    Place,
    Stored,
    Verdict,
    as_json,
    from_json,
    places_of,
    references_of,
    verdict_as_json,
    verdict_from_json,
)
from ...stack.ports import BackupStore
from .keys import FileBackupKeys
from .manual import RESTIC_MANUAL
from .restic_program import Restic, Snapshot
from .sealing import PIECE, Counted

OBJECTS, SETS, MANIFEST, SIGNATURE, README = "objects", "sets", "manifest.json", "manifest.json.sig", "README.md"
SET, VERDICT, REMOVED = "qfc-set", "qfc-verdict", "qfc-removed"


class ResticBackupStore(BackupStore):
    """Sets in a restic repository. `folder` is our own, on this machine: what is gathered, and what was fetched."""

    def __init__(self, restic: Restic, keys: FileBackupKeys, folder: Path) -> None:
        self._restic, self._keys = restic, keys
        self._gathered, self._folder = folder / "gathered", folder
        self._fetched: list[Path] = []
        self._index: dict[str, tuple[str, int]] | None = None
        self._read: dict[str, Manifest | None] = {}

    @property
    def place(self) -> str:
        return f"restic {self._restic.repository}"

    @property
    def by_hand(self) -> tuple[str, ...]:
        password = self._restic.password()
        return (f"The password of the restic repository: {password}",) if password else ()

    def known(self, wanted: Collection[str]) -> Mapping[str, Stored]:
        objects = self._objects()
        found = {one: _object(one, objects[one][1]) for one in wanted if one in objects}
        # The machine may have lost its power: what an interrupted backup gathered is read before it is believed.
        for name in wanted:
            path = self._gathered / _path_of(name)
            if name not in found and path.exists():
                stored = _object(name, path.stat().st_size)
                if self.check_bytes(stored) is None:
                    found[name] = stored
        return found

    def put_object(self, sha256: str, content: BinaryIO) -> Stored:
        stored = self._gather(_path_of(sha256), content, expected=sha256)
        return _object(sha256, stored.size)

    def put_part(self, set_id: str, name: str, content: BinaryIO) -> Stored:
        return self._gather(f"{SETS}/{set_id}/{name}", content)

    def seal(self, manifest: Manifest) -> None:
        content = as_json(manifest)
        signature = self._keys.sign(content)
        if signature is None:
            raise key_is_elsewhere()
        for name, text in ((SIGNATURE, signature), (MANIFEST, content)):
            self._gather(f"{SETS}/{manifest.id}/{name}", io.BytesIO(text))
        self._gather(README, io.BytesIO(RESTIC_MANUAL.encode()))
        self._restic.backup(self._gathered, tags=(SET, manifest.id))
        shutil.rmtree(self._gathered)
        self._forget_index()
        self._read[manifest.id] = manifest

    def manifests(self) -> tuple[Manifest, ...]:
        found = [manifest for id in self._sets() if (manifest := self._manifest(id)) is not None]
        return tuple(sorted(found, key=lambda one: one.taken_at))

    def unreadable(self) -> tuple[str, ...]:
        return tuple(id for id in self._sets() if self._manifest(id) is None)

    def references(self, manifest: Manifest) -> Iterator[Stored]:
        return references_of(self._content(manifest.parts[REFERENCES]))

    def places(self, manifest: Manifest) -> Iterator[tuple[str, Place]]:
        return places_of(self._content(manifest.parts[PLACES])) if PLACES in manifest.parts else iter(())

    def read(self, stored: Stored, sink: BinaryIO) -> None:
        out = Counted(sink)
        with self._opened(stored.file) as content:
            while chunk := content.read(PIECE):
                out.write(chunk)
        if (out.size, out.sha256) != (stored.size, stored.sha256):
            raise DamagedError(f"{stored.file}: its content is not what was stored.")

    @contextmanager
    def prepared(self, stored: Iterable[Stored]) -> Generator[None]:
        """Fetch files of each snapshot at once for the block: one by one, restic starts for each."""
        by_snapshot: dict[str, list[str]] = {}
        for one in stored:
            snapshot = self._snapshot_of(one.file)
            if snapshot is not None and not self._is_here(one.file):
                by_snapshot.setdefault(snapshot, []).append(one.file)
        if not by_snapshot:
            yield
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetched-", dir=self._folder) as name:
            for snapshot, files in by_snapshot.items():
                if len(files) > 1:
                    self._restic.restore(snapshot, files, Path(name))
            self._fetched.append(Path(name))
            try:
                yield
            finally:
                self._fetched.remove(Path(name))

    def _is_here(self, file: str) -> bool:
        return any((folder / file).exists() for folder in (self._gathered, *self._fetched))

    def look(self, stored: Iterable[Stored]) -> Iterator[str]:
        objects = self._objects()
        for one in stored:
            found = objects.get(one.sha256)
            if found is None:
                yield f"{one.file} is missing."
            elif found[1] != one.size:
                yield f"{one.file} has {found[1]} bytes instead of {one.size}."

    def check_bytes(self, stored: Stored) -> str | None:
        try:
            self.read(stored, cast(BinaryIO, _Nowhere()))
        except DamagedError as error:
            return error.message
        return None

    def judge(self, verdict: Verdict) -> None:
        self._restic.backup_bytes("verdict.json", verdict_as_json(verdict), tags=(VERDICT, verdict.set_id))

    def verdicts(self) -> Mapping[str, Verdict]:
        newest = {_id_of(one): one for one in self._restic.snapshots() if VERDICT in one.tags}
        return {id: verdict_from_json(self._restic.bytes_of(one, "verdict.json")) for id, one in newest.items()}

    def remove(self, set_ids: Collection[str]) -> int:
        doomed, kept = frozenset(set_ids), [one for one in self.manifests() if one.id not in set_ids]
        if self.unreadable():
            raise RefusedError(
                f"The manifest of {self.unreadable()[0]} cannot be read, so nobody knows which objects it needs.",
                hint="Remove that snapshot by hand (restic forget) if it is of no use.",
            )
        needed = {one.file for manifest in kept for one in self.references(manifest)}
        before = self._restic.size()
        self._leave_out(doomed, needed)
        self._restic.prune()
        self._forget_index()
        for id in doomed:
            self._read.pop(id, None)
        return max(0, before - self._restic.size())

    def discard_unfinished(self) -> None:
        shutil.rmtree(self._gathered / SETS, ignore_errors=True)

    def _leave_out(self, doomed: Collection[str], needed: Collection[str]) -> None:
        """Forget the snapshots of sets; one with an object that another set needs stays, and counts as no set."""
        forgotten: list[str] = []
        for one in self._restic.snapshots():
            if VERDICT in one.tags and _id_of(one) in doomed:
                forgotten.append(one.id)
            elif SET in one.tags and (_id_of(one) in doomed or REMOVED in one.tags):
                if not any(name in needed for name in self._restic.files(one)):
                    forgotten.append(one.id)
                elif REMOVED not in one.tags:
                    self._restic.tag(one.id, REMOVED)
        self._restic.forget(forgotten)

    def _gather(self, name: str, content: BinaryIO, *, expected: str = "") -> Stored:
        path = self._gathered / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".half-", delete=False) as file:
            out = Counted(file)
            try:
                while chunk := content.read(PIECE):
                    out.write(chunk)
                if expected and out.sha256 != expected:
                    raise DamagedError(f"The object {expected[:12]}… has other bytes than its name says.")
            except BaseException:
                Path(file.name).unlink()
                raise
        Path(file.name).replace(path)
        return Stored(out.sha256, out.size, name, out.sha256, out.size)

    @contextmanager
    def _opened(self, file: str) -> Generator[BinaryIO]:
        for folder in (self._gathered, *self._fetched):
            if (folder / file).exists():
                with (folder / file).open("rb") as content:
                    yield content
                return
        snapshot = self._snapshot_of(file)
        if snapshot is None:
            raise DamagedError(f"{file} is missing.")
        with self._restic.dumped(snapshot, file) as content:
            yield content

    def _content(self, stored: Stored) -> BinaryIO:
        content = io.BytesIO()
        self.read(stored, content)
        content.seek(0)
        return content

    def _snapshot_of(self, file: str) -> str | None:
        folder, _, rest = file.partition("/")
        if folder == OBJECTS:
            found = self._objects().get(rest.partition("/")[2])
            return found[0] if found else None
        return next((one.id for one in self._snapshots() if _id_of(one) == rest.partition("/")[0]), None)

    def _snapshots(self) -> Sequence[Snapshot]:
        return [one for one in self._restic.snapshots() if SET in one.tags]

    def _sets(self) -> list[str]:
        return sorted(_id_of(one) for one in self._snapshots() if REMOVED not in one.tags)

    def _manifest(self, id: str) -> Manifest | None:
        if id not in self._read:
            self._read[id] = self._signed_manifest(id)
        return self._read[id]

    def _signed_manifest(self, id: str) -> Manifest | None:
        [snapshot] = [one for one in self._snapshots() if _id_of(one) == id and REMOVED not in one.tags][-1:]
        try:
            content = self._restic.bytes_of(snapshot, f"{SETS}/{id}/{MANIFEST}")
            if self._keys.is_signed(content, self._restic.bytes_of(snapshot, f"{SETS}/{id}/{SIGNATURE}")) is False:
                return None
            manifest = from_json(content)
        except DamagedError:
            return None
        return manifest if manifest.id == id else None

    def _objects(self) -> Mapping[str, tuple[str, int]]:
        """Return every object, with its snapshot and its size."""
        if self._index is None:
            self._index = {
                name.rpartition("/")[2]: (one.id, size)
                for one in self._snapshots()
                for name, size in self._restic.files(one).items()
                if name.startswith(f"{OBJECTS}/")
            }
        return self._index

    def _forget_index(self) -> None:
        self._index = None
        self._restic.look_again()


class _Nowhere:
    """A sink for what is only read."""

    def write(self, chunk: bytes) -> int:
        """Take it."""
        return len(chunk)


def _path_of(sha256: str) -> str:
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def _object(sha256: str, size: int) -> Stored:
    return Stored(sha256, size, _path_of(sha256), sha256, size)


def _id_of(snapshot: Snapshot) -> str:
    return next((tag for tag in snapshot.tags if tag not in (SET, VERDICT, REMOVED)), "")

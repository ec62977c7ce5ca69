"""The plain store: every file is compressed by zstd and encrypted by age, in a folder or in a bucket.

    objects/KEY/ab/SHA256.zst.age   an object, named by the sha256 of its content and by the key it is encrypted to
    sets/ID/NAME.zst.age            a part of a set
    sets/ID/manifest.json(.sig)     written last; a set without it does not exist
    sets/ID/verified-TIME.json      the result of a verification

Nothing is overwritten, so the target may be append-only.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, cast

from ...errors import DamagedError, NotFoundError, QfcError, RefusedError
from ...stack.backup_key import key_is_elsewhere
from ...stack.backup_set import (
    PLACES,
    REFERENCES,
    SECRETS,
    Manifest,
    Place,
    Stored,
    Verdict,
    as_json,
    from_json,
    places_of,
    references_lines,
    references_of,
    verdict_as_json,
    verdict_from_json,
)
from ...stack.ports import BackupStore, ObjectStore
from .keys import FileBackupKeys
from .manual import MANUAL
from .sealing import PIECE, Chained, Counted, sealed, sealed_at_once, unseal

OBJECTS, SETS, MANIFEST, SIGNATURE, README = "objects/", "sets/", "manifest.json", "manifest.json.sig", "README.md"
VERIFIED = "verified-"
ALL = "all"
#: How files of this store end.
ENCRYPTED = ".age"


class PlainBackupStore(BackupStore):
    """Sets in an object store. `progress` is a file of this machine: what an interrupted backup has stored.

    `settle` waits until everything is on the disk of a store that stores first and forces later.
    """

    def __init__(
        self,
        objects: ObjectStore,
        keys: FileBackupKeys,
        *,
        place: str,
        encryption: str,
        progress: Path,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._objects, self._keys, self._place = objects, keys, place
        self._encryption, self._progress, self._settle = encryption, progress, settle
        self._read: dict[str, Manifest | None] = {}
        self._to: str | None = None

    @property
    def place(self) -> str:
        return self._place

    @property
    def by_hand(self) -> tuple[str, ...]:
        return ()

    def known(self, wanted: Collection[str]) -> Mapping[str, Stored]:
        present = dict(self._objects.keys(f"{OBJECTS}{self._tag(self._recipient())}/"))
        left = {name: size for name in wanted if (size := present.get(self._object_name(name))) is not None}
        found: dict[str, Stored] = {}
        for one in self._remembered():
            if left.get(one.sha256) == one.stored_size and one.file == self._object_name(one.sha256):
                found[one.sha256] = one
            if len(found) == len(left):
                break
        return found

    def put_object(self, sha256: str, content: BinaryIO) -> Stored:
        stored = self._put(self._object_name(sha256), content, self._recipient(), expected=sha256)
        with suppress(OSError), self._progress.open("ab") as file:
            file.writelines(references_lines([stored]))
        return stored

    def put_part(self, set_id: str, name: str, content: BinaryIO) -> Stored:
        recipient = self._recipient(always=name == SECRETS) if name != REFERENCES else None
        return self._put(f"{SETS}{set_id}/{name}.zst{ENCRYPTED if recipient else ''}", content, recipient)

    def seal(self, manifest: Manifest) -> None:
        content = as_json(manifest)
        signature = self._keys.sign(content)
        if signature is None:
            raise key_is_elsewhere()
        self._settle()
        if next(iter(self._objects.keys(README)), None) is None:
            self._objects.put(README, io.BytesIO(MANUAL.encode()))
        self._objects.put(f"{SETS}{manifest.id}/{SIGNATURE}", io.BytesIO(signature))
        self._objects.put(f"{SETS}{manifest.id}/{MANIFEST}", io.BytesIO(content))
        self._settle()
        self._read[manifest.id] = manifest
        self._progress.unlink(missing_ok=True)

    def manifests(self) -> tuple[Manifest, ...]:
        found = [manifest for id in self._ids() if (manifest := self._manifest(id)) is not None]
        return tuple(sorted(found, key=lambda one: one.taken_at))

    def unreadable(self) -> tuple[str, ...]:
        return tuple(id for id in self._ids() if self._manifest(id) is None)

    def references(self, manifest: Manifest) -> Iterator[Stored]:
        content = io.BytesIO()
        self.read(manifest.parts[REFERENCES], content)
        content.seek(0)
        return references_of(content)

    def places(self, manifest: Manifest) -> Iterator[tuple[str, Place]]:
        if PLACES not in manifest.parts:
            return iter(())
        content = io.BytesIO()
        self.read(manifest.parts[PLACES], content)
        content.seek(0)
        return places_of(content)

    def read(self, stored: Stored, sink: BinaryIO) -> None:
        is_encrypted = stored.file.endswith(ENCRYPTED)
        if is_encrypted and self._keys.identity() is None:
            raise key_is_elsewhere()
        with self._opened(stored.file) as file:
            raw, out = Counted(file), Counted(sink)
            try:
                unseal(cast(BinaryIO, raw), out, self._keys.identity(), encrypted=is_encrypted)
                while raw.read(PIECE):
                    pass  # what follows the last byte of the content is part of the file's checksum
            except DamagedError as error:
                raise DamagedError(f"{stored.file}: {error.message}", hint=error.hint) from error
        if (raw.size, raw.sha256) != (stored.stored_size, stored.stored_sha256):
            raise DamagedError(f"{stored.file}: its bytes are not those that were stored.")
        if (out.size, out.sha256) != (stored.size, stored.sha256):
            raise DamagedError(f"{stored.file}: its content is not what was stored.")

    def prepared(self, stored: Iterable[Stored]) -> AbstractContextManager[None]:
        """Do nothing: each file is read by itself."""
        del stored
        return nullcontext()

    def look(self, stored: Iterable[Stored]) -> Iterator[str]:
        present = dict(self._objects.keys(OBJECTS))
        for one in stored:
            size = present.get(one.file)
            if size is None:
                yield f"{one.file} is missing."
            elif size != one.stored_size:
                yield f"{one.file} has {size} bytes instead of {one.stored_size}."

    def check_bytes(self, stored: Stored) -> str | None:
        try:
            with self._opened(stored.file) as file:
                raw = Counted(file)
                while raw.read(PIECE):
                    pass
        except DamagedError as error:
            return error.message
        if (raw.size, raw.sha256) != (stored.stored_size, stored.stored_sha256):
            return f"{stored.file}: its bytes are not those that were stored."
        return None

    def judge(self, verdict: Verdict) -> None:
        name = f"{VERIFIED}{verdict.verified_at:%Y%m%dT%H%M%S.%f}.json"
        self._objects.put(f"{SETS}{verdict.set_id}/{name}", io.BytesIO(verdict_as_json(verdict)))
        self._settle()

    def verdicts(self) -> Mapping[str, Verdict]:
        newest: dict[str, str] = {}
        for key, _ in self._objects.keys(SETS):
            _, id, name = key.split("/", 2)
            if name.startswith(VERIFIED):
                newest[id] = max(newest.get(id, ""), key)
        found: dict[str, Verdict] = {}
        for id, key in newest.items():
            with suppress(QfcError):  # a verdict that cannot be read is none
                found[id] = verdict_from_json(self._content(key))
        return found

    def remove(self, set_ids: Collection[str]) -> int:
        doomed = frozenset(set_ids)
        before = self.manifests()
        if self.unreadable():
            raise RefusedError(
                f"The manifest of {self.unreadable()[0]} cannot be read, so nobody knows which objects it needs.",
                hint=f"Remove {SETS}{self.unreadable()[0]} from {self._place} by hand if it is of no use.",
            )
        needed = {one.file for manifest in before if manifest.id not in doomed for one in self.references(manifest)}
        freed = 0
        for id in doomed:
            # The manifest first: half a set must not look like a whole one.
            names = [(key, size) for key, size in self._objects.keys(f"{SETS}{id}/")]
            for key, size in sorted(names, key=lambda one: not one[0].endswith(MANIFEST)):
                self._objects.delete(key)
                freed += size
            self._read.pop(id, None)
        for key, size in list(self._objects.keys(OBJECTS)):
            if key not in needed:
                self._objects.delete(key)
                freed += size
        return freed

    def discard_unfinished(self) -> None:
        names = [key for key, _ in self._objects.keys(SETS)]
        finished = {key.split("/")[1] for key in names if key.endswith(f"/{MANIFEST}")}
        for key in names:
            if key.split("/")[1] not in finished:
                self._objects.delete(key)

    def _put(self, key: str, content: BinaryIO, recipient: str | None, *, expected: str = "") -> Stored:
        head = _head(content)
        is_small = len(head) < PIECE
        plain = Counted(io.BytesIO(head) if is_small else Chained(head, content))

        def compare() -> None:
            if expected and plain.sha256 != expected:
                raise DamagedError(f"The object {expected[:12]}… has other bytes than its name says.")

        with (sealed_at_once if is_small else sealed)(plain, recipient, compare) as stream:
            raw = Counted(stream)
            self._objects.put(key, cast(BinaryIO, raw))
        return Stored(plain.sha256, plain.size, key, raw.sha256, raw.size)

    def _remembered(self) -> Iterator[Stored]:
        """Yield what is in the store: of an interrupted backup, then of the sets, the newest first.

        The machine may have lost its power then: those objects are read before they are believed.
        """
        with suppress(OSError, QfcError), self._progress.open("rb") as file:
            yield from (one for one in references_of(file) if self.check_bytes(one) is None)
        for manifest in reversed(self.manifests()):
            with suppress(DamagedError):
                yield from self.references(manifest)

    def _manifest(self, id: str) -> Manifest | None:
        if id not in self._read:
            self._read[id] = self._signed_manifest(id)
        return self._read[id]

    def _signed_manifest(self, id: str) -> Manifest | None:
        """Return a manifest; None if it is damaged or not signed by our key. Without a key, its content is believed."""
        try:
            content = self._content(f"{SETS}{id}/{MANIFEST}")
            if self._keys.is_signed(content, self._content(f"{SETS}{id}/{SIGNATURE}")) is False:
                return None
            manifest = from_json(content)
        except (NotFoundError, DamagedError):
            return None
        return manifest if manifest.id == id else None

    def _ids(self) -> list[str]:
        found = (key.split("/") for key, _ in self._objects.keys(SETS) if key.endswith(f"/{MANIFEST}"))
        return sorted(parts[1] for parts in found)

    def _content(self, key: str) -> bytes:
        with self._objects.get(key) as file:
            return file.read()

    def _opened(self, key: str) -> BinaryIO:
        try:
            return self._objects.get(key)
        except NotFoundError as error:
            raise DamagedError(f"{key} is missing.") from error

    def _object_name(self, sha256: str) -> str:
        recipient = self._recipient()
        return f"{OBJECTS}{self._tag(recipient)}/{sha256[:2]}/{sha256}.zst{ENCRYPTED if recipient else ''}"

    @staticmethod
    def _tag(recipient: str | None) -> str:
        """Return the name of a key in paths: what is encrypted to another key cannot be shared."""
        return recipient[-8:] if recipient else "plain"

    def _recipient(self, *, always: bool = False) -> str | None:
        if self._encryption != ALL and not always:
            return None
        self._to = self._to or self._keys.recipient()
        if self._to is None:
            raise RefusedError("There is no key to encrypt backups to.", hint="Type: qfc db keys")
        return self._to


def _head(content: BinaryIO) -> bytes:
    """Return the beginning of a stream: all of it, if it is shorter than a piece."""
    head = content.read(PIECE)
    while 0 < len(head) < PIECE and (more := content.read(PIECE - len(head))):
        head += more
    return head

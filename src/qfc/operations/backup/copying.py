"""Copies the objects that a database refers to into the store of the sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from ...errors import DamagedError, NotFoundError
from ...stack.backup_set import Missing, Objects, Place, Reference, Stored
from ...stack.ports import Ports, Snapshot

#: Objects between two lines of progress.
REPORTED = 5000
DELETED, LOST = "deleted while the backup ran", "not in the store of the server"
CHANGED = "its bytes in the store of the server are damaged"
#: How many objects of unknown content are read at a time, and up to which size in memory.
AT_A_TIME, IN_MEMORY = 100, 1024 * 1024
PIECE = 1024 * 1024


@dataclass
class Copying:
    """A copy while it is made. `objects` are all of the set by sha256, `added` those that the store did not have."""

    ports: Ports
    report: Callable[[str], None]
    objects: dict[str, Stored] = field(default_factory=dict[str, Stored])
    added: list[Stored] = field(default_factory=list[Stored])
    missing: list[Missing] = field(default_factory=list[Missing])
    places: list[tuple[str, Place]] = field(default_factory=list[tuple[str, Place]])

    @property
    def counted(self) -> Objects:
        """Their number and bytes."""
        total, new = sum(one.size for one in self.objects.values()), sum(one.size for one in self.added)
        stored = sum(one.stored_size for one in self.added)
        return Objects(len(self.objects), total, len(self.added), new, stored)

    def run(self, snapshot: Snapshot) -> None:
        """Store the objects that are not in the store yet; note those that cannot be had."""
        references = self._recognised(list(snapshot.references()))
        told = [one for one in references if one.sha256]
        known = self.ports.backups.store.known({one.sha256 for one in told})
        for number, reference in enumerate(told, start=1):
            self._copy(reference, known)
            if number % REPORTED == 0:
                self.report(f"{number} of {len(references)} objects")
        untold = [one for one in references if not one.sha256]
        for first in range(0, len(untold), AT_A_TIME):
            self._copy_unknown(untold[first : first + AT_A_TIME])
        self.missing = _explained(self.missing, snapshot)

    def _recognised(self, references: Sequence[Reference]) -> Sequence[Reference]:
        """Fill in the checksums of versions that the newest set has too: a version never changes."""
        if all(one.sha256 for one in references):
            return references
        seen = dict(self._places_before())
        return [one if one.sha256 or not one.place else _with(one, seen.get(one.place, "")) for one in references]

    def _places_before(self) -> Iterator[tuple[Place, str]]:
        """Yield what the newest set has where; if its list is damaged, nothing: the objects are then read again."""
        store = self.ports.backups.store
        for manifest in store.manifests()[-1:]:
            with suppress(DamagedError):
                places = list(store.places(manifest))
                yield from ((place, name) for name, place in places if place.version or place.etag)

    def _copy(self, reference: Reference, known: Mapping[str, Stored]) -> None:
        present = self.objects.get(reference.sha256) or known.get(reference.sha256)
        if present is not None:
            self._take(present, reference)
            return
        try:
            with self.ports.backups.source.open(reference) as content:
                self._add(reference, content)
        except NotFoundError:
            self._lacks(reference, LOST)
        except DamagedError:
            self._lacks(reference, CHANGED)

    def _copy_unknown(self, references: Sequence[Reference]) -> None:
        """Read objects whose content no row tells, and store those that are new."""
        with ExitStack() as files:
            read = [(one, files.enter_context(SpooledTemporaryFile(IN_MEMORY))) for one in references]
            told = [(found, file) for one, file in read if (found := self._read(one, cast(BinaryIO, file)))]
            known = self.ports.backups.store.known({one.sha256 for one, _ in told})
            for one, file in told:
                present = self.objects.get(one.sha256) or known.get(one.sha256)
                if present is not None:
                    self._take(present, one)
                else:
                    self._add(one, cast(BinaryIO, file))

    def _read(self, reference: Reference, sink: BinaryIO) -> Reference | None:
        digest = sha256()
        try:
            with self.ports.backups.source.open(reference) as content:
                while chunk := content.read(PIECE):
                    digest.update(chunk)
                    sink.write(chunk)
        except NotFoundError:
            self._lacks(reference, LOST)
            return None
        sink.seek(0)
        return _with(reference, digest.hexdigest())

    def _add(self, reference: Reference, content: BinaryIO) -> None:
        stored = self.ports.backups.store.put_object(reference.sha256, content)
        self.added.append(stored)
        self._take(stored, reference)

    def _take(self, stored: Stored, reference: Reference) -> None:
        self.objects[stored.sha256] = stored
        if reference.place is not None:
            self.places.append((stored.sha256, reference.place))

    def _lacks(self, reference: Reference, why: str) -> None:
        name = reference.place.key if reference.place else ""
        self.missing.append(Missing(reference.sha256, why, name))


def _with(reference: Reference, sha256: str) -> Reference:
    return Reference(sha256, reference.size, reference.place)


def _explained(missing: Sequence[Missing], snapshot: Snapshot) -> list[Missing]:
    """Return the missing objects with the reason: nothing refers to them any more, or the server itself lacks them."""
    if not missing:
        return []
    named = snapshot.still_named([one.name or one.sha256 for one in missing])
    return [one if (one.name or one.sha256) in named else Missing(one.sha256, DELETED, one.name) for one in missing]

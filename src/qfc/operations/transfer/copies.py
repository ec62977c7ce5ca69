"""Sets of the old server, and their objects on the new one: each copy adds what is new since the one before."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from ...errors import DamagedError, NotFoundError, RefusedError
from ...stack.backup_set import Located, Manifest, Place, Reference
from ...stack.ports import Ports
from ...stack.transfer.rounds import Copied
from ..backup.make import make
from ..backup.restore_objects import add_objects, located, name_of, newest

PIECE = 1024 * 1024
#: Where a node keeps its objects in a bucket; the official application has its own at the bucket's root.
BLOBS = "blobs/"
#: How objects begin that are stored for a moment.
MARK = "qfc-transfer-"


def require_own_store(old: Ports, new: Ports) -> None:
    """Check that two servers do not share a file store: each would remove what only the other knows.

    What one of them is given for a moment, the other must not see, wherever in a bucket each has its objects. Raises
    RefusedError.
    """
    name = f"{MARK}{secrets.token_hex(8)}"
    key = BLOBS + name
    new.objects.put(key, io.BytesIO(b"qfc"))
    try:
        seen = (name, key, BLOBS + key)
        shared = any(found == one for one in seen for found, _ in old.objects.keys(one))
    finally:
        new.objects.delete(key)
    if shared:
        raise RefusedError(
            f"{old.name} and {new.name} use the same file store, and each would remove files of the other.",
            hint=f"Give {new.name} a bucket or a folder of its own.",
        )


def copy(old: Ports, new: Ports, report: Callable[[str], None]) -> tuple[Manifest, Copied]:
    """Make a set of the old server, and add its objects to the new one's store. Nothing is overwritten."""
    began = old.clock.monotonic()
    manifest = sound_set(old, report)
    add_objects(old.backups.store, manifest, new.backups.target)
    return manifest, _copied(manifest, old.clock.monotonic() - began)


def sound_set(ports: Ports, report: Callable[[str], None]) -> Manifest:
    """Make a set. Raises DamagedError if its verification finds something; what the server itself lacks may miss."""
    manifest, problems = make(ports, report)
    if problems:
        raise DamagedError(f"The set {manifest.id} is damaged: {problems[0]}", hint="Try again.")
    return manifest


def _copied(manifest: Manifest, seconds: float) -> Copied:
    objects = manifest.objects
    return Copied(manifest.id, objects.count, objects.added, objects.added_bytes, round(seconds, 3))


@dataclass
class ReadBack:
    """Objects of a server that were read byte by byte and are right. `bytes` counts what was read."""

    ports: Ports
    right: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    bytes: int = 0

    def ahead(self, objects: Iterable[Located]) -> None:
        """Read what was not read yet; a name that still has other content is read again after the cut."""
        for one in newest(objects):
            if self._is_right(one):
                continue
            if one.place is None:
                raise _damaged(one)

    def everything(self, objects: Iterable[Located]) -> int:
        """Read what was not read yet; return the number of all. Raises DamagedError unless every one is right."""
        wanted = newest(objects)
        for one in wanted:
            if not self._is_right(one):
                raise _damaged(one)
        return len(wanted)

    def _is_right(self, one: Located) -> bool:
        known = (name_of(one), one.stored.sha256)
        if known not in self.right and self._digest(one) == one.stored.sha256:
            self.right.add(known)
        return known in self.right

    def _digest(self, one: Located) -> str:
        """Return the checksum of what the server has under the name; its version has another id there."""
        place = Place(one.place.store, one.place.key) if one.place else None
        digest = sha256()
        try:
            with self.ports.backups.source.open(Reference(one.stored.sha256, one.stored.size, place)) as file:
                while chunk := file.read(PIECE):
                    digest.update(chunk)
                    self.bytes += len(chunk)
        except NotFoundError:
            return ""
        return digest.hexdigest()


def _damaged(one: Located) -> DamagedError:
    return DamagedError(f"{name_of(one)} has other bytes on the new server, or is missing there.")


def objects_of(old: Ports, manifest: Manifest) -> list[Located]:
    """Return the objects of a set."""
    return list(located(old.backups.store, manifest))

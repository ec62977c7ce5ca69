"""The objects in the file stores of a deployment: found by name, read by version, put back in their places."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from ...errors import NotFoundError, QfcError
from ...stack.backup_set import Located, Place, Reference
from ...stack.ports import ObjectStore
from ..objects.s3 import S3ObjectStore, Version
from .embedded import object_key

#: Where the node keeps its objects in a bucket.
BLOBS = "blobs/"
#: Where objects are kept that a restore overwrites, until it ends.
ASIDE = "qfc-before-restore/"
IN_MEMORY, PIECE = 4 * 1024 * 1024, 1024 * 1024


@dataclass(frozen=True)
class Found:
    """What a store has of the keys that were looked for: the current version, and the newest one of a deleted key."""

    current: Mapping[str, Version] = field(default_factory=dict[str, Version])
    deleted: Mapping[str, Version] = field(default_factory=dict[str, Version])
    sizes: Mapping[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])

    def get(self, key: str) -> Version | None:
        """Return the current version, else the newest."""
        return self.current.get(key) or self.deleted.get(key)

    def outdated(self, key: str, wanted: Sequence[Located]) -> Sequence[Located]:
        """Return which of the wanted versions of a key, the newest last, have to be stored again."""
        if key not in self.current:
            return ()
        if len(wanted) > 1 and Counter(one.stored.size for one in wanted) - self.sizes[key]:
            return wanted
        return wanted[-1:] if _differs(self.current[key], wanted[-1]) else ()


class DeploymentObjects:
    """The file stores of a deployment by their names in its settings, the default first."""

    def __init__(self, stores: Callable[[], Mapping[str, ObjectStore]]) -> None:
        self._open, self._opened = stores, dict[str, ObjectStore]()

    @property
    def _stores(self) -> Mapping[str, ObjectStore]:
        if not self._opened:
            self._opened.update(self._open())
        return self._opened

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stores, the default first."""
        return tuple(self._stores)

    def resolved(self, references: Sequence[Reference]) -> Iterator[Reference]:
        """Fill in where each object is, with its version. What is nowhere stays as it is."""
        keys = {one.place.key for one in references if one.place}
        looked: dict[str, Found] = {}
        for reference in references:
            if reference.place is None:
                yield reference
                continue
            place = reference.place
            for name in dict.fromkeys((self._name(place.store), *self._stores)):
                if name not in looked:
                    looked[name] = _find(self._stores[name], keys)
                version = looked[name].get(place.key)
                if version is not None:
                    place = Place(place.store if name == self._name(place.store) else name, *_identity(version))
                    break
            yield Reference(reference.sha256, reference.size, place)

    def history(self, store: str, prefix: str) -> Iterator[Reference]:
        """Yield all versions of the objects under a prefix that are not deleted, the oldest of each first."""
        versions: dict[str, list[Version]] = {}
        for one in _versions(self._stores[self._name(store)], prefix):
            versions.setdefault(one.key, []).append(one)
        for found in versions.values():
            if found[0].is_current:
                yield from (Reference("", one.size, Place(store, *_identity(one))) for one in reversed(found))

    def open(self, reference: Reference) -> BinaryIO:
        """Open an object. Raises NotFoundError."""
        place = reference.place
        if place is None:
            return self._default.get(BLOBS + object_key(reference.sha256))
        store = self._stores[self._name(place.store)]
        if place.version and isinstance(store, S3ObjectStore):
            return store.get_version(place.key, place.version)
        return store.get(place.key)

    def lacking(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return the objects whose keys the stores lack."""
        wanted = self._by_key(objects)
        found = self._found(wanted)
        return tuple(one for (name, key), some in wanted.items() if key not in found[name].current for one in some)

    def outdated(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return the objects whose keys have another content; of several versions the newest, or all if some lack."""
        wanted = self._by_key(objects)
        found = self._found(wanted)
        return tuple(one for (name, key), some in wanted.items() for one in found[name].outdated(key, some))

    def put(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        """Store an object that `read` writes; in a bucket with versions it becomes a new one."""
        name, key = self._key(located)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
            read(cast(BinaryIO, content))
            content.seek(0)
            store = self._stores[name]
            if isinstance(store, S3ObjectStore):
                store.put(key, cast(BinaryIO, content), sha256=located.stored.sha256)
            else:
                store.put(key, cast(BinaryIO, content))

    def overwrite(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        """Store an object in place of another one, of which a copy is kept; that of an earlier attempt stays."""
        name, key = self._key(located)
        store = self._stores[name]
        if not any(found == ASIDE + key for found, _ in store.keys(ASIDE + key)):
            _copy(store, key, ASIDE + key)
        self.put(located, read)

    def store_of(self, located: Located) -> str:
        """Return the name of the store that has an object, or gets it."""
        return self._key(located)[0]

    def put_back(self, names: Iterable[str]) -> None:
        """Bring back what was overwritten in these stores."""
        for name in names:
            store = self._named(name)
            for aside, _ in list(store.keys(ASIDE)):
                _copy(store, aside, aside.removeprefix(ASIDE))
            _erase(store, ASIDE)

    def settle(self, names: Iterable[str]) -> None:
        """Remove the copies of what was overwritten in these stores."""
        for name in names:
            _erase(self._named(name), ASIDE)

    def empty(self) -> None:
        """Remove everything."""
        for store in self._stores.values():
            _erase(store, "")

    def _named(self, name: str) -> ObjectStore:
        if name not in self._stores:
            raise QfcError(
                f"The settings have no store {name} any more, and a restore has overwritten files in it.",
                hint=f"Add {name} to STORAGES again, then type: qfc up",
            )
        return self._stores[name]

    @property
    def _default(self) -> ObjectStore:
        return next(iter(self._stores.values()))

    def _name(self, store: str) -> str:
        """Return a name that the settings have now: that store, else the default one."""
        return store if store in self._stores else next(iter(self._stores))

    def _key(self, located: Located) -> tuple[str, str]:
        """Return the name of the store and the key."""
        if located.place is None:
            return next(iter(self._stores)), BLOBS + object_key(located.stored.sha256)
        return self._name(located.place.store), located.place.key

    def _by_key(self, objects: Iterable[Located]) -> Mapping[tuple[str, str], Sequence[Located]]:
        """Return the objects by store and key, the versions of a key in their order."""
        found: dict[tuple[str, str], list[Located]] = {}
        for one in objects:
            found.setdefault(self._key(one), []).append(one)
        return found

    def _found(self, wanted: Iterable[tuple[str, str]]) -> Mapping[str, Found]:
        keys: dict[str, set[str]] = {}
        for name, key in wanted:
            keys.setdefault(name, set()).add(key)
        return {name: _find(self._stores[name], some) for name, some in keys.items()}


def _find(store: ObjectStore, keys: Collection[str]) -> Found:
    current: dict[str, Version] = {}
    deleted: dict[str, Version] = {}
    sizes: dict[str, Counter[int]] = {}
    for one in _versions(store, ""):
        if one.key not in keys:
            continue
        sizes.setdefault(one.key, Counter())[one.size] += 1
        if one.is_current:
            current[one.key] = one
        else:
            deleted.setdefault(one.key, one)
    return Found(current, deleted, sizes)


def _erase(store: ObjectStore, prefix: str) -> None:
    """Remove all versions of everything under a prefix: a deleted one would still take its space."""
    if isinstance(store, S3ObjectStore):
        store.erase(prefix)
        return
    for key, _ in list(store.keys(prefix)):
        store.delete(key)


def _versions(store: ObjectStore, prefix: str) -> Iterator[Version]:
    if isinstance(store, S3ObjectStore):
        return store.versions(prefix)
    return (Version(key, "", size, "", is_current=True) for key, size in store.keys(prefix))


def _identity(version: Version) -> tuple[str, str, str]:
    return version.key, version.id, version.etag


def _differs(found: Version, one: Located) -> bool:
    """Return whether a key has another content than the set. Tags of objects in several parts say nothing."""
    if found.size != one.stored.size:
        return True
    tags = (found.etag, one.place.etag if one.place else "")
    return all(tags) and not any("-" in tag for tag in tags) and tags[0] != tags[1]


def _copy(store: ObjectStore, key: str, to: str) -> None:
    """Copy an object inside its store; one that is gone has nothing to keep."""
    with suppress(NotFoundError):
        if isinstance(store, S3ObjectStore):
            store.copy(key, to)
        else:
            _copy_bytes(store, key, to)


def _copy_bytes(store: ObjectStore, key: str, to: str) -> None:
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
        with store.get(key) as present:
            shutil.copyfileobj(present, content, PIECE)
        content.seek(0)
        store.put(to, cast(BinaryIO, content))

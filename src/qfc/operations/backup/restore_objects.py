"""Puts the objects of a set into the store of a stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from ...stack.backup_set import Located, Manifest, Reference
from ...stack.ports import BackupStore, RestoreTarget


def located(store: BackupStore, manifest: Manifest) -> Iterator[Located]:
    """Yield the objects of a set; where the server names them otherwise than by content, once for each place."""
    objects = {one.sha256: one for one in store.references(manifest)}
    placed = False
    for sha256, place in store.places(manifest):
        placed = True
        yield Located(objects[sha256], place)
    if not placed:
        yield from map(Located, objects.values())


def newest(objects: Iterable[Located]) -> Collection[Located]:
    """Return the objects that are found by name alone: of several versions of a key, the last one."""
    return {(one.place.store, one.place.key) if one.place else one.stored.sha256: one for one in objects}.values()


def broken_names(objects: Iterable[Located], references: Iterable[Reference]) -> Sequence[str]:
    """Return the names that rows have without an object of that size, or objects without a name; versions count."""
    objects, references = list(objects), list(references)
    there, named = Counter(map(name_of, objects)), Counter(one.name for one in references)
    sized = Counter((name_of(one), one.stored.size) for one in objects)
    lacking = Counter((one.name, one.size) for one in references if one.size is not None) - sized
    return list(dict.fromkeys([*(named - there), *(name for name, _ in lacking), *(there - named)]))


def name_of(object: Located) -> str:
    """Return what rows call an object."""
    return object.place.key if object.place else object.stored.sha256


def add_objects(
    store: BackupStore, manifest: Manifest, target: RestoreTarget, *, only: Collection[str] | None = None
) -> int:
    """Add the objects that the target lacks; return their number. Nothing is overwritten. `only`: those names."""
    lacking = target.lacking(one for one in located(store, manifest) if only is None or name_of(one) in only)
    with store.prepared(one.stored for one in lacking):
        for one in lacking:
            target.put(one, lambda sink, one=one: store.read(one.stored, sink))
    target.settle()
    return len(lacking)


def overwrite_objects(store: BackupStore, manifest: Manifest, target: RestoreTarget) -> int:
    """Put the objects of the set where the target has others, which it keeps; return their number."""
    outdated = target.outdated(located(store, manifest))
    with store.prepared(one.stored for one in outdated):
        for one in outdated:
            target.overwrite(one, lambda sink, one=one: store.read(one.stored, sink))
    target.settle()
    return len(outdated)

"""Puts the objects of a set into the store of a stack."""

from __future__ import annotations

from collections.abc import Iterator

from ...stack.backup_set import Located, Manifest
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


def add_objects(store: BackupStore, manifest: Manifest, target: RestoreTarget) -> int:
    """Add the objects that the target lacks; return their number. Nothing is overwritten."""
    lacking = target.lacking(located(store, manifest))
    for one in lacking:
        target.put(one, lambda sink, one=one: store.read(one.stored, sink))
    target.settle()
    return len(lacking)


def overwrite_objects(store: BackupStore, manifest: Manifest, target: RestoreTarget) -> int:
    """Put the objects of the set where the target has others, which it keeps; return their number."""
    outdated = target.outdated(located(store, manifest))
    for one in outdated:
        target.overwrite(one, lambda sink, one=one: store.read(one.stored, sink))
    target.settle()
    return len(outdated)

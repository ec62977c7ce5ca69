"""Objects on their way into a set: those whose content no row tells, those that are gone, those that are known."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from backup_world import digest, keep_set, store_in
from qfc.drivers.backups.plain import PlainBackupStore
from qfc.errors import NotFoundError
from qfc.operations.backup.copying import DELETED, LOST, Copying
from qfc.stack.backup_set import PLACES, Place, Reference, Stored, places_lines
from qfc.stack.ports import Ports, Snapshot
from twins import memory_stack

PICTURE, AVATAR = b"a picture", b"an avatar"


@dataclass
class Server:
    """A server whose store names objects by path; it counts what is read. `named` are the names in its rows now."""

    objects: Mapping[str, bytes]
    read: list[str] = field(default_factory=list[str])
    named: frozenset[str] = frozenset()

    def open(self, reference: Reference) -> BinaryIO:
        """Open an object."""
        if reference.name not in self.objects:
            raise NotFoundError("It is gone.")
        self.read.append(reference.name)
        return io.BytesIO(self.objects[reference.name])

    def references(self) -> Iterator[Reference]:
        """Yield the picture, of which rows have the checksum, and the avatar, of which they have the path alone."""
        yield Reference(digest(PICTURE), len(PICTURE), Place("default", "picture", "1"))
        yield Reference(digest(PICTURE), len(PICTURE), Place("default", "the same picture", "1"))
        yield Reference("", None, Place("default", "avatar", "7", "tag"))

    def still_named(self, names: Collection[str]) -> frozenset[str]:
        """Return what rows name now."""
        return self.named & frozenset(names)


@dataclass
class Sets:
    """The backups of such a server."""

    store: Any
    source: Any


def copied(server: Server, store: Any) -> Copying:
    ports = replace(memory_stack(), backup_records=cast(Any, Sets(store, server)))
    copying = Copying(cast(Ports, ports), lambda _: None)
    copying.run(cast(Snapshot, server))
    return copying


def test_an_object_at_two_places_is_stored_once_and_its_content_is_found_out(tmp_path: Path) -> None:
    server = Server({"picture": PICTURE, "the same picture": PICTURE, "avatar": AVATAR})
    made = copied(server, store_in(tmp_path / "store"))
    assert sorted(made.objects) == sorted([digest(PICTURE), digest(AVATAR)])
    assert [(name, place.key) for name, place in made.places] == [
        (digest(PICTURE), "picture"),
        (digest(PICTURE), "the same picture"),
        (digest(AVATAR), "avatar"),
    ]
    assert server.read == ["picture", "avatar"]
    assert made.counted.bytes == len(PICTURE) + len(AVATAR)


def test_a_version_that_the_newest_set_has_is_not_read_again(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    keep_places(store)
    server = Server({})
    made = copied(server, store)
    assert (server.read, made.missing, len(made.objects)) == ([], [], 2)


def test_a_damaged_list_of_places_stops_no_new_backup(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    file = tmp_path / "store" / keep_places(store).file
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    server = Server({"avatar": AVATAR})
    made = copied(server, store)
    assert (server.read, made.missing, len(made.objects)) == (["avatar"], [], 2)


def keep_places(store: PlainBackupStore) -> Stored:
    """Store a set of both objects that names the place of the avatar; return that part."""
    manifest = keep_set(store, {"picture": PICTURE, "avatar": AVATAR})
    lines = b"".join(places_lines([(digest(AVATAR), Place("default", "avatar", "7", "tag"))]))
    places = store.put_part(manifest.id, PLACES, io.BytesIO(lines))
    store.seal(replace(manifest, parts={**manifest.parts, PLACES: places}))
    return places


def test_what_is_gone_is_named_with_the_reason(tmp_path: Path) -> None:
    made = copied(Server({}, named=frozenset({"avatar"})), store_in(tmp_path / "store"))
    assert [(one.name, one.why) for one in made.missing] == [
        ("picture", DELETED),
        ("the same picture", DELETED),
        ("avatar", LOST),
    ]
    assert [one.shown for one in made.missing] == ["picture", "the same picture", "avatar"]

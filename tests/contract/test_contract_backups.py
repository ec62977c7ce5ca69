"""Every place of backup sets: the plain store on a folder and on a bucket."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from backup_world import digest, keep_set
from minio_server import MinIO
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.drivers.backups.plain import PlainBackupStore
from qfc.drivers.objects.folder import FolderObjectStore
from qfc.drivers.objects.s3 import S3ObjectStore, bucket_of
from qfc.errors import DamagedError, QfcError
from qfc.stack.backup_set import DATABASE
from qfc.stack.ports import ObjectStore
from twins import MemoryObjectStore

#: Larger than what S3 clients send in one piece.
BIG = bytes(range(256)) * 80_000


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    match request.param:
        case "folder":
            return FolderObjectStore(tmp_path / "objects")
        case "memory":
            return MemoryObjectStore()
        case _:
            minio: MinIO = request.getfixturevalue("minio")
            bucket = bucket_of(minio.settings, prefix=f"{uuid.uuid4()}/")
            assert bucket is not None
            return S3ObjectStore(bucket)


@pytest.fixture
def store(objects: ObjectStore, tmp_path: Path) -> PlainBackupStore:
    keys = FileBackupKeys(tmp_path / "own")
    keys.create()
    return PlainBackupStore(objects, keys, place="here", encryption="all", progress=tmp_path / "own/progress.jsonl")


def test_sets_are_stored_shared_read_and_removed(store: PlainBackupStore) -> None:
    first = keep_set(store, {"big": BIG, "a": b"a"})
    listed = {one.sha256: one for one in store.references(first)}
    assert set(store.known([digest(BIG), digest(b"other")])) == {digest(BIG)}
    out = io.BytesIO()
    store.read(listed[digest(BIG)], out)
    assert out.getvalue() == BIG
    assert not list(store.look(listed.values()))
    assert not [found for one in listed.values() if (found := store.check_bytes(one))]
    store.remove([first.id])
    assert store.manifests() == ()
    assert len(list(store.look(listed.values()))) == 2


def test_what_fails_on_its_way_leaves_nothing(store: PlainBackupStore, objects: ObjectStore) -> None:
    with pytest.raises((OSError, QfcError)):
        store.put_part("20261130-120000-0000", DATABASE, cast(BinaryIO, Broken()))
    with pytest.raises(DamagedError):
        store.put_object(digest(b"x"), io.BytesIO(BIG))
    assert not list(objects.keys())


class Broken:
    """A stream that fails."""

    def read(self, _size: int = -1) -> bytes:
        """Fail."""
        raise OSError(5, "the disk is broken")

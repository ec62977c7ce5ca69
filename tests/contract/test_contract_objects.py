"""Every object store."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from minio_server import MinIO
from qfc.drivers.objects.choice import FolderOf
from qfc.drivers.objects.folder import FolderObjectStore
from qfc.drivers.objects.s3 import S3ObjectStore, bucket_of
from qfc.drivers.objects.sftp import Sftp, SftpObjectStore
from qfc.drivers.objects.webdav import WebDavObjectStore
from qfc.errors import NotFoundError, QfcError, UnreachableError, UsageError
from qfc.stack.ports import ObjectStore
from ssh_server import SshServer, running
from twins import MemoryObjectStore
from webdav_server import webdav_server


@pytest.fixture(params=["folder", "memory", "part", pytest.param("s3", marks=pytest.mark.s3), "webdav", "sftp"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    match request.param:
        case "folder":
            return FolderObjectStore(tmp_path / "objects")
        case "memory":
            return MemoryObjectStore()
        case "part":
            return FolderOf(MemoryObjectStore(), "qfc-drill/")
        case kind:
            return request.getfixturevalue(f"{kind}_store")


@pytest.fixture
def webdav_store(tmp_path: Path) -> Iterator[ObjectStore]:
    """A folder on a WebDAV server."""
    folder = tmp_path / "served"
    folder.mkdir()
    with webdav_server(folder) as place, closing(WebDavObjectStore(place)) as store:
        yield store


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """An sshd on the loopback with SFTP."""
    server = SshServer(tmp_path_factory.mktemp("sshd"), more="Subsystem sftp internal-sftp")
    with running(server):
        yield server


@pytest.fixture
def sftp_store(sshd: SshServer, tmp_path: Path) -> Iterator[ObjectStore]:
    """A folder on a server that speaks SFTP."""
    with closing(SftpObjectStore(Sftp(sshd.settings(), PurePosixPath(tmp_path / "far/away")))) as store:
        yield store


@pytest.fixture
def s3_store(minio: MinIO) -> ObjectStore:
    """A part of MinIO's bucket that no other test uses."""
    bucket = bucket_of(minio.settings, prefix=f"{uuid.uuid4()}/")
    assert bucket is not None
    return S3ObjectStore(bucket)


def put(store: ObjectStore, key: str, content: bytes = b"x") -> int:
    return store.put(key, io.BytesIO(content))


class Broken(io.RawIOBase):
    """A stream that fails after its first bytes."""

    def __init__(self) -> None:
        self.reads = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        if self.reads > 1 or size < 0:
            raise OSError("connection lost")
        return b"half"


def test_what_was_put_is_got(store: ObjectStore) -> None:
    assert put(store, "a/b.bin", b"bytes") == 5
    with store.get("a/b.bin") as content:
        assert content.read() == b"bytes"


def test_a_key_can_be_put_again(store: ObjectStore) -> None:
    put(store, "a", b"old")
    put(store, "a", b"new!")
    with store.get("a") as content:
        assert content.read() == b"new!"
    assert list(store.keys()) == [("a", 4)]


def test_an_empty_store_has_no_keys(store: ObjectStore) -> None:
    assert list(store.keys()) == []


def test_keys_come_in_order_with_sizes(store: ObjectStore) -> None:
    for key in ("b", "a/z", "a-1", "a/b/c", "ab"):
        put(store, key, key.encode())
    assert list(store.keys()) == [("a-1", 3), ("a/b/c", 5), ("a/z", 3), ("ab", 2), ("b", 1)]
    assert [key for key, _ in store.keys("a/")] == ["a/b/c", "a/z"]
    assert [key for key, _ in store.keys("a")] == ["a-1", "a/b/c", "a/z", "ab"]


def test_a_missing_key_is_not_found(store: ObjectStore) -> None:
    put(store, "a/b")
    for key in ("none", "a", "a/b/c/d"):
        with pytest.raises(NotFoundError):
            store.get(key)


def test_deleting_removes_and_deleting_again_is_harmless(store: ObjectStore) -> None:
    put(store, "a")
    store.delete("a")
    store.delete("a")
    assert list(store.keys()) == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../b", ".."])
def test_a_key_that_leads_out_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(UsageError):
        put(store, key)
    with pytest.raises(UsageError):
        store.get(key)


def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises((OSError, QfcError)):
        store.put("a", Broken())  # pyright: ignore[reportArgumentType] - a stream that only reads is enough
    assert list(store.keys()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_store_that_is_away_is_unreachable(minio: MinIO, s3_store: ObjectStore) -> None:
    minio.stop()
    with pytest.raises(UnreachableError, match="cannot be used"):
        list(s3_store.keys())
    with pytest.raises(UnreachableError, match="cannot be used"):
        s3_store.get("a")


@pytest.mark.s3
def test_an_object_that_is_too_large_for_one_copy_is_copied_in_parts(minio: MinIO) -> None:
    bucket = bucket_of(minio.settings, prefix=f"{uuid.uuid4()}/")
    assert bucket is not None
    store, content = S3ObjectStore(bucket, largest_copy=1_000_000), os.urandom(9_000_000)
    store.put("photo.jpg", io.BytesIO(content), sha256="abc")
    store.copy("photo.jpg", "kept/photo.jpg")
    with store.get("kept/photo.jpg") as copy:
        assert copy.read() == content
    heads = [store._client.head_object(Bucket=bucket.name, Key=bucket.prefix + one)  # pyright: ignore
             for one in ("photo.jpg", "kept/photo.jpg")]  # fmt: skip
    assert "-" in heads[1]["ETag"], "it was copied in parts"
    assert [(one["ContentType"], one["Metadata"]) for one in heads] == [("image/jpeg", {"sha256sum": "abc"})] * 2
    with pytest.raises(NotFoundError):
        store.copy("none", "kept/none")


def test_a_webdav_server_that_is_away_or_refuses_is_unreachable(tmp_path: Path) -> None:
    with webdav_server(tmp_path) as place, closing(WebDavObjectStore(replace(place, password="wrong"))) as store:
        with pytest.raises(UnreachableError, match="cannot be used") as caught:
            list(store.keys())
        assert "wrong" not in str(caught.value)
    with closing(WebDavObjectStore(place)) as store, pytest.raises(UnreachableError, match="cannot be used"):
        store.get("a")


def test_an_sftp_server_that_is_away_is_unreachable_and_comes_back(tmp_path: Path) -> None:
    with running(SshServer(tmp_path, more="Subsystem sftp internal-sftp")) as server, far(server, tmp_path) as store:
        put(store, "a")
        server.end_connections()
        with pytest.raises(UnreachableError):
            list(store.keys())
        assert list(store.keys()) == [("a", 1)]
        server.stop()
        with pytest.raises(UnreachableError):
            put(store, "b")


def test_a_server_without_sftp_is_unreachable(tmp_path: Path) -> None:
    said = "does not answer, or has no SFTP"
    with (
        running(SshServer(tmp_path)) as server,
        far(server, tmp_path) as store,
        pytest.raises(UnreachableError, match=said),
    ):
        list(store.keys())


def far(server: SshServer, folder: Path) -> closing[SftpObjectStore]:
    """Return a store in a folder of the server."""
    return closing(SftpObjectStore(Sftp(server.settings(), PurePosixPath(folder / "far"))))

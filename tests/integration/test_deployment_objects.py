"""The file stores of a deployment on a real bucket with versions: found, read after a deletion, put back, undone."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from hashlib import sha256
from typing import Any, BinaryIO

import pytest

from minio_server import MinIO
from qfc.drivers.backups.deployment_objects import ASIDE, DeploymentObjects
from qfc.drivers.objects.s3 import S3ObjectStore, bucket_of
from qfc.errors import NotFoundError
from qfc.stack.backup_set import Located, Place, Reference, Stored

pytestmark = pytest.mark.s3
KEY = "projects/1/files/points.gpkg/v1"


@pytest.fixture
def bucket(minio: MinIO) -> S3ObjectStore:
    bucket = bucket_of(minio.settings, prefix=f"{uuid.uuid4()}/")
    assert bucket is not None
    store = S3ObjectStore(bucket)
    keep_versions(store, "Enabled")
    return store


@pytest.fixture
def objects(bucket: S3ObjectStore) -> DeploymentObjects:
    return DeploymentObjects(lambda: {"default": bucket})


def resolved(objects: DeploymentObjects, key: str = KEY, store: str = "default") -> Reference:
    (found,) = objects.resolved([Reference("", None, Place(store, key))])
    return found


def located(reference: Reference, content: bytes) -> Located:
    stored = Stored(sha256(content).hexdigest(), len(content), "", "", 0)
    return Located(stored, reference.place)


def writing(content: bytes) -> Any:
    def write(sink: BinaryIO) -> None:
        sink.write(content)

    return write


def test_what_was_deleted_or_overwritten_is_read_by_its_version(
    objects: DeploymentObjects, bucket: S3ObjectStore
) -> None:
    bucket.put(KEY, io.BytesIO(b"first"))
    before = resolved(objects)
    bucket.put(KEY, io.BytesIO(b"second"))
    assert objects.open(before).read() == b"first"
    bucket.delete(KEY)
    after = resolved(objects)
    assert after.place is not None
    assert after.place.version
    assert objects.open(after).read() == b"second"
    with pytest.raises(NotFoundError):
        objects.open(resolved(objects, "projects/1/nothing"))


def test_a_store_that_the_settings_lack_now_is_the_default_one(
    objects: DeploymentObjects, bucket: S3ObjectStore
) -> None:
    bucket.put(KEY, io.BytesIO(b"first"))
    assert objects.open(resolved(objects, store="gone")).read() == b"first"


def test_the_history_of_a_file_is_that_of_its_versions(objects: DeploymentObjects, bucket: S3ObjectStore) -> None:
    for content in (b"one", b"two", b"three"):
        bucket.put(KEY, io.BytesIO(content))
    bucket.put("projects/1/files/deleted", io.BytesIO(b"x"))
    bucket.delete("projects/1/files/deleted")
    assert [objects.open(one).read() for one in objects.history("default", "projects/1/")] == [b"one", b"two", b"three"]


def test_what_is_lacking_is_added_and_what_differs_is_overwritten_and_comes_back(
    objects: DeploymentObjects, bucket: S3ObjectStore
) -> None:
    bucket.put(KEY, io.BytesIO(b"first"))
    bucket.put("users/a/avatar.png", io.BytesIO(b"old"))
    wanted = [located(resolved(objects), b"first"), located(resolved(objects, "users/a/avatar.png"), b"old")]
    bucket.put("users/a/avatar.png", io.BytesIO(b"new"))
    bucket.delete(KEY)
    assert objects.lacking(wanted) == (wanted[0],)
    objects.put(wanted[0], writing(b"first"))
    assert (objects.lacking(wanted), objects.outdated(wanted)) == ((), (wanted[1],))
    for _ in range(2):  # a restore that was killed is done again
        objects.overwrite(wanted[1], writing(b"old"))
    assert bucket.get("users/a/avatar.png").read() == b"old"
    assert [key for key, _ in bucket.keys(ASIDE)] == [f"{ASIDE}users/a/avatar.png"]
    for _ in range(2):
        objects.put_back(["default"])
        assert bucket.get("users/a/avatar.png").read() == b"new"
    assert not list(bucket.versions(ASIDE))


def test_what_was_stored_before_the_bucket_had_versions_is_read_too(
    objects: DeploymentObjects, bucket: S3ObjectStore
) -> None:
    keep_versions(bucket, "Suspended")
    bucket.put(KEY, io.BytesIO(b"first"))
    before = resolved(objects)
    keep_versions(bucket, "Enabled")
    bucket.put(KEY, io.BytesIO(b"second"))
    assert objects.open(before).read() == b"first"
    assert [objects.open(one).read() for one in objects.history("default", "projects/1/")] == [b"first", b"second"]


def test_a_bucket_without_versions_is_read(bucket: S3ObjectStore) -> None:
    own: Any = bucket
    name = f"without-{uuid.uuid4()}"
    own._client.create_bucket(Bucket=name)
    plain = S3ObjectStore(replace(own._bucket, name=name))
    plain.put(KEY, io.BytesIO(b"first"))
    objects = DeploymentObjects(lambda: {"default": plain})
    assert objects.open(resolved(objects)).read() == b"first"
    plain.delete(KEY)
    own._client.delete_bucket(Bucket=name)


def test_versions_that_a_key_lacks_are_put_back_in_their_order(
    objects: DeploymentObjects, bucket: S3ObjectStore
) -> None:
    """In releases before 2025 the bucket alone has the history of a file."""
    contents = (b"one", b"three", b"fifteen")
    bucket.put(KEY, io.BytesIO(contents[-1]))
    (place,) = [one.place for one in objects.history("default", "projects/1/")]
    wanted = [located(Reference("", None, place), one) for one in contents]
    assert objects.lacking(wanted) == ()
    assert objects.outdated(wanted) == tuple(wanted)
    for one, content in zip(wanted, contents, strict=True):
        objects.overwrite(one, writing(content))
    history = [objects.open(one).read() for one in objects.history("default", "projects/1/")]
    assert history == [contents[-1], *contents]
    assert objects.outdated(wanted) == ()


def keep_versions(bucket: S3ObjectStore, status: str) -> None:
    """Let a bucket keep versions, or not any more."""
    own: Any = bucket
    own._client.put_bucket_versioning(Bucket=own._bucket.name, VersioningConfiguration={"Status": status})


def test_objects_are_put_back_with_type_and_metadata(objects: DeploymentObjects, bucket: S3ObjectStore) -> None:
    """Releases before 2025 answer 500 for a file without its checksum."""
    key = "users/a/avatar.png"
    bucket.put(key, io.BytesIO(b"new"), sha256="of new")
    objects.overwrite(located(resolved(objects, key), b"old"), writing(b"old"))
    assert described(bucket, key) == ("image/png", {"sha256sum": sha256(b"old").hexdigest()})
    objects.put_back(["default"])
    assert bucket.get(key).read() == b"new"
    assert described(bucket, key) == ("image/png", {"sha256sum": "of new"})


def described(bucket: S3ObjectStore, key: str) -> tuple[str, dict[str, str]]:
    """Return type and metadata of an object."""
    own: Any = bucket
    head = own._client.head_object(Bucket=own._bucket.name, Key=own._name(key))
    return head["ContentType"], {name.lower(): value for name, value in head["Metadata"].items()}


def test_a_scratch_folder_leaves_no_version_behind(objects: DeploymentObjects, bucket: S3ObjectStore) -> None:
    for content in (b"one", b"two"):
        bucket.put(KEY, io.BytesIO(content))
    bucket.delete(KEY)
    objects.empty()
    assert not list(bucket.versions())

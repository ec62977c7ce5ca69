"""The script that counts versions and sets the rule, under a Python of its own, on a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from typing import Any, cast

import pytest

from minio_server import ACCESS, SECRET, MinIO
from qfc.drivers.runtimes.compose.inspection.stores import parsed
from qfc.stack.model import StoreContent

pytestmark = pytest.mark.s3
BUCKET_OF_TEST = "versioned"


@pytest.fixture
def client(minio: MinIO) -> Any:
    import boto3  # pyright: ignore[reportMissingTypeStubs]

    make = cast(Any, boto3).client
    made = make("s3", endpoint_url=minio.endpoint, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
                region_name="us-east-1")  # fmt: skip
    made.create_bucket(Bucket=BUCKET_OF_TEST)
    return made


def run(minio: MinIO, verb: str, number: int) -> str:
    options = {"access_key": ACCESS, "secret_key": SECRET, "bucket_name": BUCKET_OF_TEST, "region_name": "us-east-1",
               "endpoint_url": minio.endpoint}  # fmt: skip
    stores: dict[str, Any] = {
        "default": {"BACKEND": "qfieldcloud.filestorage.backend.QfcS3Boto3Storage", "OPTIONS": options},
        "dav": {"BACKEND": "qfieldcloud.filestorage.backend.QfcWebDavStorage", "OPTIONS": {}},
    }
    script = resources.files("qfc.drivers.docker").joinpath("bucket_versions.py").read_bytes()
    argv = [sys.executable, "-I", "-", verb, str(number)]
    environment = {**os.environ, "STORAGES": json.dumps(stores)}
    return subprocess.run(argv, input=script, env=environment, capture_output=True, check=True).stdout.decode()


def content(minio: MinIO) -> StoreContent:
    (one,) = parsed(run(minio, "look", 10))
    return one


def test_deleted_versions_are_counted_until_a_rule_removes_them(minio: MinIO, client: Any) -> None:
    assert not content(minio).keeps_deleted
    client.put_bucket_versioning(Bucket=BUCKET_OF_TEST, VersioningConfiguration={"Status": "Enabled"})
    for key in ("projects/a/files/x/v1", "projects/b/files/y/v1", "users/alice/avatar"):
        client.put_object(Bucket=BUCKET_OF_TEST, Key=key, Body=b"0" * 1000)
        client.delete_object(Bucket=BUCKET_OF_TEST, Key=key)
    client.put_object(Bucket=BUCKET_OF_TEST, Key="projects/a/files/x/v2", Body=b"0" * 7)
    found = content(minio)
    assert (found.keeps_deleted, found.is_whole) == (True, True)
    assert [(one.project_id, one.live, one.deleted) for one in found.projects] == [("a", 7, 1000), ("b", 0, 1000)]

    mine = {"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    client.put_bucket_lifecycle_configuration(Bucket=BUCKET_OF_TEST, LifecycleConfiguration={"Rules": [mine]})
    assert content(minio).keeps_deleted
    for days in (40, 33):
        run(minio, "expire", days)
    rules = {one["ID"]: one for one in client.get_bucket_lifecycle_configuration(Bucket=BUCKET_OF_TEST)["Rules"]}
    assert rules.keys() == {"mine", "qfc-deleted-versions"}
    assert rules["qfc-deleted-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 33
    assert not content(minio).keeps_deleted

"""A stack with its files in a bucket, and its backups in another part of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from field_server import FieldServer
from minio_server import MinIO
from qfc.drivers.objects.s3 import S3ObjectStore, bucket_of
from qfc_command import Qfc

pytestmark = [pytest.mark.slow, pytest.mark.s3]


def test_files_come_back_to_the_bucket_that_the_set_names(qfc: Qfc, minio: MinIO, tmp_path: Path) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in minio.settings.items())
    place = tmp_path / "bucket"
    place.write_text(lines)
    environment = {"QFC_BACKUP_BUCKET_FILE": str(place)}
    qfc.ok("init", "local", "--workers", "1")
    settings = qfc.home / "local/node.env"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(lines)
    qfc.ok("up")
    server = FieldServer(qfc)
    server.upload("photo.jpg", b"a photo")
    made = qfc.ok("db", "backup", **environment)
    assert (made["verified"], made["objects"], made["path"]) == (True, 1, "bucket qfc-test/local")

    bucket = bucket_of(minio.settings, prefix="blobs/")
    assert bucket is not None
    blobs = S3ObjectStore(bucket)
    for key, _ in list(blobs.keys()):
        blobs.delete(key)
    server.http.delete(f"projects/{server.project}/")
    settings.unlink()
    qfc.ok("up")
    result = qfc.ok("db", "restore", "--to", made["backup"], "--yes", **environment)
    assert result["objects_added"] == 1
    assert settings.read_text() == lines
    assert server.files() == {"photo.jpg": b"a photo"}
    assert len(list(blobs.keys())) == 1
    server.http.close()

"""Names and versions of files. The bytes are in the blob store, addressed by their sha256."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now

from ...storage.etags import PART_BYTES
from .accounts import User
from .jobs import PackageJob
from .projects import Project


class FileType(models.IntegerChoices):
    """Values of `filestorage_file.file_type`."""

    PROJECT_FILE = 1
    PACKAGE_FILE = 2


class File(models.Model):
    """A file name in a project or in one of its packages. Clients see its newest version."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="all_files")
    project_id: uuid.UUID
    name = models.TextField()
    file_type = models.SmallIntegerField(choices=FileType.choices, default=FileType.PROJECT_FILE)
    package_job = models.ForeignKey(PackageJob, models.CASCADE, null=True, blank=True, related_name="package_files")
    package_job_id: uuid.UUID | None
    latest_version: models.ForeignKey[FileVersion | None] = models.ForeignKey(
        "core.FileVersion", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    latest_version_id: uuid.UUID | None
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        db_table = "filestorage_file"
        constraints = [
            models.UniqueConstraint(
                "project", "name", condition=models.Q(file_type=1), name="filestorage_file_project_name"
            ),
            models.UniqueConstraint(
                "package_job", "name", condition=models.Q(file_type=2), name="filestorage_file_package_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


#: Versions with more than one part whose tag does not say so yet.
OLD_TAG = models.Q(size__gt=PART_BYTES) & ~models.Q(etag__contains="-")


class FileVersion(models.Model):
    """Immutable bytes under a name. `content` is the key in the blob store; hashes are raw bytes; size in bytes.

    `md5sum` is the digest in `etag`. Rows from before `etag` have it empty, and the MD5 of all bytes in `md5sum`: right
    for small files; workers compute the tags of the others (`OLD_TAG`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(File, models.CASCADE, related_name="versions")
    file_id: int
    content = models.TextField(db_index=True)
    etag = models.CharField(max_length=64, default="", db_default="")
    md5sum = models.BinaryField(max_length=16)
    sha256sum = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    uploaded_at = models.DateTimeField(db_default=Now())
    uploaded_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    uploaded_by_id: int | None
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "filestorage_fileversion"
        ordering = ["-uploaded_at", "-id"]
        indexes = [models.Index("content", condition=OLD_TAG, name="filestorage_old_tag_idx")]

    def __str__(self) -> str:
        return f"version {self.id}"

    @property
    def entity_tag(self) -> str:
        """The tag with which clients compare their own copy."""
        return self.etag or bytes(self.md5sum).hex()

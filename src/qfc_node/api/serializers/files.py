"""Shapes of files. Lists of files are long, so they are built without serializers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from itertools import groupby
from typing import Any

from rest_framework import serializers

from ...core.attachments import is_in
from ...core.models import FileVersion
from ..fields import Flag, Uuid
from ..pagination import PageQuery

Shape = serializers.Serializer[Any]
DATE_FORMAT = "%d.%m.%Y %H:%M:%S UTC"


class UploadBody(Shape):
    """A file to store."""

    file = serializers.FileField(help_text="The bytes of the file.")


class DeltafileBody(Shape):
    """A deltafile."""

    file = serializers.FileField(help_text="A deltafile: JSON, version 1.0.")


class ThumbnailBody(Shape):
    """A thumbnail of a project."""

    thumbnail = serializers.FileField(help_text="A PNG, JPEG, WebP or GIF.")


class AvatarBody(Shape):
    """A picture of an account."""

    avatar = serializers.FileField(help_text="A PNG, JPEG, WebP or GIF.")


class XlsformBody(Shape):
    """The form of a seed."""

    xlsform = serializers.FileField(help_text="An XLSForm.")


class Json2qgisBody(Shape):
    """The JSON description of a seed."""

    json2qgis = serializers.FileField(help_text="A JSON description of a project.")


class FileQuery(PageQuery):
    """The requested details of each file."""

    skip_metadata = Flag(required=False, help_text="Omit the sha256.")
    skip_versions = Flag(required=False, help_text="Omit the versions.")


class DownloadQuery(Shape):
    """The requested version."""

    version = Uuid(required=False, help_text="Id of a version; without it, the newest.")


class FileVersionSerializer(Shape):
    """One version of a file."""

    version_id = serializers.UUIDField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    md5sum = serializers.CharField(read_only=True)
    sha256 = serializers.CharField(required=False, help_text="Absent with `skip_metadata`.")
    last_modified = serializers.CharField(read_only=True, help_text="for example 23.11.2026 13:56:14 UTC")
    uploaded_at = serializers.DateTimeField(read_only=True)
    is_latest = serializers.BooleanField(read_only=True)
    display = serializers.CharField(read_only=True)


class FileSerializer(Shape):
    """A file of a project; size and hashes are those of its newest version."""

    name = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    md5sum = serializers.CharField(read_only=True)
    sha256 = serializers.CharField(required=False, help_text="Absent with `skip_metadata`.")
    last_modified = serializers.CharField(read_only=True)
    uploaded_at = serializers.DateTimeField(read_only=True)
    is_attachment = serializers.BooleanField(read_only=True)
    versions = FileVersionSerializer(many=True, required=False, help_text="Newest first; absent with `skip_versions`.")


def describe_files(
    rows: Iterable[FileVersion], folders: Sequence[str], *, metadata: bool, versions: bool
) -> list[dict[str, Any]]:
    """Describe files from their versions, which must be sorted by name, then newest first."""
    files: list[dict[str, Any]] = []
    for name, group in groupby(rows, key=lambda version: version.file.name):
        listed = [_describe_version(version, metadata) for version in group]
        listed[0]["is_latest"] = True
        newest = {key: value for key, value in listed[0].items() if key not in ("version_id", "is_latest", "display")}
        files.append({"name": name, **newest, "is_attachment": is_in(name, folders)})
        if versions:
            files[-1]["versions"] = listed
    return files


def _describe_version(version: FileVersion, metadata: bool) -> dict[str, Any]:
    uploaded = version.uploaded_at.astimezone(UTC)
    described: dict[str, Any] = {
        "version_id": str(version.pk),
        "size": version.size,
        "md5sum": version.entity_tag,
        "last_modified": uploaded.strftime(DATE_FORMAT),
        "uploaded_at": uploaded,
        "is_latest": False,
        "display": uploaded.strftime("v%Y%m%d%H%M%S"),
    }
    if metadata:
        described["sha256"] = bytes(version.sha256sum).hex()
    return described

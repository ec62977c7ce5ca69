"""Objects in a bucket of an S3 store."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from ...errors import ConfigError, NotFoundError, UnreachableError, UsageError
from ...stack.ports import ObjectStore

Result = TypeVar("Result")
MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})
#: The version of what was stored while a bucket had no versions. It is read by it: a later one may be the current one.
UNVERSIONED = "null"
TIMEOUT_S = 10
#: The bytes of the largest object that a store copies at once.
LARGEST_COPY = 5 * 1024**3


@dataclass(frozen=True)
class Bucket:
    """A bucket and its access key. `prefix` precedes every object's key."""

    name: str
    access_key: str
    secret_key: str = field(repr=False)
    endpoint: str | None = None
    region: str | None = None
    prefix: str = ""


def bucket_of(settings: Mapping[str, str], *, prefix: str = "") -> Bucket | None:
    """Return the bucket in the node's settings `STORAGE_…`, None without one. Raises ConfigError.

    The keys may be in files, which `STORAGE_…_FILE` name.
    """
    name = settings.get("STORAGE_BUCKET_NAME")
    if not name:
        return None
    keys = {one: _secret(settings, one) for one in ("STORAGE_ACCESS_KEY_ID", "STORAGE_SECRET_ACCESS_KEY")}
    missing = [f"{one} is not set, although STORAGE_BUCKET_NAME is." for one, key in keys.items() if not key]
    if missing:
        raise ConfigError(missing, hint="Set it, or NAME_FILE with its file, where STORAGE_BUCKET_NAME is set.")
    endpoint, region = settings.get("STORAGE_ENDPOINT_URL"), settings.get("STORAGE_REGION_NAME")
    key, secret = keys.values()
    return Bucket(name, key, secret, endpoint or None, region or None, prefix)


def _secret(settings: Mapping[str, str], name: str) -> str:
    """Return a setting, or the content of the file that `NAME_FILE` names; empty without either."""
    path = settings.get(f"{name}_FILE")
    if not path:
        return settings.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{name}_FILE: {path} cannot be read."], hint="Check its owner and permissions.") from error


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object. `is_current`: whoever asks for the key without a version gets it."""

    key: str
    id: str
    size: int
    etag: str
    is_current: bool


class S3ObjectStore(ObjectStore):
    """Stores objects in a bucket. The store itself guarantees that an object exists completely or not at all."""

    def __init__(self, bucket: Bucket, *, largest_copy: int = LARGEST_COPY) -> None:
        self._bucket, self._largest_copy = bucket, largest_copy
        self._client = _client(bucket)

    def put(self, key: str, content: BinaryIO, *, sha256: str = "") -> int:
        """Store bytes under a key, in parts if they are many; return their number.

        With `sha256` the object has what an official server gives to it: releases before 2025 fail without.
        """
        name = self._name(key)
        more = _described(key, sha256) if sha256 else None
        self._ask(key, lambda: self._client.upload_fileobj(content, self._bucket.name, name, ExtraArgs=more))
        head = self._ask(key, lambda: self._client.head_object(Bucket=self._bucket.name, Key=name))
        return int(head["ContentLength"])

    def get(self, key: str) -> BinaryIO:
        name = self._name(key)
        answer = self._ask(key, lambda: self._client.get_object(Bucket=self._bucket.name, Key=name))
        return cast(BinaryIO, answer["Body"])

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        full = self._bucket.prefix + prefix
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=full))
        while (page := self._ask(prefix, lambda: next(pages, None))) is not None:
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self._bucket.prefix), int(item["Size"])

    def get_version(self, key: str, id: str) -> BinaryIO:
        """Open a version of an object, also of one that was deleted since. Raises NotFoundError."""
        name = self._name(key)
        answer = self._ask(key, lambda: self._client.get_object(Bucket=self._bucket.name, Key=name, VersionId=id))
        return cast(BinaryIO, answer["Body"])

    def copy(self, key: str, to: str) -> None:
        """Copy an object inside the bucket, with its type and metadata. Raises NotFoundError."""
        bucket, name = self._bucket.name, self._name(to)
        source = {"Bucket": bucket, "Key": self._name(key)}
        head = self._ask(key, lambda: self._client.head_object(**source))
        if int(head["ContentLength"]) <= self._largest_copy:
            self._ask(key, lambda: self._client.copy_object(Bucket=bucket, Key=name, CopySource=source))
            return
        # In parts: a store copies no more than 5 GB at once, and gives type and metadata to such a copy only if asked.
        more = {"ContentType": head["ContentType"], "Metadata": head["Metadata"]}
        self._ask(key, lambda: self._client.copy(source, bucket, name, ExtraArgs=more))

    def versions(self, prefix: str = "") -> Iterator[Version]:
        """Yield every version under a prefix, by key and the newest first; without versions, the objects."""
        full = self._bucket.prefix + prefix
        pages = iter(self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket.name, Prefix=full))
        while (page := self._ask(prefix, lambda: next(pages, None))) is not None:
            for item in page.get("Versions", []):
                key, id = item["Key"].removeprefix(self._bucket.prefix), item.get("VersionId") or UNVERSIONED
                tag = str(item.get("ETag", "")).strip('"')
                yield Version(key, id, int(item["Size"]), tag, bool(item["IsLatest"]))

    def erase(self, prefix: str) -> None:
        """Remove everything under a prefix, with all versions and marks of deletion."""
        full = self._bucket.prefix + prefix
        pages = iter(self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket.name, Prefix=full))
        while (page := self._ask(prefix, lambda: next(pages, None))) is not None:
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                names = {"Bucket": self._bucket.name, "Key": item["Key"], "VersionId": item["VersionId"]}
                self._ask(prefix, lambda names=names: self._client.delete_object(**names))

    def delete(self, key: str) -> None:
        name = self._name(key)
        self._ask(key, lambda: self._client.delete_object(Bucket=self._bucket.name, Key=name))

    def _name(self, key: str) -> str:
        if not key or key.startswith("/") or ".." in key.split("/"):
            raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
        return self._bucket.prefix + key

    def _ask(self, key: str, question: Callable[[], Result]) -> Result:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return question()
        except ClientError as error:
            answer = cast(dict[str, Any], error.response)
            code = str(answer.get("Error", {}).get("Code"))
            if code in MISSING and key:
                raise NotFoundError(f"There is no object {key}.") from error
            raise self._unreachable(code) from error
        except BotoCoreError as error:
            raise self._unreachable(type(error).__name__) from error

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"The bucket {self._bucket.name} cannot be used: {why}.",
            hint="Check STORAGE_ENDPOINT_URL and the access keys, and that the store runs.",
        )


def _described(key: str, sha256: str) -> Mapping[str, Any]:
    type = mimetypes.guess_type(key)[0]
    return {"Metadata": {"Sha256sum": sha256}, **({"ContentType": type} if type else {})}


def _client(bucket: Bucket) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ConfigError(
            ["Objects in an S3 store need the package boto3."], hint="Install qfieldcloud-suite[node]."
        ) from error
    make = cast(Callable[..., Any], boto3.client)  # pyright: ignore[reportUnknownMemberType]  (no stubs)
    return make(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        config=Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2}),
    )

"""Blobs in an S3 store, through django-storages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import django.core.files.storage
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File

from .blobs import Blob, Staged
from .errors import StorageError

Result = TypeVar("Result")
PREFIX = "blobs/"


class S3BlobStore:
    """Blobs as objects `blobs/ab/abcd…`. The store itself sees to it that an object is there whole or not at all."""

    def __init__(self) -> None:
        # The stubs do not know `storages`.
        self._storage: Any = django.core.files.storage.storages["blobs"]  # pyright: ignore

    @staticmethod
    def _name(key: str) -> str:
        return f"{PREFIX}{key[:2]}/{key}"

    def _ask(self, what: str, question: Callable[[], Result]) -> Result:
        try:
            return question()
        except (BotoCoreError, ClientError, OSError) as error:
            raise StorageError(f"the object store failed to {what}: {type(error).__name__}") from error

    def adopt(self, staged: Staged) -> Blob:
        """Upload the staged bytes, in parts when they are many."""
        blob = staged.blob
        with staged.path.open("rb") as source:
            self._ask("store a file", lambda: self._storage.save(self._name(blob.key), File(source)))
        return blob

    def exists(self, key: str) -> bool:
        """Ask the store."""
        return self._ask("look for a file", lambda: bool(self._storage.exists(self._name(key))))

    def open(self, key: str) -> BinaryIO:
        """Stream the object."""
        return cast(BinaryIO, self._ask("read a file", lambda: self._body(key)))

    def _body(self, key: str) -> Any:
        answer = self._storage.connection.meta.client.get_object(Bucket=self._storage.bucket_name, Key=self._name(key))
        return answer["Body"]

    def local_path(self, key: str) -> Path | None:
        """There is no file on this machine."""
        del key

    def delete(self, key: str) -> None:
        """Remove the object."""
        self._ask("remove a file", lambda: self._storage.delete(self._name(key)))

    def older_than(self, seconds: float) -> Iterator[str]:
        """List the bucket page by page."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        objects: Any = self._ask("list files", lambda: iter(self._storage.bucket.objects.filter(Prefix=PREFIX)))
        while True:
            item = self._ask("list files", lambda: next(objects, None))
            if item is None:
                return
            if item.last_modified < limit:
                yield item.key.rpartition("/")[2]

    def probe(self) -> None:
        """Ask for the bucket itself."""
        client = self._storage.connection.meta.client
        self._ask("answer", lambda: client.head_bucket(Bucket=self._storage.bucket_name))

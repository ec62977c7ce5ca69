"""Blobs in an S3 store, through django-storages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import django.core.files.storage
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File

from .blobs import Blob, Staged
from .errors import StorageError

Result = TypeVar("Result")
PREFIX = "blobs/"
#: Seconds that a store may take to answer: with botocore's defaults, a job would wait five minutes for a hanging store.
TIMEOUTS = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


def _ask(what: str, question: Callable[[], Result]) -> Result:
    try:
        return question()
    except (BotoCoreError, ClientError, OSError) as error:
        raise StorageError(f"the object store failed to {what}: {type(error).__name__}") from error


class _Download(io.RawIOBase):
    """A stream of an object's bytes; a broken connection raises StorageError, like every other fault of the store."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk: bytes = _ask("send a whole file", lambda: self._body.read(len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._body.close()
        super().close()


class S3BlobStore:
    """Blobs as objects `blobs/ab/abcd…`. The store itself ensures that an object exists completely or not at all."""

    def __init__(self) -> None:
        # Each process has its own, see `blob_store`. The stubs do not know `storages`.
        create = cast(Any, django.core.files.storage).storages.create_storage
        self._storage: Any = create(settings.STORAGES["blobs"])
        self._storage.client_config = self._storage.client_config.merge(TIMEOUTS)

    @staticmethod
    def _name(key: str) -> str:
        return f"{PREFIX}{key[:2]}/{key}"

    def adopt(self, staged: Staged) -> Blob:
        """Upload the staged bytes; large ones in parts."""
        blob = staged.blob
        with staged.path.open("rb") as source:
            _ask("store a file", lambda: self._storage.save(self._name(blob.key), File(source)))
        return blob

    def exists(self, key: str) -> bool:
        """Ask the store."""
        return _ask("look for a file", lambda: bool(self._storage.exists(self._name(key))))

    def open(self, key: str) -> BinaryIO:
        """Stream the object."""
        client = self._storage.connection.meta.client
        answer = _ask("read a file", lambda: client.get_object(Bucket=self._storage.bucket_name, Key=self._name(key)))
        return cast(BinaryIO, _Download(answer["Body"]))

    def local_path(self, key: str) -> Path | None:
        """Return None: objects are not files of this machine."""
        del key

    def delete(self, key: str) -> None:
        """Remove the object."""
        _ask("remove a file", lambda: self._storage.delete(self._name(key)))

    def older_than(self, seconds: float) -> Iterator[str]:
        """List the bucket page by page."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        objects: Any = _ask("list files", lambda: iter(self._storage.bucket.objects.filter(Prefix=PREFIX)))
        while True:
            item = _ask("list files", lambda: next(objects, None))
            if item is None:
                return
            if item.last_modified < limit:
                yield item.key.rpartition("/")[2]

    def probe(self) -> None:
        """Ask the store for the bucket."""
        client = self._storage.connection.meta.client
        _ask("answer", lambda: client.head_bucket(Bucket=self._storage.bucket_name))

"""Tags of large files that were stored before the node knew the form of S3: computed from the bytes, little by little.

Until then clients get the MD5 of all bytes, as before, and transfer such a file again at each synchronisation.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from ..storage.etags import TagHash, digest_of
from ..storage.store import blob_store
from .models import FileVersion
from .models.files import OLD_TAG

CHUNK = 1024 * 1024
#: Chunks that one step reads: a worker stays awake for jobs and signals.
CHUNKS_A_STEP = 64


def complete_tags() -> Iterator[int]:
    """Compute missing tags step by step; yield the number of rows that each step completed. Raises StorageError."""
    while key := _next_key():
        tag = yield from _hash(key)
        yield FileVersion.objects.filter(OLD_TAG, content=key).update(etag=tag, md5sum=digest_of(tag))


def _next_key() -> str | None:
    """Return a blob without its tag, any of them: other workers do the same work. Skip blobs that are lost."""
    keys = FileVersion.objects.filter(OLD_TAG).values_list("content", flat=True)
    return next((key for key in keys.order_by("?")[:20] if blob_store().exists(key)), None)


def _hash(key: str) -> Generator[int, None, str]:
    hashed, count = TagHash(), 0
    with blob_store().open(key) as source:
        while chunk := source.read(CHUNK):
            hashed.update(chunk)
            count += 1
            if count % CHUNKS_A_STEP == 0:
                yield 0
    return hashed.tag

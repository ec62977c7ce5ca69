"""The store of the blobs, chosen by the settings."""

from __future__ import annotations

import functools
import os

from django.conf import settings

from .blobs import BlobStore
from .folder import FolderBlobStore


@functools.cache
def blob_store() -> BlobStore:
    """Return the store that the settings name: an S3 bucket, or a folder."""
    if settings.STORAGE_BUCKET_NAME:
        from .s3 import S3BlobStore  # boto3 needs memory, which a folder store can save

        return S3BlobStore()
    return FolderBlobStore(settings.DATA_DIR / "blobs")


# A forked process must not use its parent's connections to an object store.
os.register_at_fork(after_in_child=blob_store.cache_clear)

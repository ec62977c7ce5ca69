"""References from rows to blobs: a blob is kept while a row may soon refer to it, and removed with the last reference.

Bytes are written first, rows second. In between, an advisory lock protects a blob from being collected: writers of rows
share the lock; removing a blob takes it exclusively.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from ..storage.blobs import Blob, Staged
from ..storage.errors import StorageError
from ..storage.store import blob_store
from .models import FileVersion, Project

logger = logging.getLogger(__name__)

#: First of the two keys of a blob's advisory lock. The second is the first byte of its sha256: a package may have very
#: many blobs, and PostgreSQL has room for some thousand locks in all.
LOCK_CLASS = 0x51464342


def hold_blob(blob: Blob, staged: Staged) -> None:
    """Protect a blob from being collected until the end of the transaction; store it again if it is already gone."""
    _lock_together([blob.key])
    if not blob_store().exists(blob.key):
        blob_store().adopt(staged)


def hold_blobs(blobs: Iterable[Blob]) -> None:
    """Protect blobs from being collected until the end of the transaction. Raises StorageError if one was collected."""
    keys = {blob.key for blob in blobs}
    _lock_together(keys)
    for key in keys - _named(keys):
        if not blob_store().exists(key):
            raise StorageError(f"blob {key[:12]}… was collected before a row referred to it")


def _lock_together(keys: Iterable[str]) -> None:
    places = sorted({_place(key) for key in keys})
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock_shared(%s, place) from unnest(%s::int[]) as place", [LOCK_CLASS, places]
        )


def lock_alone(key: str) -> bool:
    """Lock a blob exclusively until the end of the transaction; return False at once if others hold it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _place(key)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _place(key: str) -> int:
    return int(key[:2], 16)


def _named(keys: Collection[str]) -> set[str]:
    """Return the keys that a row refers to."""
    of_files = FileVersion.objects.filter(content__in=keys).values_list("content", flat=True)
    of_thumbnails = Project.objects.filter(thumbnail_uri__in=keys).values_list("thumbnail_uri", flat=True)
    return {*of_files.distinct(), *of_thumbnails}


def collect_after_commit(keys: Iterable[str]) -> None:
    """Remove blobs without a reference, after the transaction that removes their rows."""
    doomed = set(keys)

    def collect_them() -> None:
        try:
            collect(doomed)
        except (StorageError, DatabaseError) as error:
            logger.warning("the next sweep has to remove %d blobs: %s", len(doomed), error)

    if doomed:
        transaction.on_commit(collect_them)


def collect(keys: Collection[str]) -> int:
    """Remove the blobs that no row refers to or is about to; return the number removed. Raises StorageError.

    On trial none: the database from before the upgrade may refer to them. The next sweep removes them.
    """
    if settings.TRIAL_SINCE:
        return 0
    doomed = set(keys) - _named(keys)
    return sum(_collect(key) for key in doomed)


def _collect(key: str) -> bool:
    with transaction.atomic():
        if not lock_alone(key) or _named([key]):
            return False
        blob_store().delete(key)
        return True

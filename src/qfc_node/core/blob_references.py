"""Blobs that rows name: kept while somebody is about to name them, removed when no row does any more.

Bytes come first, rows second. In between, an advisory lock keeps a blob from being collected: whoever writes a row
shares it, whoever removes a blob has it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from django.db import DatabaseError, connection, transaction

from ..storage.blobs import Blob, Staged
from ..storage.errors import StorageError
from ..storage.store import blob_store
from .models import FileVersion, Project

logger = logging.getLogger(__name__)

#: First of the two keys of a blob's advisory lock. The second is the first byte of its sha256: a package may hold very
#: many blobs, and PostgreSQL has room for some thousand locks in all.
LOCK_CLASS = 0x51464342


def hold_blob(blob: Blob, staged: Staged) -> None:
    """Keep a blob from being collected to the end of the transaction; it is stored again when it is gone already."""
    _lock_together([blob.key])
    if not blob_store().exists(blob.key):
        blob_store().adopt(staged)


def hold_blobs(blobs: Iterable[Blob]) -> None:
    """Keep blobs from being collected to the end of the transaction. Raises StorageError when one is gone already."""
    keys = {blob.key for blob in blobs}
    _lock_together(keys)
    for key in keys - _named(keys):
        if not blob_store().exists(key):
            raise StorageError(f"blob {key[:12]}… was collected before it was named")


def _lock_together(keys: Iterable[str]) -> None:
    places = sorted({_place(key) for key in keys})
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock_shared(%s, place) from unnest(%s::int[]) as place", [LOCK_CLASS, places]
        )


def lock_alone(key: str) -> bool:
    """Have a blob for oneself to the end of the transaction; False, at once, when somebody is about to name it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _place(key)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _place(key: str) -> int:
    return int(key[:2], 16)


def _named(keys: Collection[str]) -> set[str]:
    """Return those keys that a row names."""
    of_files = FileVersion.objects.filter(content__in=keys).values_list("content", flat=True)
    of_thumbnails = Project.objects.filter(thumbnail_uri__in=keys).values_list("thumbnail_uri", flat=True)
    return {*of_files.distinct(), *of_thumbnails}


def collect_after_commit(keys: Iterable[str]) -> None:
    """Remove blobs that no row names any more, once the rows are gone for certain."""
    doomed = set(keys)

    def collect_them() -> None:
        try:
            collect(doomed)
        except (StorageError, DatabaseError) as error:
            logger.warning("%d blobs are left to the sweep: %s", len(doomed), error)

    if doomed:
        transaction.on_commit(collect_them)


def collect(keys: Collection[str]) -> int:
    """Remove those blobs that no row names and nobody is about to name; return how many went. Raises StorageError."""
    doomed = set(keys) - _named(keys)
    return sum(_collect(key) for key in doomed)


def _collect(key: str) -> bool:
    with transaction.atomic():
        if not lock_alone(key) or _named([key]):
            return False
        blob_store().delete(key)
        return True

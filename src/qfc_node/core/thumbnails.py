"""Thumbnails of projects: drawn by the worker, or uploaded by a user."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from django.db import transaction
from PIL import Image, UnidentifiedImageError

from ..storage.blobs import stage
from ..storage.errors import RejectedError
from ..storage.store import blob_store
from .blob_references import collect_after_commit, hold_blob
from .models import Project
from .project_lock import lock_project

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_BYTES = 20 * 1000**2
MAX_PIXELS = 50_000_000
#: Pixels of the longer side of a stored thumbnail.
SIDE = 512


def picture_from(path: Path, side: int = SIDE) -> bytes:
    """Return the PNG to store for an uploaded picture. Raises RejectedError."""
    if path.stat().st_size > MAX_BYTES:
        raise RejectedError(f"A picture may have at most {MAX_BYTES} bytes.")
    try:
        return _shrink(path, side)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RejectedError("The file is not a PNG, JPEG, WebP or GIF picture.") from error


def _shrink(path: Path, side: int) -> bytes:
    with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
        warnings.simplefilter("ignore")
        if image.width * image.height > MAX_PIXELS:
            raise RejectedError(f"A picture may have at most {MAX_PIXELS} pixels.")
        picture = image.convert("RGBA")
    picture.thumbnail((side, side))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def replace(project: Project, picture: bytes) -> None:
    """Set the project's thumbnail to a PNG. Raises StorageError."""
    staged = stage()
    try:
        staged.write(picture)
        blob = blob_store().adopt(staged)
        with transaction.atomic():
            hold_blob(blob, staged)
            lock_project(project)
            old = Project.objects.filter(pk=project.pk).values_list("thumbnail_uri", flat=True).get()
            Project.objects.filter(pk=project.pk).update(thumbnail_uri=blob.key)
            collect_after_commit([key for key in (old,) if key and key != blob.key])
    finally:
        staged.close()


def read(project: Project) -> bytes | None:
    """Return the project's thumbnail, a PNG; None without one. Raises StorageError."""
    if not project.thumbnail_uri:
        return None
    with blob_store().open(project.thumbnail_uri) as source:
        return source.read()

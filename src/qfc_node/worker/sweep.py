"""Remove remains: folders of dead workers, interrupted uploads, blobs that no row refers to, old tokens.

An idle worker also computes the tags of large files that an older release stored.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO, Self

from django.utils import timezone

from ..core.blob_references import collect
from ..core.models import AuthToken
from ..core.old_tags import complete_tags
from ..storage.errors import StorageError
from ..storage.store import blob_store
from .registry import forget_dead_workers

logger = logging.getLogger(__name__)

#: Seconds from the start of one sweep to the next, of an idle worker.
EVERY_S = 600.0
#: Number of blobs that one step of a sweep checks.
BATCH = 2000
#: Only the worker lists these folders; the account of a job passes them on its way to the job's own.
PASSABLE = 0o711
#: Seconds without a write after which an upload counts as interrupted.
LEFT_OVER_S = 3600.0
#: Seconds for which a blob stays that no row refers to: a database restored to an earlier state does not refer to newer
#: blobs, and the restore may itself be undone.
UNNAMED_KEPT_S = 14 * 86400.0
#: How long an expired token is kept, so that a client learns that it expired.
TOKEN_KEPT = timedelta(days=30)


class Sweeper:
    """Holds the worker's own folder under `jobs/`, locked while the worker lives, and removes remains of others."""

    def __init__(self, data_dir: Path, worker_id: uuid.UUID, *, batch: int = BATCH) -> None:
        self._jobs = data_dir / "jobs"
        self._staging = data_dir / "staging"
        self.home = self._jobs / str(worker_id)
        self._lock: IO[bytes] | None = None
        self._batch = batch
        self._pieces: Iterator[object] = iter(())
        self._began_at = float("-inf")

    def __enter__(self) -> Self:
        """Create and lock the folder, and remove the folders of dead workers."""
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._lock = _locked_file(self.home.with_suffix(".lock"))
        self.home.mkdir()
        for folder in (self._jobs, self.home):
            folder.chmod(PASSABLE)
        self._remove_folders_of_dead_workers()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.with_suffix(".lock").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def sweep_when_due(self) -> None:
        """Run the next step of a sweep; start one every ten minutes. A fault is logged and never stops the worker.

        A store may hold millions of blobs, and a job or a signal may arrive at any time, so every step is short.
        """
        if time.monotonic() - self._began_at >= EVERY_S:
            self._began_at = time.monotonic()
            self._pieces = self._sweep()
        try:
            next(self._pieces, None)
        except (StorageError, OSError) as error:
            logger.warning("the sweep is postponed: %s", error)

    def _sweep(self) -> Iterator[object]:
        self._remove_folders_of_dead_workers()
        self._remove_interrupted_uploads()
        forget_dead_workers()
        yield AuthToken.objects.filter(expires_at__lt=timezone.now() - TOKEN_KEPT).delete()
        yield from zip_longest(collect_left_over_blobs(UNNAMED_KEPT_S, self._batch), complete_tags())

    def _remove_folders_of_dead_workers(self) -> None:
        for path in self._jobs.glob("*.lock"):
            if path != self.home.with_suffix(".lock"):
                _remove_when_dead(path)

    def _remove_interrupted_uploads(self) -> None:
        limit = time.time() - LEFT_OVER_S
        for path in (*self._staging.glob("*"), *self._jobs.glob("*.draft")):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()


def _locked_file(path: Path) -> IO[bytes]:
    """Create a file that is locked before it gets its name: an unlocked one belongs to a dead worker."""
    draft = path.with_suffix(".draft")
    lock = draft.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(path)
    return lock


def _remove_when_dead(lock_path: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError), lock_path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
        if not lock_path.with_suffix("").exists():  # a job that outlived its worker for a moment may have written there
            lock_path.unlink(missing_ok=True)


def collect_left_over_blobs(older_than_s: float, batch: int = BATCH) -> Iterator[int]:
    """Remove blobs that no row refers to, batch by batch; yield the number removed from each. Raises StorageError."""
    keys = blob_store().older_than(older_than_s)
    while some := list(islice(keys, batch)):
        yield collect(some)

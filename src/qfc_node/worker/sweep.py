"""Leaves nothing behind: folders of dead workers, uploads that broke off, blobs that no row names, old tokens."""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Self

from django.utils import timezone

from ..core.blob_references import collect
from ..core.models import AuthToken
from ..storage.errors import StorageError
from ..storage.store import blob_store
from .registry import forget_the_dead

logger = logging.getLogger(__name__)

#: Seconds between the beginnings of two sweeps of an idle worker.
EVERY_S = 600.0
#: How many blobs are looked at in one piece of a sweep.
BATCH = 2000
#: Seconds after which an upload that nobody writes to is held to be left over.
LEFT_OVER_S = 3600.0
#: Seconds for which a blob that no row names stays: a database that was brought back to an earlier state names none of
#: what came since, and may itself be brought back again.
UNNAMED_KEPT_S = 14 * 86400.0
#: How long an expired token is kept, so that a client is told that it expired.
TOKEN_KEPT = timedelta(days=30)


class Sweeper:
    """The worker's own folder under `jobs/`, locked while the worker lives, and the care for what others left."""

    def __init__(self, data_dir: Path, worker_id: uuid.UUID, *, batch: int = BATCH) -> None:
        self._jobs = data_dir / "jobs"
        self._staging = data_dir / "staging"
        self.home = self._jobs / str(worker_id)
        self._lock: IO[bytes] | None = None
        self._batch = batch
        self._pieces: Iterator[object] = iter(())
        self._began_at = float("-inf")

    def __enter__(self) -> Self:
        """Take the folder, and throw away those of the dead."""
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._lock = _locked_file(self.home.with_suffix(".lock"))
        self.home.mkdir()
        self._remove_folders_of_the_dead()
        return self

    def __exit__(self, *_: object) -> None:
        """Throw the folder away."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.with_suffix(".lock").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def sweep_when_due(self) -> None:
        """Do the next piece of a sweep; begin one every ten minutes. A fault is logged and never stops the worker.

        A store may hold millions of blobs, and a job or a signal may come at any time: no piece takes long.
        """
        if time.monotonic() - self._began_at >= EVERY_S:
            self._began_at = time.monotonic()
            self._pieces = self._sweep()
        try:
            next(self._pieces, None)
        except (StorageError, OSError) as error:
            logger.warning("the sweep is put off: %s", error)

    def _sweep(self) -> Iterator[object]:
        self._remove_folders_of_the_dead()
        self._remove_what_broke_off()
        forget_the_dead()
        yield AuthToken.objects.filter(expires_at__lt=timezone.now() - TOKEN_KEPT).delete()
        yield from collect_left_over_blobs(UNNAMED_KEPT_S, self._batch)

    def _remove_folders_of_the_dead(self) -> None:
        for path in self._jobs.glob("*.lock"):
            if path != self.home.with_suffix(".lock"):
                _remove_when_dead(path)

    def _remove_what_broke_off(self) -> None:
        limit = time.time() - LEFT_OVER_S
        for path in (*self._staging.glob("*"), *self._jobs.glob("*.draft")):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()


def _locked_file(path: Path) -> IO[bytes]:
    """Make a file that is locked from the moment it can be seen: an unlocked one is a dead worker's."""
    draft = path.with_suffix(".draft")
    lock = draft.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(path)
    return lock


def _remove_when_dead(lock_path: Path) -> None:
    # A child that outlives its worker for a moment still holds the lock through the descriptor that it inherited.
    with suppress(FileNotFoundError, BlockingIOError), lock_path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
        lock_path.unlink(missing_ok=True)


def collect_left_over_blobs(older_than_s: float, batch: int = BATCH) -> Iterator[int]:
    """Remove blobs that no row names, batch by batch; yield how many of each went. Raises StorageError."""
    keys = blob_store().older_than(older_than_s)
    while some := list(islice(keys, batch)):
        yield collect(some)

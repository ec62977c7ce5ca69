"""Probe the database, the file store and the queue of the node now, with short time limits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from ..storage.errors import StorageError
from ..storage.store import blob_store
from .models import Job, JobStatus, Worker

OK = "ok"
ERROR = "error"
#: Seconds without an answer after which the store counts as down.
STORAGE_TIMEOUT_S = 5.0
DATABASE_TIMEOUT_MS = 3000
#: Seconds that a job may wait without a living worker before the queue counts as down.
QUEUE_PATIENCE_S = 30


@dataclass(frozen=True)
class NodeStatus:
    """The state of each part, `ok` or `error`; `problems` explains the errors."""

    database: str
    storage: str
    queue: str
    problems: tuple[str, ...]

    @property
    def is_ok(self) -> bool:
        """Whether everything works."""
        return not self.problems


class StorageProbe:
    """Probes the store in a separate thread. While a probe hangs, no other is started and the store counts as down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Future[None] | None = None

    def problem(self) -> str | None:
        """Return the problem of the store; None if it works."""
        try:
            self._start().result(timeout=STORAGE_TIMEOUT_S)
        except TimeoutError:
            return f"the file store does not answer within {STORAGE_TIMEOUT_S:.0f} s"
        except StorageError as error:
            return f"the file store cannot be used: {error}"
        return None

    def _start(self) -> Future[None]:
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=_run, args=(self._running, _probe_store), daemon=True).start()
            return self._running


def _probe_store() -> None:
    blob_store().probe()


def _run(future: Future[None], work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001  (passed to the waiting thread)
        future.set_exception(error)
    else:
        future.set_result(None)


STORAGE = StorageProbe()


def probe() -> NodeStatus:
    """Probe everything now."""
    storage = STORAGE.problem()
    try:
        queue, database = _queue_problem(), None
    except (DatabaseError, InterfaceError):
        queue, database = "the queue cannot be checked without the database", "the database cannot be used"
    problems = tuple(problem for problem in (database, storage, queue) if problem)
    return NodeStatus(_word(database), _word(storage), _word(queue), problems)


def _word(problem: str | None) -> str:
    return ERROR if problem else OK


def _queue_problem() -> str | None:
    """Return the problem of the queue; None if it works. Raises DatabaseError."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select set_config('statement_timeout', %s, true)", [str(DATABASE_TIMEOUT_MS)])
        if _has_live_worker() or not _has_old_job():
            return None
    return f"a job has been waiting for more than {QUEUE_PATIENCE_S} s and no worker is running"


def _has_live_worker() -> bool:
    return Worker.objects.filter(heartbeat_at__gt=timezone.now() - timedelta(seconds=settings.LEASE_S)).exists()


def _has_old_job() -> bool:
    now = timezone.now()
    ready = Job.objects.filter(Q(not_before=None) | Q(not_before__lte=now), status=JobStatus.PENDING)
    return ready.filter(updated_at__lt=now - timedelta(seconds=QUEUE_PATIENCE_S)).exists()

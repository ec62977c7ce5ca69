"""The twins of lock, audit log, objects, API and footprint."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO

from qfc.drivers.disk_history import is_close
from qfc.errors import LockHeldError, NotFoundError, UnreachableError, UsageError
from qfc.stack.forecast import DiskSample
from qfc.stack.metrics import Sample
from qfc.stack.model import (
    ApiAnswer,
    ApiRequest,
    AuditEntry,
    DiskPart,
    Holder,
    QueueSnapshot,
    Transition,
    each_once,
)
from qfc.stack.ports import AuditLog, Clock, DiskHistory, Footprint, Lock, MetricsHistory, ObjectStore, Transitions
from qfc.stack.transitions import compared, joined


class LockTable:
    """The shared state of one stack's operators: the holder of the lock, and the living processes."""

    def __init__(self) -> None:
        self.holder: Holder | None = None
        self.living: set[int] = set()


class MemoryLock(Lock):
    """One operator's lock; several share a `LockTable`. The operator's process is `pid`."""

    def __init__(self, clock: Clock, table: LockTable | None = None, *, user: str = "anna", pid: int = 1) -> None:
        self._clock, self._table = clock, table or LockTable()
        self._user, self._pid = user, pid
        self._table.living.add(pid)

    def identity(self) -> str:
        return f"{self._user}@memory"

    def take(self, reason: str) -> Holder:
        holder = self.holder()
        if holder is not None:
            since = holder.since.strftime("%Y-%m-%d %H:%M:%S UTC")
            hint = "Try again later, or wait for it with --wait SECONDS."
            raise LockHeldError(f"{holder} has been at work since {since}: {holder.reason}.", hint=hint)
        self._table.holder = Holder(self._user, "memory", self._pid, 0.0, self._clock.now(), reason)
        return self._table.holder

    def release(self) -> None:
        holder = self.holder()
        if holder is not None and holder.pid == self._pid:
            self._table.holder = None

    def holder(self) -> Holder | None:
        holder = self._table.holder
        return holder if holder is not None and holder.pid in self._table.living else None

    def is_ours(self) -> bool:
        holder = self.holder()
        return holder is not None and holder.pid == self._pid


class MemoryAuditLog(AuditLog):
    """An audit log that lasts as long as the object."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []

    def append(self, entry: AuditEntry) -> None:
        """Write one line."""
        self._entries.append(entry)

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        return tuple(each_once(reversed(self._entries)))[:limit]

    def rotate(self, larger_than: int) -> bool:
        """Rotate nothing: it is in no file."""
        del larger_than
        return False


class MemoryObjectStore(ObjectStore):
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, content: BinaryIO) -> int:
        checked = _key(key)
        stored = content.read()
        self._objects[checked] = stored
        return len(stored)

    def get(self, key: str) -> BinaryIO:
        if _key(key) not in self._objects:
            raise NotFoundError(f"There is no object {key}.")
        return io.BytesIO(self._objects[_key(key)])

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        yield from ((key, len(self._objects[key])) for key in sorted(self._objects) if key.startswith(prefix))

    def delete(self, key: str) -> None:
        self._objects.pop(_key(key), None)


def _key(key: str) -> str:
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts:
        raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
    return "/".join(parts)


#: Answers requests that are not a GET of a known path.
Handler = Callable[[ApiRequest], tuple[int, bytes]]


class MemoryApi:
    """A server with the answers that it was given, by path; `up` says whether anybody listens.

    `handler` answers all other requests, `headers` are sent with the answers to a path. `to_programs` has the answers
    of pages to clients that do not ask for HTML.
    """

    def __init__(self, answers: Mapping[str, tuple[int, bytes]], handler: Handler | None = None) -> None:
        self.answers = dict(answers)
        self.handler = handler
        self.headers: dict[str, Mapping[str, str]] = {"/admin/login/": {"set-cookie": "csrftoken=abc; Path=/"}}
        self.to_programs: dict[str, tuple[int, bytes]] = {}
        self.url = "http://memory"
        self.up = True

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        """Answer a GET, with 404 for an unknown path. Raises UnreachableError if no server listens."""
        return self.send(ApiRequest("GET", path), timeout_s=timeout_s)

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        """Answer a request, with 404 for an unknown path. Raises UnreachableError if no server listens."""
        del timeout_s
        if not self.up:
            raise UnreachableError(f"{self.url} does not answer.", hint="See: qfc status, qfc logs --service app")
        path = f"/{request.path.lstrip('/')}"
        is_browser = "text/html" in request.headers.get("Accept", "")
        known = None if is_browser else self.to_programs.get(path)
        known = (known or self.answers.get(path)) if request.method == "GET" else None
        status, content = known or (self.handler(request) if self.handler else (404, b"{}"))
        if sink is not None and 200 <= status < 300:
            sink.write(content)
            return ApiAnswer(status, 0.001, b"", len(content))
        return ApiAnswer(status, 0.001, content, len(content), self.headers.get(path, {}))


@dataclass(frozen=True)
class MemoryFootprint(Footprint):
    """Sizes that were given."""

    sizes: tuple[DiskPart, ...] = (DiskPart("folder", "database", 0), DiskPart("folder", "files", 0))

    def parts(self) -> tuple[DiskPart, ...]:
        return self.sizes


class MemoryDiskHistory(DiskHistory):
    """Measurements that last as long as the object."""

    def __init__(self) -> None:
        self._samples: list[DiskSample] = []

    def add(self, sample: DiskSample) -> None:
        if not is_close(sample, self._samples):
            self._samples.append(sample)

    def samples(self) -> tuple[DiskSample, ...]:
        return tuple(self._samples)


class MemoryMetricsHistory(MetricsHistory):
    """Measurements in a dictionary."""

    def __init__(self) -> None:
        self._samples: dict[int, Sample] = {}

    def record(self, sample: Sample) -> None:
        self.record_all([sample])

    def record_all(self, samples: Iterable[Sample]) -> int:
        """Keep measurements by their second."""
        found = {int(one.at.timestamp()): one for one in samples}
        self._samples |= found
        return len(found)

    def samples(self, since: datetime) -> tuple[Sample, ...]:
        """Return those since a time."""
        return tuple(one for _, one in sorted(self._samples.items()) if one.at >= since)


class MemoryTransitions(Transitions):
    """Transitions that last as long as the object. Implements `qfc.stack.ports.Transitions`."""

    def __init__(self) -> None:
        self.known: tuple[Transition, ...] = ()

    def noted(self, snapshot: QueueSnapshot) -> QueueSnapshot:
        self.known = compared(self.known, snapshot)
        return joined(snapshot, self.known)

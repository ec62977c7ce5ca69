"""The evidence that checks share. Whichever check needs a piece first reads it, once; errors are kept as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar, cast

from ..stack import drains, queue
from ..stack.drains import Drain
from ..stack.failures import classify
from ..stack.migrations import planned
from ..stack.model import Capability, Held, Job, JobStatus, Project, QueueSnapshot, Service, User
from ..stack.ports import Conditions, Inspection, Ports
from ..stack.queue import Liveness
from ..stack.transitions import earliest

Thing = TypeVar("Thing")
#: How far back failed jobs count.
LOOK_BACK = timedelta(days=7)
MOST_JOBS = 1000
APP = "app"
SETTINGS = "settings"
#: Time limit of a command of the application, in seconds.
COMMAND_S = 120.0
#: How many names a sentence lists.
NAMED = 3


class Evidence:
    """A stack as it was when a diagnosis began. Thread-safe."""

    def __init__(self, ports: Ports, *, settings: Mapping[str, str] | None = None, measured: bool = True) -> None:
        """`settings` are the planned values of `.env`; without them the present values are read.

        Unless `measured`, processor and memory of services are left out.
        """
        self.ports, self._measured = ports, measured
        #: Called by a thread before it waits for a piece that another one reads.
        self.before_waiting: Callable[[], None] = _nothing
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._known: dict[str, Any] = {} if settings is None else {SETTINGS: settings}

    @property
    def is_deployment(self) -> bool:
        """Whether the stack is a deployment of containers."""
        return self.ports.offers(Capability.CONTAINERS)

    @property
    def conditions(self) -> Conditions:
        """The problems that the database shows."""
        return self.ports.conditions

    @property
    def inspection(self) -> Inspection:
        """The inspection of a deployment. Raises RefusedError for a stack without containers."""
        return self.ports.deployment.inspection

    def once(self, name: str, ask: Callable[[], Thing]) -> Thing:
        """Return what `ask` returns, or raise what it raises; `ask` is called once per name, whoever needs it."""
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        if not lock.acquire(blocking=False):
            self.before_waiting()
            lock.acquire()
        try:
            self._ask(name, ask)
        finally:
            lock.release()
        known = self._known[name]
        if isinstance(known, Exception):
            raise known
        return cast("Thing", known)

    def _ask(self, name: str, ask: Callable[[], object]) -> None:
        if name in self._known:
            return
        try:
            self._known[name] = ask()
        except Exception as error:  # noqa: BLE001 - whoever waits for it would run into the same bug, one after the other
            self._known[name] = error

    def services(self) -> Mapping[str, Service]:
        """Return the services by name."""
        return self.once("services", self._services)

    def _services(self) -> Mapping[str, Service]:
        return {one.name: one for one in self.ports.runtime.services(measured=self._measured)}

    def queue(self) -> QueueSnapshot:
        """Return the queue, with what earlier snapshots of it show."""
        return self.once("queue", lambda: self.ports.transitions.noted(self.ports.jobs.snapshot(limit=MOST_JOBS)))

    def drain(self) -> Drain | None:
        """Return who stopped the workers on purpose; None if nobody did."""
        return self.once("drain", lambda: drains.read(self.ports.records))

    def projects(self) -> tuple[Project, ...]:
        """Return the projects, the most recently changed first."""
        return self.once("projects", self.ports.directory.projects)

    def users(self) -> tuple[User, ...]:
        """Return the accounts."""
        return self.once("users", self.ports.directory.users)

    def failed_jobs(self) -> tuple[Job, ...]:
        """Return the jobs that failed in the last 7 days, the latest first."""

        def ask() -> tuple[Job, ...]:
            since = self.ports.clock.now() - LOOK_BACK
            return self.ports.jobs.ended(since=since, statuses=(JobStatus.FAILED,), limit=MOST_JOBS)

        return self.once("failed jobs", ask)

    def failed_of(self, *signatures: str) -> tuple[Job, ...]:
        """Return the failed jobs that match one of these signature ids."""
        found = self.failed_jobs()
        return tuple(job for job in found if classify(job.feedback, job.output).signature.split()[0] in signatures)

    def settings(self) -> Mapping[str, str]:
        """Return the values of a deployment's `.env`. They hold secrets."""
        return self.once(SETTINGS, lambda: dict(self.ports.deployment.settings.values()))

    def migrations(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the migrations that the application knows, and those that the database lacks."""

        def ask() -> tuple[tuple[str, ...], tuple[str, ...]]:
            done = self.ports.runtime.execute(APP, ["showmigrations", "--plan"], timeout_s=COMMAND_S)
            return planned(done.stdout)

        return self.once("migrations", ask)

    def liveness(self, job: Job) -> Liveness:
        """Return whether the worker of an active job is alive, from everything that can be seen."""
        snapshot = self.queue()
        if snapshot.workers is not None or job.lease_expires_at is not None:
            return queue.holder(job, snapshot)
        workers = self.once("workers", self.ports.workload.workers)
        return queue.holder_by_workers(job, workers, self.once("at work", self.ports.runtime.jobs_at_work))

    def held_s(self, job: Job) -> float:
        """Return the longest time, in seconds, that an active job can have been held."""
        return (self.queue().at - earliest(job, self.queue())).total_seconds()

    def lost_jobs(self, *, older_s: float) -> tuple[Job, ...]:
        """Return the active jobs that have been held for `older_s` seconds or more and whose workers are dead."""
        old = (job for job in self.queue().active if self.held_s(job) >= older_s)
        return tuple(job for job in old if self.liveness(job) is Liveness.DEAD)


def _nothing() -> None:
    """Nobody cares who waits."""


def named(names: Iterable[str]) -> str:
    """Return the first names for a sentence, each once, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - NAMED} more" if len(distinct) > NAMED else ""
    return ", ".join(distinct[:NAMED]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_held(job: Job) -> Held:
    """Return a job as it was seen, for a change that must find it unchanged."""
    return Held(job.id, job.status, job.started_at, job.worker_id)

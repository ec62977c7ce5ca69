"""A deployment in memory whose operators are killed, or get an error, at any call."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from qfc.errors import QfcError, UnreachableError
from qfc.stack.model import ApiRequest, Job, JobStatus, Project, Revision, User
from recorded import recorded
from twins import (
    LockTable,
    MemoryApi,
    MemoryClock,
    MemoryDeployment,
    MemoryLock,
    MemoryPorts,
    Release,
    Site,
    memory_deployment,
)
from twins.site import SERVICES

ADMIN = "anna"
STATUS = json.dumps({**recorded("2026_08")["status"], "incident_message": "Sync is slow"}).encode()
#: The parts that operators call.
PORTS = ("directory", "jobs", "api", "lock", "audit", "records")
PARTS = ("images", "source", "settings", "traffic", "dumps", "rollout")


class Killed(BaseException):
    """SIGKILL: nothing of the operator's process runs any more."""


class Fate(StrEnum):
    """The event at a call: the operator is killed or gets an error, before or after the call's effect."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    FAILS_BEFORE = "fails before"
    FAILS_AFTER = "fails after"

    @property
    def kills(self) -> bool:
        """Whether the operator is gone afterwards."""
        return self in (Fate.KILLED_BEFORE, Fate.KILLED_AFTER)

    @property
    def has_effect(self) -> bool:
        """Whether the call itself is done."""
        return self in (Fate.KILLED_AFTER, Fate.FAILS_AFTER)


@dataclass
class Operator:
    """A process. Its fate happens at its `at`-th call (from 1); `calls` lists its calls."""

    at: int = 0
    fate: Fate = Fate.KILLED_BEFORE
    calls: list[str] = field(default_factory=list[str])
    dead: bool = False

    def watch(self, name: str, port: Any) -> Any:
        """Return a port whose calls are counted."""
        return _Watched(self, name, port)

    def call(self, name: str, do: Callable[[], Any]) -> Any:
        """Do a call, unless this is the one."""
        if self.dead:
            raise Killed
        self.calls.append(name)
        if len(self.calls) != self.at:
            return do()
        if self.fate.has_effect:
            with suppress(QfcError):
                do()
        if self.fate.kills:
            self.dead = True
            raise Killed
        raise QfcError(f"{name} did not answer.")


class _Watched:
    def __init__(self, operator: Operator, name: str, port: Any) -> None:
        self._operator, self._name, self._port = operator, name, port

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value):
            return value
        name = f"{self._name}.{attribute}"
        return lambda *words, **named: self._operator.call(name, lambda: value(*words, **named))


class _Clock(MemoryClock):
    """A clock with workers: whenever somebody waits, the oldest job is done."""

    world: World

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.world.work()


class World:
    """A deployment with two releases, the first of which is running; and all state that survives an operator."""

    def __init__(self, *releases: Release) -> None:
        clock = _Clock()
        clock.world = self
        self.plain: MemoryPorts = memory_deployment(*(releases or (OLD, NEW)), clock=clock)
        self.plain.runtime.start(None)
        self.site: Site = self.plain.deployment.site
        self.site.directory.user_rows[ADMIN] = User(ADMIN, "a@example.com", "person", True, True, None, 0, None)
        self.survey = self._project("survey")
        self.waiting = self._job(self.survey, "package")
        self.stored: dict[str, bytes] = {}
        self.table = LockTable()
        self.pids = 0

    def ports(self, operator: Operator | None = None) -> Any:
        """Return the ports of a new operator."""
        operator = operator or Operator()
        self.pids += 1
        lock = MemoryLock(self.plain.clock, self.table, pid=self.pids)
        api = MemoryApi({}, self._answer)
        seen = replace(self.plain, lock=lock, api=api)
        watched = _Ports(seen)
        for name in PORTS:
            setattr(watched, name, operator.watch(name, getattr(seen, name)))
        deployment = MemoryDeployment(self.site, self.plain.clock)
        for name in PARTS:
            setattr(deployment, name, operator.watch(name, getattr(deployment, name)))
        watched.deployment = deployment
        return watched

    def bury(self) -> None:
        """The kernel reports that the process of the last operator is gone."""
        self.table.living.discard(self.pids)

    def seen(self) -> dict[str, Any]:
        """Return everything that users and operators would notice."""
        directory, queue = self.site.directory, self.site.queue
        return {
            "files": (self.site.commit, self.site.branch, self.site.env),
            "images": {service: self.site.names[self.site.name_of(service)] for service in SERVICES},
            "containers": dict(self.site.containers),
            "workers": self.site.workers,
            "held": self.site.held,
            "migrations": directory.migrations,
            "projects": sorted(project.name for project in directory.project_rows.values()),
            "jobs": sorted(queue.job_rows),
            "stored": sorted(self.stored),
            "lock": self.plain.lock.holder(),
            "under way": self.plain.records.read("journal.json"),
        }

    def write(self, name: str) -> bool:
        """Let a user create a project, if writes are allowed; return whether it was accepted."""
        request = ApiRequest("POST", "/api/v1/projects/", document={"name": name})
        try:
            return self._answer(request)[0] == 201
        except UnreachableError:
            return False

    def work(self) -> None:
        """Let a worker run the oldest job."""
        waiting = [job for job in self.site.queue.job_rows.values() if job.status is JobStatus.PENDING]
        if self.site.workers and self.site.answers and waiting:
            job = min(waiting, key=lambda one: one.created_at)
            done = replace(job, status=JobStatus.FINISHED, started_at=self.plain.clock.now(),
                           finished_at=self.plain.clock.now())  # fmt: skip
            self.site.queue.job_rows[job.id] = done

    def _project(self, name: str) -> str:
        project = str(uuid4())
        self.site.directory.project_rows[project] = Project(project, name, ADMIN, "ok", 0, 0, None, None)
        return project

    def _job(self, project: str, type: str) -> str:
        job = str(uuid4())
        made = self.plain.clock.now() - timedelta(minutes=1)
        self.site.queue.job_rows[job] = Job(job, type, JobStatus.PENDING, project, project, ADMIN, made, None, None, 0)
        return job

    def _answer(self, request: ApiRequest) -> tuple[int, bytes]:
        """Answer like a server: not at all, with 503 while writes are blocked, else with the requested document."""
        if not self.site.answers:
            raise UnreachableError("http://memory does not answer.")
        path = request.path
        if request.method == "GET":
            if path == "/api/v1/status/":
                return 200, STATUS
            return (200, self.stored[path]) if path in self.stored else (404, b"{}")
        if self.site.held is not None:
            password, paths = self.site.held
            if request.headers.get("X-Qfc-Pass") != password and not any(one in path for one in paths):
                return 503, b"{}"
        return self._write(request, path.strip("/").split("/"))

    def _write(self, request: ApiRequest, parts: list[str]) -> tuple[int, bytes]:
        if parts[2] == "projects" and request.method == "POST":
            assert isinstance(request.document, dict)
            return 201, json.dumps({"id": self._project(str(request.document["name"]))}).encode()
        if parts[3] not in self.site.directory.project_rows:
            return 404, b"{}"
        if request.method == "DELETE":
            self._remove(parts[3])
        elif request.upload is not None:
            self.stored[request.path] = request.upload.content.read()
            if request.path.endswith(".qgs/"):
                self._job(parts[3], "process_projectfile")
        return 201, b"{}"

    def _remove(self, project: str) -> None:
        del self.site.directory.project_rows[project]
        self.stored = {path: content for path, content in self.stored.items() if project not in path}
        jobs = self.site.queue.job_rows
        for job in [job for job in jobs.values() if job.project_id == project]:
            del jobs[job.id]


class _Ports:
    """Ports of which some are replaced."""

    def __init__(self, ports: MemoryPorts) -> None:
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)


def release(name: str, *, migrations: int = 1, fails: str = "") -> Release:
    """Return a release with that many migrations, which fails at the named steps."""
    names = tuple(f"core.{number:04}" for number in range(1, migrations + 1))
    return Release(Revision(name * 40, name), {}, names, frozenset(fails.split()))


OLD, NEW = release("a"), release("b", migrations=3)


def without(seen: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the observed state without some of its keys."""
    return {name: value for name, value in copy.deepcopy(seen).items() if name not in names}

"""Events of a queue besides its operator's: devices push, users request packages, workers work, stop and die.

`data` counts how often each edit was really applied: on a node at the end of its job, in one transaction; on an
official server by the container, before anything records it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol, cast
from uuid import UUID, uuid4

from qfc.drivers.postgres import Connect, PostgresJobStore
from qfc.stack.model import Job, JobStatus, Worker
from qfc.stack.ports import Ports
from queue_world import DatabaseWorld, MemoryWorld, World, moment
from twins import MemoryClock, MemoryQueue, memory_stack

OPEN_PART = ("pending", "started")
ACTIVE = (JobStatus.QUEUED, JobStatus.STARTED)
#: The first of the two keys of the lock that the node's workers hold while they live.
LOCK_CLASS = 1363559255


@dataclass
class Actor:
    """A worker, and the stage of its job."""

    id: str
    job: str | None = None
    deltas: tuple[str, ...] = ()
    has_begun: bool = False
    #: The outcomes of the edits in the files of an official server's container; None before it has written them.
    outcomes: Mapping[str, str] | None = None
    token: str | None = None


class Ground(Protocol):
    """A server of one kind."""

    world: World
    ports: Ports
    data: Counter[str]
    #: Containers of jobs, of which some outlive the worker that started them.
    containers: set[str]

    def tick(self) -> float:
        """Let time pass; return the moment, in minutes before the beginning."""
        ...

    def give_file(self, project: str) -> None:
        """Give a new project a file, if files have rows."""
        ...

    def push(self, project: str, person: str, number: int) -> list[str]:
        """Take edits from a device and put them into jobs; return their ids."""
        ...

    def hire(self) -> Actor:
        """Start a worker."""
        ...

    def bury(self, actor: Actor) -> None:
        """Let a worker die."""
        ...

    def claim(self, actor: Actor) -> Job | None:
        """Let a worker claim a job."""
        ...

    def expire(self, actor: Actor) -> None:
        """Let the lease of a worker's job end."""
        ...

    def begin(self, actor: Actor) -> None:
        """Let a worker start its job."""
        ...

    def write(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Let an official server's container write its files, before anything records the outcomes of the edits."""
        ...

    def finish(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Record the success of a job, unless the worker has lost it."""
        ...

    def fail(self, actor: Actor) -> None:
        """Record the failure of a job, unless the worker has lost it."""
        ...

    def end_the_lost(self) -> None:
        """Do what the server itself does with jobs whose workers died."""
        ...

    def waiting_edits(self, job: str) -> list[str]:
        """Return the edits that a job has yet to apply, in the order of their arrival."""
        ...

    def lock(self, project: str, since: float | None) -> None:
        """Lock a project, or unlock it."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


@dataclass
class MemoryGround:
    """The twin of a node."""

    queue: MemoryQueue = field(default_factory=lambda: MemoryQueue(MemoryClock(moment())))
    data: Counter[str] = field(default_factory=Counter[str])
    containers: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        stack = replace(memory_stack(), clock=self.queue.clock, jobs=self.queue)  # pyright: ignore[reportArgumentType]
        self.ports: Ports = cast(Ports, stack)
        self.world: World = MemoryWorld(self.queue, stack.directory)
        self._clock = cast(MemoryClock, self.queue.clock)

    def tick(self) -> float:
        """Let a second pass."""
        self._clock.moment += timedelta(seconds=1)
        return (moment() - self._clock.moment).total_seconds() / 60

    def give_file(self, project: str) -> None:
        """Do nothing: the twin has no files."""

    def push(self, project: str, person: str, number: int) -> list[str]:
        """Take edits like the node: they join the newest waiting job, with those that are in no job."""
        made = self.tick()
        new = [self.world.delta(project, made=made - index / 6e7, by=person) for index in range(number)]
        open_parts = {delta for (_, delta), status in self.queue.parts.items() if status in OPEN_PART}
        rows = self.queue.deltas(statuses=["pending"], project_id=project, limit=10**6)
        adrift = [row.id for row in rows if row.id not in open_parts]
        waiting = [job for job in self._jobs(project, (JobStatus.PENDING,)) if job.type == "delta_apply"]
        job = waiting[-1].id if waiting else self.world.job(project, type="delta_apply", made=made)
        for delta in adrift:
            self.world.part(job, delta, "pending")
        return new

    def hire(self) -> Actor:
        """Start a worker."""
        actor = Actor(str(uuid4()))
        self.queue.worker_rows.append(Worker(actor.id, "idle"))
        return actor

    def bury(self, actor: Actor) -> None:
        """Let a worker die: the database knows at once."""
        self.queue.worker_rows[:] = [row for row in self.queue.worker_rows if row.id != actor.id]

    def claim(self, actor: Actor) -> Job | None:
        """Take up the oldest job that may run."""
        pending = self.queue.snapshot(limit=10**6).pending
        busy = {job.project_id for job in self._jobs(None, ACTIVE)}
        job = next((one for one in pending if one.project_id not in busy and one.project_locked_at is None), None)
        if job is None:
            return None
        actor.job, actor.deltas, actor.has_begun = job.id, (), False
        lease = self._clock.moment + timedelta(hours=1)
        self._change(job.id, status=JobStatus.QUEUED, worker_id=actor.id, lease_expires_at=lease)
        return job

    def expire(self, actor: Actor) -> None:
        """Let the lease end."""
        if self._holds(actor):
            self._change(cast(str, actor.job), lease_expires_at=self._clock.moment - timedelta(seconds=1))

    def begin(self, actor: Actor) -> None:
        """Mark the job and its edits as started."""
        if not self._holds(actor):
            return
        job = cast(str, actor.job)
        self._change(job, status=JobStatus.STARTED, started_at=self._clock.moment)
        actor.deltas, actor.has_begun = tuple(self.waiting_edits(job)), True
        for delta in actor.deltas:
            self.queue.parts[job, delta] = "started"
            self.queue.delta_rows[delta] = replace(self.queue.delta_rows[delta], status="started")

    def write(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Do nothing: nothing is written before the end."""

    def finish(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Record the outcomes of the edits, with the end of the job."""
        if self._holds(actor):
            self.data.update(delta for delta, became in outcomes.items() if became == "applied")
            self._end(actor, JobStatus.FINISHED, outcomes)

    def fail(self, actor: Actor) -> None:
        """Fail the job, and its edits with it."""
        if self._holds(actor):
            self._end(actor, JobStatus.FAILED, dict.fromkeys(actor.deltas, "error"))

    def _end(self, actor: Actor, status: JobStatus, outcomes: Mapping[str, str]) -> None:
        job = cast(str, actor.job)
        for delta, became in outcomes.items():
            row = self.queue.delta_rows[delta]
            self.queue.delta_rows[delta] = replace(row, status=became, feedback={"msg": f"It is {became}."})
            self.queue.parts[job, delta] = became
        self._change(job, status=status, finished_at=self._clock.moment, lease_expires_at=None)

    def end_the_lost(self) -> None:
        """Do nothing: the node's workers do this themselves, like `release`."""

    def waiting_edits(self, job: str) -> list[str]:
        """Return the edits that a job has yet to apply."""
        own = [delta for (name, delta), status in self.queue.parts.items() if name == job and status in OPEN_PART]
        return sorted(own, key=lambda delta: (self.queue.delta_rows[delta].created_at, delta))

    def lock(self, project: str, since: float | None) -> None:
        """Lock a project, or unlock it."""
        self.queue.locks.pop(project, None)
        if since is not None:
            self.queue.locks[project] = self._clock.moment - timedelta(minutes=since)

    def close(self) -> None:
        """Nothing is open."""

    def _jobs(self, project: str | None, statuses: Sequence[JobStatus]) -> list[Job]:
        return list(reversed(self.queue.jobs(statuses=statuses, project_id=project, limit=10**6)))

    def _holds(self, actor: Actor) -> bool:
        row = self.queue.job_rows.get(actor.job or "")
        return row is not None and row.status in ACTIVE and row.worker_id == actor.id

    def _change(self, job: str, **values: Any) -> None:
        self.queue.job_rows[job] = replace(self.queue.job_rows[job], **values)


class _Store(PostgresJobStore):
    """The database's own queue; the test supplies what a deployment's containers show about workers."""

    told: tuple[Worker, ...] | None = None

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers."""
        return super().workers() if self.told is None else self.told


class DatabaseGround:
    """A real database: with leases the node's, else an official server's."""

    def __init__(self, connect: Connect) -> None:
        self.database = DatabaseWorld(connect)
        self.world: World = self.database
        self.store = _Store(connect)
        stack = replace(memory_stack(), jobs=self.store)  # pyright: ignore[reportArgumentType]
        self._clock, self._runtime = stack.clock, stack.runtime
        object.__setattr__(stack, "directory", self.database.directory)
        self.ports: Ports = cast(Ports, stack)
        self.data: Counter[str] = Counter()
        self.containers: set[str] = set()
        self._actors: dict[str, Actor] = {}

    def tick(self) -> float:
        """Return the database's current time: time passes by itself."""
        (self._clock.moment,) = self._one("select clock_timestamp()")
        self._tell()
        return (moment() - self._clock.moment).total_seconds() / 60

    def give_file(self, project: str) -> None:
        """Give a new project a file; an official server's containers write new versions of it."""
        if not self.world.has_leases and self.world.tells_effects:
            self._run(
                "insert into filestorage_file (project_id, name, file_type) values (%(project)s, 'trees.gpkg', 1)",
                project=project,
            )

    def push(self, project: str, person: str, number: int) -> list[str]:
        """Take edits like the server: a node's join the newest waiting job, an official one's get a new job."""
        made = self.tick()
        new = [self.world.delta(project, made=made - index / 6e7, by=person) for index in range(number)]
        adrift = self._ids(
            "select d.id::text from core_delta d where d.project_id = %(project)s and d.last_status = 'pending' "
            "and not exists (select from core_applyjobdelta part join core_job j on j.id = part.apply_job_id "
            "where part.delta_id = d.id and j.status in ('pending', 'queued', 'started')) order by d.created_at, d.id",
            project=project,
        )
        waiting = self._ids(
            "select id::text from core_job where project_id = %(project)s and type = 'delta_apply' "
            "and status = 'pending' order by created_at desc, id desc limit 1",
            project=project,
        )
        joined = waiting if self.world.has_leases else []
        job = joined[0] if joined else self.world.job(project, type="delta_apply", made=made)
        for delta in adrift:
            self.world.part(job, delta, "pending")
        return new

    def hire(self) -> Actor:
        """Start a worker: a node's holds a lock while it lives."""
        actor = Actor(str(uuid4()))
        self._actors[actor.id] = actor
        if self.world.has_leases:
            self.database.insert("node_worker", id=actor.id, lock_key=self._key(actor), host="here", pid=1, release="",
                                 state="idle")  # fmt: skip
            self._run("select pg_advisory_lock(%(class)s, %(key)s)", **{"class": LOCK_CLASS, "key": self._key(actor)})
        return actor

    def bury(self, actor: Actor) -> None:
        """Let a worker die; a container that it started may continue."""
        del self._actors[actor.id]
        if self.world.has_leases:
            self._run("select pg_advisory_unlock(%(class)s, %(key)s)", **{"class": LOCK_CLASS, "key": self._key(actor)})

    def claim(self, actor: Actor) -> Job | None:
        """Take up the oldest job that may run."""
        locked = "p.locked_at is null" if self.database.has_column(self.database.project_table, "locked_at") else "true"
        row = self.database.execute(
            f"select j.id::text from core_job j join {self.database.project_table} p on p.id = j.project_id "
            f"where j.status = 'pending' and {locked} and not exists (select from core_job b "
            "where b.project_id = j.project_id and b.status in ('queued', 'started')) "
            "order by j.created_at, j.id limit 1"
        )
        if not row:
            return None
        actor.job, actor.deltas, actor.has_begun, actor.outcomes = row[0][0], (), False, None
        actor.token = str(uuid4())
        lease = ", lease_token = %(token)s, lease_expires_at = clock_timestamp() + interval '1 hour'"
        self._run(
            "update core_job set status = 'queued', container_id = %(holder)s"
            f"{lease if self.world.has_leases else ''} where id = %(job)s",
            job=actor.job,
            holder=actor.id if self.world.has_leases else "",
            token=actor.token,
        )
        return self.store.job(actor.job)

    def expire(self, actor: Actor) -> None:
        """Let the lease end, if this server has leases."""
        if self.world.has_leases and self._holds(actor):
            past = "clock_timestamp() - interval '1 second'"
            self._run(f"update core_job set lease_expires_at = {past} where id = %(job)s", job=actor.job)

    def begin(self, actor: Actor) -> None:
        """Mark the job and its edits as started; an official server's container starts."""
        if not self._holds(actor):
            return
        job = cast(str, actor.job)
        self._run("update core_job set status = 'started', started_at = clock_timestamp() where id = %(job)s", job=job)
        actor.deltas, actor.has_begun = tuple(self.waiting_edits(job)), True
        ids = list(actor.deltas)
        self._run("update core_delta set last_status = 'started' where id = any(%(ids)s::uuid[])", ids=ids)
        self._run(
            "update core_applyjobdelta set status = 'started' "
            "where apply_job_id = %(job)s and delta_id = any(%(ids)s::uuid[])",
            job=job,
            ids=ids,
        )
        if not self.world.has_leases:
            self.containers.add(job)

    def write(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Let an official server's container apply its edits and send the files."""
        if self.world.has_leases or actor.job not in self.containers or actor.outcomes is not None:
            return
        actor.outcomes = outcomes
        applied = [delta for delta, became in outcomes.items() if became == "applied"]
        self.data.update(applied)
        if applied and self.world.tells_effects:
            self._run(
                "insert into filestorage_fileversion (file_id, content, size) select f.id, 'x', 1 "
                "from filestorage_file f join core_job j on j.project_id = f.project_id where j.id = %(job)s",
                job=actor.job,
            )

    def finish(self, actor: Actor, outcomes: Mapping[str, str]) -> None:
        """Record the outcomes of the edits: a node's worker with the files, an official one's after them."""
        self.write(actor, outcomes)
        if self._holds(actor):
            if self.world.has_leases:
                self.data.update(delta for delta, became in outcomes.items() if became == "applied")
            became = {delta: (state, f"It is {state}.") for delta, state in (actor.outcomes or outcomes).items()}
            self._end(actor, "finished", became)

    def fail(self, actor: Actor) -> None:
        """Fail the job and its edits; an official server leaves no message in them."""
        if self._holds(actor):
            told = "The job failed." if self.world.has_leases else None
            self._end(actor, "failed", dict.fromkeys(actor.deltas, ("error", told)))
        self.containers.discard(actor.job or "")

    def _end(self, actor: Actor, status: str, outcomes: Mapping[str, tuple[str, str | None]]) -> None:
        job = cast(str, actor.job)
        for delta, (became, told) in outcomes.items():
            self._settle(job, delta, became, told)
        self.containers.discard(job)
        statement = "update core_job set status = %(status)s, finished_at = clock_timestamp() where id = %(job)s"
        self._run(statement, status=status, job=job)

    def end_the_lost(self) -> None:
        """Fail jobs whose worker and container are gone, and mark their edits as errors, like official servers."""
        if self.world.has_leases:
            return
        held = {actor.job for actor in self._actors.values()} | self.containers
        for job in self._ids("select id::text from core_job where status = 'started'"):
            if job not in held:
                for delta in self.waiting_edits(job):
                    self._settle(job, delta, "error", None)
                self._run("update core_job set status = 'failed', finished_at = clock_timestamp() where id = %(job)s",
                          job=job)  # fmt: skip

    def waiting_edits(self, job: str) -> list[str]:
        """Return the edits that a job has yet to apply; an official worker applies all of a job."""
        left = "and part.status in ('pending', 'started')" if self.world.has_leases else ""
        return self._ids(
            "select d.id::text from core_applyjobdelta part join core_delta d on d.id = part.delta_id "
            f"where part.apply_job_id = %(job)s {left} order by d.created_at, d.id",
            job=job,
        )

    def lock(self, project: str, since: float | None) -> None:
        """Lock or unlock a project, if the release has locks."""
        if self.database.has_column(self.database.project_table, "locked_at"):
            moment = None if since is None else self._one("select clock_timestamp()")[0] - timedelta(minutes=since)
            statement = f"update {self.database.project_table} set locked_at = %(moment)s where id = %(project)s"
            self._run(statement, moment=moment, project=project)

    def close(self) -> None:
        """Close every connection."""
        self.store.close()
        self.database.close()

    def _tell(self) -> None:
        """Return what a deployment's containers show."""
        if not self.world.has_leases:
            states = [Worker(one.id, "busy" if one.job else "idle", job_id=one.job) for one in self._actors.values()]
            self.store.told = tuple(states)
            self._runtime.at_work = frozenset(self.containers)

    def _settle(self, job: str, delta: str, status: str, told: str | None) -> None:
        """Record the outcome of an edit."""
        feedback = None if told is None else json.dumps({"msg": told})
        values = {"job": job, "delta": delta, "status": status, "told": feedback}
        self._run(
            "update core_applyjobdelta set status = %(status)s, feedback = %(told)s "
            "where apply_job_id = %(job)s and delta_id = %(delta)s",
            **values,
        )
        self._run(
            "update core_delta set last_status = %(status)s, last_feedback = %(told)s where id = %(delta)s", **values
        )

    def _holds(self, actor: Actor) -> bool:
        """Return whether the worker still has the job: by the token if there are leases, else while it is active."""
        mine = "and lease_token = %(token)s" if self.world.has_leases else ""
        statement = f"select 1 from core_job where id = %(job)s and status in ('queued', 'started') {mine}"
        return bool(actor.job and self.database.execute(statement, {"job": actor.job, "token": actor.token}))

    def _key(self, actor: Actor) -> int:
        return UUID(actor.id).int % 2**31

    def _run(self, statement: str, **values: Any) -> None:
        self.database.execute(statement, values)

    def _one(self, statement: str, **values: Any) -> Any:
        return self.database.execute(statement, values)[0]

    def _ids(self, statement: str, **values: Any) -> list[str]:
        return [row[0] for row in self.database.execute(statement, values)]

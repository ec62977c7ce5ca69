"""The jobs that worker containers hold.

The node's workers store their host name in the database, and the host name of a container is the beginning of its id.
Official workers only write logs: a worker holds the last job that it dequeued since its container started, if that
job still runs. A container keeps its id and its log when it restarts, but not the job of the killed process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ....errors import QfcError
from ....stack.model import Job, JobStatus, Worker
from ....stack.ports import DatabaseQueue
from ...docker.containers import Container
from ...docker.engine import Engine

ACTIVE = (JobStatus.QUEUED, JobStatus.STARTED)
#: Lines to read. A worker writes a few lines per job; after this many it has another one.
LINES = 400
_LAST_TAKEN = """
tail=$1
shift
for one; do
    id=${one%%,*}
    job=$(docker logs --since "${one#*,}" --tail "$tail" "$id" 2>&1 |
        sed -n 's/.*Dequeued job \\([0-9a-f-]\\{36\\}\\).*/\\1/p' | tail -n 1)
    echo "$id ${job:--}"
done
"""


class JobHolding:
    """Returns the jobs of worker containers; containers whose job is unknown are left out."""

    def __init__(self, engine: Engine, store: Callable[[], DatabaseQueue]) -> None:
        self._engine, self._store = engine, store

    def __call__(self, containers: Sequence[Container]) -> Mapping[str, str | None]:
        """Return the ids of containers and of their jobs, None for one without a job."""
        try:
            known = [worker for worker in self._store().workers() if worker.host]
            active = {job.id for job in self._store().jobs(statuses=ACTIVE, limit=1000)}
        except QfcError:
            return {}
        told = by_host(known, containers)
        rest = [one for one in containers if one.id not in told and one.status == "running"]
        return {**told, **(self._by_logs(rest, active) if rest else {})}

    def _by_logs(self, containers: Sequence[Container], active: set[str]) -> dict[str, str | None]:
        argv = ["sh", "-c", _LAST_TAKEN, "sh", str(LINES), *(_with_start(one) for one in containers)]
        try:
            printed = self._engine.query(argv).stdout
        except QfcError:
            return {}
        taken = dict(line.split() for line in printed.splitlines())
        return {id: job if job in active else None for id, job in taken.items()}


def _with_start(container: Container) -> str:
    return f"{container.id},{(container.started_at or container.created_at).isoformat()}"


def by_host(workers: Iterable[Worker], containers: Sequence[Container]) -> dict[str, str | None]:
    """Match workers with the containers whose ids begin with the workers' host names."""
    return {
        container.id: worker.job_id
        for worker in workers
        for container in containers
        if worker.host and container.id.startswith(worker.host)
    }


def as_workers(containers: Sequence[Container], holding: Mapping[str, str | None], jobs: Iterable[Job]) -> list[Worker]:
    """Describe worker containers that are not in the database."""
    started = {job.id: job.started_at for job in jobs}
    found: list[Worker] = []
    for container in containers:
        worker = Worker(container.name, _state(container, holding), host=container.id[:12])
        job = holding.get(container.id)
        since = started.get(job) if job else container.started_at
        found.append(replace(worker, job_id=job, since=since))
    return found


def _state(container: Container, holding: Mapping[str, str | None]) -> str:
    if container.status != "running":
        return container.status
    if container.id not in holding:
        return "unknown"
    return "busy" if holding[container.id] else "idle"
